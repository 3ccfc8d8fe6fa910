from models.findings import finding_texts
from models.messages import LANGUAGES, error_text
from models.results import BoundingBox, CodeReading, ColourDifference, Detection, InspectionResult, Measurement
from models.states import Verdict


def texts(language: str = "en", **found: object) -> list[str]:
    result = {"overall_result": Verdict.OK, "confidence": 1.0, "detections": []} | found
    return finding_texts(InspectionResult.model_validate(result), language)


def words(finding: str, language: str) -> str:
    return error_text(f"finding-{finding}", {}, language).detail


def seen(name: str, confidence: float) -> Detection:
    return Detection(class_name=name, confidence=confidence, bbox=BoundingBox(x=0, y=0, width=1, height=1))


def test_each_class_is_named_once_from_the_surest_down() -> None:
    found = [seen("dent", 0.5), seen("傷", 0.913), seen("dent", 0.254), seen("dent", 0.4)]
    assert texts(detections=found) == ["傷 0.91", "dent ×3 0.25-0.50"]


def test_an_anomalous_region_is_named_in_the_readers_language() -> None:
    found = [seen("anomaly", 0.9)]
    for language in LANGUAGES:
        assert texts(language, detections=found) == [f"{words('anomaly', language)} 0.90"]


def test_what_could_not_be_measured_or_compared_says_why_in_words() -> None:
    bore = {"name": "bore", "quantity": "diameter", "unit": "mm"}
    paint = {"name": "paint", "maximum": None, "lab": None, "reference": (50, 0, 0)}
    found = {
        "measurements": [Measurement(**bore, value=None, reason="no-circle"), Measurement(**bore, value=4.25)],
        "colours": [ColourDifference(**paint, mean=None), ColourDifference(**paint, mean=1.234)],
    }
    for language in LANGUAGES:
        assert texts(language, **found) == [
            f"bore {words('no-circle', language)}",
            "bore 4.25 mm",
            f"paint {words('not-compared', language)}",
            "paint ΔE00 1.23",
        ]


def test_a_reason_of_a_later_version_is_reported_as_it_is() -> None:
    later = Measurement(name="bore", quantity="depth", value=None, reason="too-deep")
    assert texts("ja", measurements=[later]) == ["bore too-deep"]


def test_a_code_cannot_write_over_the_line_it_stands_on() -> None:
    assert texts(codes=[CodeReading(text="品番\x1b[2J\n1", format="qr")]) == ['qr "品番\\u001b[2J\\n1"']


def test_nothing_found_is_nothing_reported() -> None:
    assert texts() == []
