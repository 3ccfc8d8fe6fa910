import json
import os
import string
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.command_line import main
from inspection.anomaly import AnomalyModel, TrainingReport
from inspection.evaluation import ScoredSet, results_of, score_set
from inspection.evaluation import gallery as gallery_module
from inspection.evaluation.gallery import relation
from inspection.evaluation.pictures import LONGEST_SIDE, picture_of
from inspection.evaluation.provenance import Sources
from inspection.evaluation.report import ReportPlace, write_report
from inspection.evaluation.wording import phrases
from inspection.imaging.files import decode_image
from models.messages import LANGUAGES, Language
from tests.support.messages import says


class Page(HTMLParser):
    """What a browser and a screen reader would find."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.language = ""
        self.ids: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.text = page.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in ("meta", "img", "br", "input"):
            self.open.append(tag)
        if tag == "html":
            self.language = found.get("lang") or ""
        if tag == "img":
            self.images.append(found)
        if tag == "a":
            self.links.append(found.get("href") or "")
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if found.get("id"):
            self.ids.append(str(found["id"]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def stated(self) -> str:
        return " ".join(self.words)


def placeholders(phrase: str) -> list[str]:
    return sorted({name for _, name, _, _ in string.Formatter().parse(phrase) if name is not None})


@pytest.fixture(scope="module")
def scored(model: AnomalyModel, parts: Path) -> ScoredSet:
    """With the median of all scores as threshold some verdict is wrong, however well the model tells them apart."""
    test = parts / "test"
    plain = score_set(model, test / "good", test)
    threshold = float(np.median([file.score for file in (*plain.good, *plain.defect)]))
    return score_set(model, test / "good", test, parts / "masks", threshold=threshold, pictures=True)


def written(scored: ScoredSet, out: Path, parts: Path, language: Language = "en") -> Page:
    place = ReportPlace(out)
    sources = Sources(parts / "test" / "good", parts / "test", parts / "masks")
    write_report(scored, results_of(scored), place, sources, language)
    return Page(place.page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_that_can_be_read_aloud_needs_nothing_from_anywhere(
    scored: ScoredSet, parts: Path, tmp_path: Path, language: Language
) -> None:
    page = written(scored, tmp_path / "report.html", parts, language)
    assert page.language == language
    assert page.open == []
    assert all(str(image["src"]).startswith("data:image/") for image in page.images)
    assert all(image["alt"] for image in page.images)
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert len(set(page.ids)) == len(page.ids)
    assert page.headings[0] == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_every_mistake_is_shown_with_its_score(scored: ScoredSet, parts: Path, tmp_path: Path) -> None:
    page = written(scored, tmp_path / "report.html", parts)
    wrong = [*scored.escapes, *scored.overkill]
    assert wrong
    pictures = [image for image in page.images if str(image["src"]).startswith("data:image/jpeg")]
    assert len(pictures) == len(wrong)
    for file in wrong:
        reported = (file.path.name, f"{file.score:.3f}", file.label or "good")
        assert any(all(part in str(image["alt"]) for part in reported) for image in pictures), reported


def test_every_picture_of_the_report_opens_larger_without_a_script(
    scored: ScoredSet, parts: Path, tmp_path: Path
) -> None:
    page = written(scored, tmp_path / "report.html", parts)
    wrong = len(scored.escapes) + len(scored.overkill)
    assert page.text.count('<label><input type="checkbox" class="larger"><img') == wrong
    assert "<script" not in page.text
    assert page.stated.count(phrases("en")["gallery-note-escapes"]) == bool(scored.escapes)
    assert page.stated.count(phrases("en")["gallery-note"]) == bool(scored.escapes) + bool(scored.overkill)


@given(score=st.floats(0.001, 1000), threshold=st.floats(0.001, 1000))
def test_a_score_beside_the_threshold_is_reported_on_its_own_side_of_it(score: float, threshold: float) -> None:
    shown = float(relation(score, threshold).removesuffix(" %"))
    assert shown <= 100 if score <= threshold else shown >= 100


def test_a_score_just_below_the_threshold_is_not_reported_as_all_of_it() -> None:
    assert [relation(score, 19.2) for score in (19.167, 19.199, 19.2, 28.8)] == [
        "99.8 %",
        "99.99 %",
        "100.0 %",
        "150.0 %",
    ]


def test_many_pictures_lie_beside_the_page(
    scored: ScoredSet, parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_module, "MOST_EMBEDDED", 0)
    wrong = len(scored.escapes) + len(scored.overkill)
    for out, folder in ((tmp_path / "a b.html", "a b-images"), (tmp_path / "whole", "whole/report-images")):
        page = written(scored, out, parts)
        beside = [str(image["src"]) for image in page.images if not str(image["src"]).startswith("data:")]
        assert len(beside) == wrong
        assert len(list((tmp_path / folder).iterdir())) == wrong
        assert all(source.startswith(("a%20b-images/", "report-images/")) for source in beside)
    results = json.loads((tmp_path / "whole" / "evaluation.json").read_text())
    assert len(results["mistakes"]) == wrong
    assert results["curves"]["image_roc"][-1] == [1.0, 1.0]
    assert sum(results["curves"]["histogram"]["good"]) == results["images"]["good"]


def test_a_set_without_mistakes_says_so(model: AnomalyModel, parts: Path, tmp_path: Path) -> None:
    scored = score_set(model, parts / "test" / "good", parts / "test", pictures=True)
    scored.threshold = max(file.score for file in scored.good)
    scored.defect = [file for file in scored.defect if file.score > scored.threshold]
    page = written(scored, tmp_path / "r.html", parts)
    assert phrases("en")["no-escapes"] in page.stated
    assert phrases("en")["no-overkill"] in page.stated


def test_names_in_the_report_are_no_markup(scored: ScoredSet, parts: Path, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    renamed = [replace(file, label=name) for file in scored.defect]
    scored = replace(scored, defect=renamed, classes=(name,))
    page = written(scored, tmp_path / "r.html", parts)
    assert "<script>" not in page.text
    assert "<script>alert(1)</script>" in page.stated


def test_a_file_whose_name_is_no_text_is_in_the_report_nevertheless(
    scored: ScoredSet, parts: Path, tmp_path: Path
) -> None:
    # As Shift JIS names look that were unpacked on Linux.
    name = os.fsdecode(b"\x8f\x9d.png")
    renamed = [replace(file, path=file.path.with_name(name), label="傷") for file in scored.defect]
    page = written(replace(scored, defect=renamed, classes=("傷",)), tmp_path / "whole", parts, "ja")
    assert "\\udc8f\\udc9d.png" in page.text
    results = json.loads((tmp_path / "whole" / "evaluation.json").read_bytes())
    assert any(Path(mistake["file"]).name == name for mistake in results["mistakes"])


def test_a_picture_is_small_whatever_the_size_of_the_image() -> None:
    for height, width in ((900, 1400), (2000, 300), (40, 30)):
        heat = np.linspace(1, 5, height * width, dtype=np.float32).reshape(height, width)
        mask = np.zeros((height, width), bool)
        mask[: height // 2, : width // 2] = True
        jpeg = picture_of(np.full((height, width), 90, np.uint8), heat, 5.0, 4.0, mask)
        drawn = decode_image(jpeg)
        assert max(drawn.shape[:2]) <= 2 * LONGEST_SIDE + 4
        assert len(jpeg) < 40_000
        assert (drawn[..., 1].astype(int) - drawn[..., 0] > 60).any()  # the green outline


def test_both_languages_say_the_same_things() -> None:
    english, japanese = phrases("en"), phrases("ja")
    assert english.keys() == japanese.keys()
    assert all(placeholders(english[key]) == placeholders(japanese[key]) for key in english)


def test_the_command_names_the_report_it_writes(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    test = parts / "test"
    arguments = ["evaluate", "--model", report.path, "--good", test / "good", "--defect", test]
    with pytest.raises(SystemExit) as ended:
        main(
            [
                *map(str, arguments),
                "--masks",
                str(parts / "masks"),
                "--out",
                str(tmp_path / "new" / "r"),
                "--json",
                "--language",
                "ja",
            ]
        )
    reported = capsys.readouterr()
    assert not ended.value.code
    found = json.loads(reported.out)
    assert found == json.loads((tmp_path / "new" / "r" / "evaluation.json").read_text())
    assert str(tmp_path / "new" / "r" / "report.html") in reported.err
    page = Page(tmp_path / "new" / "r" / "report.html")
    assert (page.open, page.language) == ([], "ja")


def test_a_place_that_cannot_be_written_is_reported_before_the_work(
    capsys: pytest.CaptureFixture[str], report: TrainingReport, parts: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    test = parts / "test"
    arguments = ["evaluate", "--model", report.path, "--good", test / "good", "--defect", test, "--out"]
    with pytest.raises(SystemExit) as ended:
        main([*map(str, arguments), str(tmp_path / "file" / "r.html")])
    reported = capsys.readouterr()
    assert (ended.value.code, reported.out) == (1, "")
    assert says(reported.err, "file-not-written")


def test_evaluating_without_a_report_loads_no_plots() -> None:
    program = "import sys, inspection.evaluation, app.command_line.evaluate\nprint('matplotlib' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "False"
