"""Tables as loggers and spreadsheets write them: encodings, lines around the values, decimal signs, status texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inspection.sensor import SensorTable, TableForm, parse_table, read_table
from inspection.sensor.table.preamble import is_unit_row
from inspection.sensor.table.reading import ranges
from models.errors import InvalidInput
from tests.support.command import run
from tests.support.messages import says

HEADER = "temperature,pressure,current\n"
ROWS = "60.5,2.1,5.0\n61.0,2.2,5.1\n59.5,2.0,4.9\n"


def parsed(text: str, written: str = "utf-8", **form: object) -> SensorTable:
    return parse_table(text.encode(written), "t.csv", form=TableForm(**form))  # type: ignore[arg-type]  # of the test


def codes(table: SensorTable) -> list[str]:
    return [found.code for found in table.assumptions]


@pytest.mark.parametrize(
    "names", [("Temperatur [°C]", "Druck [bar]"), ("Dehnung µm/m", "Größe"), ("Öl", "Menü"), ("Süd", "Höhe")]
)
def test_names_in_windows_1252_are_read_as_they_were_written(names: tuple[str, str]) -> None:
    found = parsed(f"{names[0]};{names[1]}\n1,5;2,5\n", "cp1252")
    assert found.columns == names
    assert codes(found) == ["sensor-table-encoding"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_declared_or_self_evident_encoding_is_no_assumption(encoding: str) -> None:
    assert codes(parsed("温度,圧力\n1,2\n", encoding)) == []


def test_a_given_encoding_is_used_without_an_assumption() -> None:
    found = parsed("温度,压力\n1,2\n", "gbk", encoding="gbk")
    assert (found.columns, codes(found)) == (("温度", "压力"), [])


def test_an_encoding_that_is_none_of_the_known_is_asked_for() -> None:
    with pytest.raises(InvalidInput) as raised:
        parsed("温度,压力,电流\n1,2,3\n", "gbk")
    assert raised.value.code == "sensor-file-not-text"


def test_a_file_that_a_given_encoding_cannot_decode_is_refused() -> None:
    with pytest.raises(InvalidInput) as raised:
        parsed("Größe\n1\n", "cp1252", encoding="utf-8")
    assert (raised.value.code, raised.value.values["encoding"]) == ("sensor-file-encoding", "utf-8")


@pytest.mark.parametrize(
    ("before", "skipped"),
    [
        ("Logger,GL840,V1.20\nStart,2024/03/09 10:14:33\n\n", "1-2"),
        ("Logger,GL840,V1.20\nModel,GL840,M\n", "1-2"),
        ("# machine 7\n# interval 1 s\n", "1-2"),
        ("Logger,GL840,\nStart,2024/03/09,10:14:33\n,,\n", "1-3"),
    ],
)
def test_lines_before_the_header_are_left_out_with_their_numbers(before: str, skipped: str) -> None:
    found = parsed(before + HEADER + ROWS)
    assert found.columns == ("temperature", "pressure", "current")
    assert found.values.shape == (3, 3)
    assert [item.values["lines"] for item in found.assumptions] == [skipped]


def test_a_column_of_words_does_not_hide_where_the_table_begins() -> None:
    rows = "".join(f"OK,{value},{value / 2}\n" for value in range(20, 30))
    text = "Logger,GL840,V1\nStart,2024/03/09,10:14:33\nstatus,speed,current\n" + rows
    found = parse_table(text.encode(), "t.csv", ["status"])
    assert (found.columns, found.lines[0]) == (("speed", "current"), 4)


def test_lines_before_values_without_a_header_are_left_out() -> None:
    found = parsed("Logger\n" + ROWS)
    assert (found.columns[0], found.lines.tolist()) == ("column 1", [2, 3, 4])
    assert codes(found) == ["sensor-table-skipped"]


@pytest.mark.parametrize("units", ["degC,bar,A", "[°C],[bar],[A]", "°C,kPa,mA", "(%),m/s²,1/min", "℃,,V"])
def test_a_line_of_units_below_the_header_is_left_out(units: str) -> None:
    found = parsed(f"{HEADER}{units}\n{ROWS}")
    assert (found.columns, len(found.values)) == (("temperature", "pressure", "current"), 3)
    assert codes(found) == ["sensor-table-units"]


def test_short_names_of_columns_are_no_units_without_a_header_above() -> None:
    assert parsed("T,A,V\n" + ROWS).columns == ("T", "A", "V")


@pytest.mark.parametrize("cells", [["temperature", "bar"], ["", ""], ["valve", "pump"], ["°C", "Grad"]])
def test_words_are_no_units(cells: list[str]) -> None:
    assert not is_unit_row(cells)


def test_the_separator_that_excel_names_is_used() -> None:
    found = parsed("sep=;\n" + (HEADER + ROWS).replace(",", ";"))
    assert found.columns == ("temperature", "pressure", "current")


def test_a_first_row_with_a_status_does_not_make_the_header_a_preamble() -> None:
    found = parsed(f"{HEADER}Bad,2.0,5.0\n{ROWS}", missing=("Bad",))
    assert found.columns == ("temperature", "pressure", "current")
    assert np.isnan(found.values).sum() == 1


@pytest.mark.parametrize("footer", ["mean,,\n", "mean,60.3,2.1\n", "End of data\n", "Mittelwert,,\nEnde\n"])
def test_lines_after_the_values_are_left_out(footer: str) -> None:
    found = parsed(HEADER + ROWS + footer)
    assert len(found.values) == 3
    assert codes(found) == ["sensor-table-footer"]


def test_a_row_of_missing_values_at_the_end_is_a_row() -> None:
    assert len(parsed(HEADER + ROWS + "NaN,NaN,NaN\n").values) == 4


def test_words_between_rows_are_refused_with_their_line() -> None:
    with pytest.raises(InvalidInput) as raised:
        parsed(HEADER + ROWS + "restart,,\n" + ROWS)
    assert (raised.value.code, raised.value.values["row"]) == ("sensor-file-cell", 5)


@pytest.mark.parametrize("cell", ["#DIV/0!", "1.#QNAN", "-1.#IND", "#N/A", "#VALUE!"])
def test_a_calculation_without_a_result_is_counted_as_missing(cell: str) -> None:
    found = parsed(f"{HEADER}{cell},2.0,5.0\n{ROWS}")
    assert np.isnan(found.values).tolist()[0] == [True, False, False]
    assert [item.values["count"] for item in found.assumptions] == [1]


def test_all_texts_that_are_no_numbers_are_counted_with_the_option_for_them() -> None:
    with pytest.raises(InvalidInput) as raised:
        parsed(f"{HEADER}Bad,2.0,5.0\n{ROWS}60,Bad,Err\n{ROWS}")
    values = raised.value.values
    assert (values["row"], values["count"]) == (2, 3)
    assert values["options"] == '--missing "Bad" --missing "Err"'


def test_texts_can_stand_for_missing_values_as_numbers_can() -> None:
    found = parsed(f"{HEADER}BAD,-999,5.0\n{ROWS}", missing=("Bad", "-999"))
    assert np.isnan(found.values).tolist()[0] == [True, True, False]


def test_decimal_commas_of_a_fixed_number_of_digits_are_told() -> None:
    found = parsed("a;b\n59,979;2,049\n60,120;2,051\n")
    assert found.values.tolist() == [[59.979, 2.049], [60.12, 2.051]]
    assert codes(found) == ["sensor-table-decimal"]


@pytest.mark.parametrize(
    ("decimal", "values"), [(",", [[59.979, 1234.5]]), (".", [[59979.0, None]])], ids=["comma", "point"]
)
def test_a_given_decimal_sign_decides_what_the_other_one_means(decimal: str, values: list[list[float]]) -> None:
    text = "a;b\n59,979;1.234,5\n" if decimal == "," else "a;b\n59,979;\n"
    found = parsed(text, decimal=decimal)
    assert [[None if np.isnan(cell) else cell for cell in row] for row in found.values.tolist()] == values
    assert codes(found) == []


def test_given_lines_to_skip_are_skipped() -> None:
    found = parsed("1,2,3\n" + HEADER + ROWS, skip_lines=1)
    assert found.columns == ("temperature", "pressure", "current")
    assert found.lines.tolist() == [3, 4, 5]


@pytest.mark.parametrize(("lines", "text"), [((1, 2, 3), "1-3"), ((1, 3, 4, 9), "1, 3-4, 9"), ((7,), "7")])
def test_line_numbers_are_shortened_to_ranges(lines: tuple[int, ...], text: str) -> None:
    assert ranges(lines) == text


def rows_with_status(clock: bool) -> str:
    generator = np.random.default_rng(0)
    rows = "".join(
        f"{5000 + place // 10 if clock else 5},{a:.2f},{b:.2f}\n"
        for place, (a, b) in enumerate(generator.normal(60, 3, (120, 2)))
    )
    return "Logger\nTakt,Öl,Druck\n" + rows + "5012,Bad,61.0\n"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_commands_tell_what_they_assumed_about_a_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", language)
    (tmp_path / "t.csv").write_bytes(rows_with_status(True).encode("cp1252"))
    order = ("train", "sensor", "--data", tmp_path / "t.csv", "--output", tmp_path / "m.pth", "--no-checkpoint")
    code, _, err = run(capsys, *order, "--missing", "Bad")
    assert code == 0
    assert says(err, "sensor-table-encoding", language, encoding="Windows-1252")
    assert says(err, "sensor-table-skipped", language, count="1", lines="1")
    assert says(err, "sensor-counter", language, column="Takt")
    code, _, err = run(capsys, "model", "score", tmp_path / "m.npz", tmp_path / "t.csv", "--missing", "Bad")
    assert code == 0
    assert says(err, "sensor-table-encoding", language, encoding="Windows-1252")


def test_assumptions_are_in_the_json_of_the_commands(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(rows_with_status(True).encode("cp1252"))
    order = ("train", "sensor", "--data", tmp_path / "t.csv", "--output", tmp_path / "m.pth", "--no-checkpoint")
    expected = [
        {"code": "sensor-table-encoding", "encoding": "Windows-1252"},
        {"code": "sensor-table-skipped", "count": 1, "lines": "1"},
    ]
    _, out, _ = run(capsys, *order, "--missing", "Bad", "--json")
    trained = json.loads(out)
    assert (trained["assumptions"], trained["counters"]) == (expected, ["Takt"])
    for command in ("score", "drift"):
        _, out, _ = run(capsys, "model", command, tmp_path / "m.npz", tmp_path / "t.csv", "--missing", "Bad", "--json")
        assert json.loads(out)["assumptions"] == expected


def test_rows_that_are_not_learned_are_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes((rows_with_status(False) + "5,,\n,,\n").encode("cp1252"))
    order = ("train", "sensor", "--data", tmp_path / "t.csv", "--output", tmp_path / "m.pth", "--no-checkpoint")
    code, _, err = run(capsys, *order, "--missing", "Bad")
    assert code == 0
    assert says(err, "sensor-rows-unused", count="2", rows="123")


def test_a_kept_clock_is_learned(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(rows_with_status(True).encode("cp1252"))
    order = ("train", "sensor", "--data", tmp_path / "t.csv", "--output", tmp_path / "m.pth", "--no-checkpoint")
    code, _, err = run(capsys, *order, "--missing", "Bad", "--keep", "Takt")
    assert code == 0
    assert says(err, "sensor-learned", columns="Takt, Öl, Druck")


def test_a_table_of_clocks_only_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("n\n" + "".join(f"{place}\n" for place in range(60)))
    code, _, err = run(
        capsys, "train", "sensor", "--data", tmp_path / "t.csv", "--output", tmp_path / "m.pth", "--no-checkpoint"
    )
    assert code == 1
    assert says(err, "sensor-only-clocks", columns="n")


@pytest.mark.parametrize(
    "wrong", [("--encoding", "nope"), ("--decimal", ";"), ("--keep", "Takt", "--leave-out", "Takt")]
)
def test_options_of_a_table_that_mean_nothing_are_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    (tmp_path / "t.csv").write_text(HEADER + ROWS)
    code, _, _ = run(capsys, "train", "sensor", "--data", tmp_path / "t.csv", "--output", tmp_path / "m.pth", *wrong)
    assert code == 2


@pytest.mark.parametrize("place", [HEADER, HEADER + "degC,bar,A\n", "", HEADER + ROWS])
@pytest.mark.parametrize("status", ["Bad,Bad,Bad\n", "OFF,OFF,OFF\nBad,Bad,Bad\n"])
def test_rows_of_words_alone_are_refused_as_rows(place: str, status: str) -> None:
    rows = "" if place.endswith(ROWS) else ROWS
    with pytest.raises(InvalidInput) as raised:
        parsed(place + status + rows)
    assert raised.value.code == "sensor-file-cell"
    assert (raised.value.values["row"], raised.value.values["count"]) == (
        place.count("\n") + 1,
        3 * status.count("\n"),
    )


def test_rows_of_different_words_at_the_end_are_refused_as_rows() -> None:
    with pytest.raises(InvalidInput) as raised:
        parsed(HEADER + ROWS + "Bad,Off,Fail\n")
    assert (raised.value.code, raised.value.values["row"]) == ("sensor-file-cell", 5)


@pytest.mark.parametrize("text", [HEADER + "Bad,Off,Bad\n" + ROWS, HEADER + ROWS + "Bad,Off,\n", "Bad,,\n" + ROWS])
def test_rows_of_texts_named_missing_are_rows_without_values(text: str) -> None:
    found = parsed(text, missing=("bad", "Off"))
    assert (len(found.values), np.isnan(found.values).all(axis=1).sum(), codes(found)) == (4, 1, [])


def test_named_units_that_are_all_the_same_stay_a_line_of_units() -> None:
    found = parsed(HEADER + "V,V,V\n" + ROWS)
    assert (found.columns[0], codes(found)) == ("temperature", ["sensor-table-units"])


@pytest.mark.parametrize("skip_lines", [None, 0])
@pytest.mark.parametrize(
    "text",
    [HEADER + ROWS.replace("\n", ",\n"), HEADER.replace("\n", ",\n") + ROWS, (HEADER + ROWS).replace("\n", ",\n")],
)
def test_a_delimiter_at_the_end_of_lines_costs_no_header(text: str, skip_lines: int | None) -> None:
    found = parsed(text, skip_lines=skip_lines)
    assert (found.columns, found.values.shape) == (("temperature", "pressure", "current"), (3, 3))
    assert codes(found) == []


@pytest.mark.parametrize(("encoding", "row"), [("utf-8", 3), ("utf-16-le", 1)])
def test_bytes_that_are_zero_in_a_text_are_named_with_their_line(encoding: str, row: int) -> None:
    text = HEADER + "60.5,2.1,5.0\n61.0,\0,5.1\n" if encoding == "utf-8" else HEADER + ROWS
    with pytest.raises(InvalidInput) as raised:
        parsed(text, encoding)
    assert (raised.value.code, raised.value.values["row"]) == ("sensor-file-nul", row)


def test_a_folder_is_named_where_a_table_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_table(tmp_path)
    assert (caught.value.code, caught.value.values["name"]) == ("sensor-file-folder", str(tmp_path))


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_workbook_of_a_spreadsheet_is_refused_as_one(head: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_table(head + b"\x14\0\x06\0", "t.xlsx")
    assert caught.value.code == "sensor-file-workbook"
