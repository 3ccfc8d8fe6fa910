"""What ``imageflow model show`` prints of a model file, in the user's language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.command_line.tables import labelled_lines
from app.command_line.training_findings import rotation_line, separation_line
from app.command_line.wording import phrase


def described_lines(found: dict[str, Any]) -> list[str]:
    """Return the lines of text for the data of ``describe_model``."""
    from inspection.detection.model_file.bundle import DETECTION_KINDS

    return _detector_lines(found) if found["kind"] in DETECTION_KINDS else _anomaly_lines(found)


def _anomaly_lines(found: dict[str, Any]) -> list[str]:
    data, preprocessing, metrics = found["data"], found["preprocessing"], found["metrics"]
    rows = [
        _file_row(found),
        (
            phrase("model-trained"),
            phrase(
                "model-trained-value",
                images=data["images"],
                width=preprocessing["median_width"],
                height=preprocessing["median_height"],
                seed=found["seed"],
            ),
        ),
        (phrase("model-threshold"), _threshold(found["threshold"])),
        *_found_out(found),
        (phrase("model-size"), _size(metrics)),
    ]
    if "parity" in metrics:
        rows.append((phrase("model-parity"), phrase("model-parity-value", difference=f"{metrics['parity']:.1e}")))
    rows += [(phrase("model-steps"), _steps(found["view"])), *_warnings(found)]
    kind = phrase(
        "model-on", kind=found["kind"], backbone=found["backbone"]["name"], precision=found["precision"].upper()
    )  # fmt: skip
    return [f"{_name(found)}  ({kind})", *labelled_lines(rows)]


def _detector_lines(found: dict[str, Any]) -> list[str]:
    graph, data = found["graph"], found["data"]
    map50, map50_95 = found["map50"], found["map50_95"]
    quality = phrase("model-not-measured") if map50 is None else f"{map50:.3f}, mAP50-95 {map50_95:.3f}"
    images = {"images": data["train_images"], "measured": data["val_images"], "seed": found["seed"]}
    runs = {"precision": found["precision"], "inference": phrase("model-or").join(found["inference"])}
    rows = [
        _file_row(found),
        (phrase("model-trained"), phrase("model-trained-detector", **images)),
        (phrase("model-input"), f"{graph['width']}×{graph['height']}"),
        (phrase("model-runs"), phrase("model-runs-value", **runs)),
        ("mAP50", quality),
        *((phrase("model-parity"), _parity(way, value)) for way, value in found["parity"].items()),
        *_warnings(found),
    ]
    made_as = found["training"].get("architecture", graph["head"])
    head = f"{_name(found)}  ({found['kind']}, {made_as})"
    return [head, *labelled_lines(rows), *(_class_line(name, found["classes"].get(name)) for name in graph["names"])]


def _name(found: dict[str, Any]) -> str:
    return found["name"] or Path(found["file"]).stem


def _file_row(found: dict[str, Any]) -> tuple[str, str]:
    megabytes = f"{found['bytes'] / 1e6:.1f}"
    value = phrase("model-file-value", file=found["file"], megabytes=megabytes, digest=found["digest"])
    return phrase("model-file"), value


def _warnings(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(phrase("model-warnings"), ", ".join(found["warnings"]))] if found["warnings"] else []


def _threshold(threshold: dict[str, Any]) -> str:
    return phrase(
        "model-threshold-defects" if threshold["defects"] else "model-threshold-value",
        value=f"{threshold['value']:.4f}",
        rate=f"{threshold['false_alarm_rate']:.1%}",
        method=threshold["method"],
        sample=threshold["sample"],
        defects=threshold["defects"],
    )


def _steps(record: dict[str, Any] | None) -> str:
    """Return what the images of the training went through."""
    if record is None:
        return phrase("model-steps-unknown")
    return ", ".join(step["component"] for step in record["steps"]) or phrase("model-steps-none")


def _found_out(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return how the model sees images, and what its training found out; older files record less."""
    from inspection.anomaly.detail import smallest_defect
    from inspection.anomaly.manifest import RotationRecord, SeparationRecord

    rows = []
    if (seen := found.get("configuration")) is not None:
        tile, defects = found["preprocessing"]["tile"], smallest_defect(found["preprocessing"]["scale"])
        how = {"detail": seen["detail"] or f"{seen['side']} px", "side": seen["side"], "tile": tile, "defects": defects}
        rows.append((phrase("model-sees"), phrase("model-sees-tiles" if tile else "model-sees-whole", **how)))
    if (rotation := found.get("rotation")) is not None:
        record = RotationRecord.model_validate(rotation)
        known = rotation_line(record) if record.rotations > 1 else phrase("model-orientation-fixed")
        rows.append((phrase("model-orientation"), known))
    if (separation := found.get("separation")) is not None:
        rows.append((phrase("model-separation"), separation_line(SeparationRecord.model_validate(separation))))
    return rows


def _size(metrics: dict[str, float]) -> str:
    """Return how much the model remembers; each method has figures of its own."""
    sizes = {name: round(value) for name, value in metrics.items()}
    return phrase("model-size-bank" if "bank_size" in sizes else "model-size-places", **sizes)


def _parity(way: str, value: dict[str, Any]) -> str:
    return phrase(
        "model-detector-parity",
        way=way,
        reference=value["reference"],
        matched=f"{value['matched']:.1%}",
        boxes=value["boxes"],
        map50=f"{0.0 - value['map50_drop']:+.3f}",
        map50_95=f"{0.0 - value['map50_95_drop']:+.3f}",
    )


def _class_line(name: str, value: dict[str, Any] | None) -> str:
    if value is None or value["map50"] is None:
        return f"  {name}"
    return phrase("model-class-measured", name=name, map50=f"{value['map50']:.3f}", boxes=value["boxes"])
