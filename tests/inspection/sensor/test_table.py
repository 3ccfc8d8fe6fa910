import math
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspection.sensor import parse_table, read_table
from inspection.sensor.table import reading
from inspection.sensor.table.times import moment
from models.errors import InvalidInput, TooLarge, UserFacingError
from models.messages import LANGUAGES


def refused(text: str | bytes, **options: list[str]) -> UserFacingError:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(UserFacingError) as raised:
        parse_table(data, "t.csv", **options)
    return raised.value


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32).map(float)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1)
    ),
    delimiter=st.sampled_from([",", ";", "\t"]),
    header=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_numbers_come_back_as_they_were_written(
    rows: list[list[float]], delimiter: str, header: bool, ending: str
) -> None:
    lines = [delimiter.join(repr(value) for value in row) for row in rows]
    if header:
        lines.insert(0, delimiter.join(f"s{place}" for place in range(len(rows[0]))))
    found = parse_table(ending.join(lines).encode(), "t.csv")
    assert found.values.tolist() == rows
    assert found.lines.tolist() == list(range(1 + header, len(rows) + 1 + header))
    assert found.columns[0] == ("s0" if header else "column 1")


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1), delimiter=st.sampled_from([";", "\t"]))
def test_a_decimal_comma_is_read_like_a_point(rows: list[tuple[float, float]], delimiter: str) -> None:
    # A fourth digit after the sign: it cannot part thousands.
    lines = [delimiter.join(f"{value:.4f}".replace(".", ",") for value in row) for row in rows]
    found = parse_table("\n".join(lines).encode(), "t.csv")
    assert np.allclose(found.values, np.round(np.array(rows), 4), rtol=1e-12, atol=1e-4)


def told_or_read(data: bytes) -> None:
    try:
        found = parse_table(data, "t.csv")
    except UserFacingError as error:
        texts = [error.text(language) for language in LANGUAGES]
        assert all(text.title and text.detail for text in texts)
        return
    assert found.values.shape == (len(found.lines), len(found.columns))
    assert not np.isinf(found.values).any()


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_user_facing_error(data: bytes) -> None:
    told_or_read(data)


@settings(max_examples=50, deadline=None)
@given(text=st.text(alphabet='0123456789,;.\t\n-e" abN', max_size=80))
def test_any_text_is_a_table_or_a_user_facing_error(text: str) -> None:
    told_or_read(text.encode())


def test_missing_values_stay_missing() -> None:
    found = parse_table(b"a,b,c\n1,,3\nNaN,n/a,-\n4,5,6\n", "t.csv")
    assert np.isnan(found.values).tolist() == [[False, True, False], [True, True, True], [False, False, False]]


@pytest.mark.parametrize(
    "times",
    [
        ["2020-03-09 10:14:33", "2020-03-09 10:14:34"],
        ["2020/3/9 9:14:33", "2020/3/9 9:14:34"],
        ["2020-03-09T10:14:33Z", "2020-03-09T10:14:34+00:00"],
        ["2020-03-09 10:14:33.5", "2020-03-09 10:14:34.5"],
        ["09.03.2020 10:14:33", "09.03.2020 10:14:34"],
        ["9.3.2020 9:59:59,5", "9.3.2020 10:00:00,5"],
        ["31/03/2020 23:59:59", "01/04/2020 00:00:00"],
        ["03/31/2020 11:59:59 PM", "04/01/2020 12:00:00 AM"],
        ["2020年3月9日 10時14分33秒", "2020年3月9日 10時14分34秒"],
        ["2020-03-09T10:14:33+0900", "2020-03-09T01:14:34Z"],
        ["10:14:33", "10:14:34"],
        ["09.03.24 10:14:33", "09.03.24 10:14:34"],
        ["31/12/24 23:59:59", "01/01/25 00:00:00"],
        ["09-Mar-2024 10:14:33", "09-Mar-2024 10:14:34"],
        ["9. Mai 2024 10:14:33", "9. Mai 2024 10:14:34"],
        ["20240309 101433", "20240309 101434"],
        ["20240309T101433Z", "20240309T101434Z"],
    ],
)
def test_a_column_of_times_is_recognised_as_no_sensor(times: list[str]) -> None:
    found = parse_table("\n".join(f"{time};1.5;2" for time in times).encode(), "t.csv")
    assert found.columns == ("column 2", "column 3")
    assert found.left_out == ("column 1",)
    assert found.seconds is not None
    assert found.seconds[1] - found.seconds[0] == 1.0


def test_a_date_may_stand_beside_its_time_of_day() -> None:
    found = parse_table(b"date,time,a\n2020-03-09,23:59:59,1\n2020-03-10,00:00:01,2\n", "t.csv")
    assert (found.columns, found.left_out) == (("a",), ("date", "time"))
    assert found.seconds is not None
    assert found.seconds[1] - found.seconds[0] == 2.0


def test_a_date_that_is_none_in_the_order_of_the_others_is_named() -> None:
    error = refused("t,a\n31/03/2020,1\n03/31/2020,2\n")
    assert (error.code, error.values["row"], error.values["column"]) == ("sensor-file-cell", 2, "t")
    for cell in ("30.02.2020", "2020-13-01", "25:00:00", "10:75", "13:00 PM", "2020-03-09T10:14+99:99"):
        assert refused(f"t,a\n{cell},1\n").values["text"] == cell


@settings(max_examples=100, deadline=None)
@given(
    at=st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2099, 12, 31), timezones=st.just(UTC)).map(
        lambda at: at.replace(microsecond=0)
    ),
    form=st.sampled_from(
        [
            "%Y-%m-%d %H:%M:%S",
            "%Y/%m/%dT%H:%M:%SZ",
            "%d.%m.%Y %H:%M:%S",
            "%m/%d/%Y %I:%M:%S %p",
            "%Y年%m月%d日 %H:%M:%S",
        ]
    ),
)
def test_a_time_is_read_as_it_was_written(at: datetime, form: str) -> None:
    found = moment(at.strftime(form), "month")
    assert found is not None
    assert (found.kind, found.seconds) == ("both", at.timestamp())


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet="0123456789:/-. 年月日時分秒TZ+APM", max_size=24))
def test_any_text_is_a_time_or_none(text: str) -> None:
    found = moment(text)
    assert found is None or math.isfinite(found.seconds)


def test_a_delimiter_at_the_end_of_every_line_is_no_column() -> None:
    for text in ("a,b,\n1,2,\n3,4,\n", "1,2,\n3,4,\n"):
        found = parse_table(text.encode(), "t.csv")
        assert found.values.tolist() == [[1, 2], [3, 4]]
    assert parse_table(b"a,b,\n1,2,\n3,4,5\n", "t.csv").columns == ("a", "b", "column 3")


def test_a_given_na_value_is_read_as_missing() -> None:
    found = parse_table(b"a,b\n-999,1\n2,-999.0\n3,-99.9\n", "t.csv", na_values=[-999.0, -99.9])
    assert np.isnan(found.values).tolist() == [[True, False], [False, True], [False, True]]


def test_a_semicolon_within_quotes_does_not_make_two_numbers() -> None:
    assert refused('a,b\n1,2\n"3;4",5\n').values["text"] == "3;4"


@pytest.mark.slow
def test_a_table_takes_little_more_than_its_bytes_with_its_numbers() -> None:
    data = b"a,b,c,d,e,f,g,h\n" + b"1.234,5.678,9.012,3.456,7.890,1.234,5.678,9.012\n" * 20_000
    tracemalloc.start()
    try:
        found = parse_table(data, "t.csv")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * (len(data) + found.values.nbytes)


def test_columns_can_be_left_out_by_name() -> None:
    data = b"a;label;b\n1;0;2\n3;1;4\n"
    assert parse_table(data, "t.csv", ["label"]).values.tolist() == [[1, 2], [3, 4]]
    error = refused(data.decode(), leave_out=["lable"])
    assert error.code == "sensor-column-unknown"
    assert "a, label, b" in str(error)


def test_a_cell_that_is_no_number_is_named_by_its_place() -> None:
    error = refused("a,b\n1,2\n\n3,warm\n")
    assert error.code == "sensor-file-cell"
    assert error.values == {
        "name": "t.csv",
        "row": 4,
        "column": "b",
        "text": "warm",
        "count": 1,
        "options": '--missing "warm"',
    }


@pytest.mark.parametrize("cell", ["1e999", "1e101", "inf", "0x10", "1_000", "１２"])
def test_what_only_python_would_read_is_no_number(cell: str) -> None:
    assert refused(f"a,b\n1,2\n3,{cell}\n").values["text"] == cell


def test_a_line_of_another_length_is_named() -> None:
    error = refused("a,b\n1,2\n3\n5,6\n7,8,9\n")
    assert (error.code, error.values["row"], error.values["cells"]) == ("sensor-file-uneven", 3, 1)


@pytest.mark.parametrize(
    ("text", "row"), [("a;b\n1,5;2\n1;2.5\n", 2), ("a;b\n1;2\n1,234;2\n12,345;3\n", 3), ("a;b\n0.5;1\n1,25;3\n", 3)]
)
def test_a_comma_that_can_be_read_in_two_ways_is_refused(text: str, row: int) -> None:
    error = refused(text)
    assert (error.code, error.values["row"], error.values["column"]) == ("sensor-file-decimal", row, "a")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "sensor-file-empty"),
        (b"\n\n", "sensor-file-empty"),
        (b"a,b\n", "sensor-file-empty"),
        (b"\x89PNG\r\n\x00\x00", "sensor-file-not-text"),
        (b"a\n2020-01-01\n2020-01-02\n", "sensor-file-without-sensors"),
    ],
)
def test_a_file_without_a_table_is_rejected(data: bytes, code: str) -> None:
    assert refused(data).code == code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
def test_japanese_names_are_read_in_the_encodings_of_the_shop_floor(encoding: str) -> None:
    found = parse_table("温度,圧力\n1,2\n".encode(encoding), "t.csv")
    assert found.columns == ("温度", "圧力")


def test_columns_of_the_same_name_get_unique_names() -> None:
    assert parse_table(b"a,a,,a\n1,2,3,4\n", "t.csv").columns == ("a", "a (2)", "column 3", "a (3)")


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    monkeypatch.setattr(reading, "MAX_COLUMNS", 2)
    monkeypatch.setattr(reading, "MAX_BYTES", 20)
    assert len(parse_table(b"a,b\n1,2\n3,4\n5,6\n", "t.csv").values) == 3
    assert refused("1\n2\n3\n4\n5\n").code == "sensor-file-too-many"
    assert refused("1,2,3\n").code == "sensor-file-too-many"
    monkeypatch.setattr(reading, "MAX_CELLS", 5)
    assert refused("1,2\n3,4\n5,6\n").values["row"] == 3
    path = tmp_path / "t.csv"
    path.write_bytes(b"1,2\n" * 6)
    with pytest.raises(TooLarge) as raised:
        read_table(path)
    assert raised.value.code == "sensor-file-too-large"


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.csv", "file-missing"), (tmp_path, "sensor-file-folder")):
        with pytest.raises(InvalidInput) as raised:
            read_table(path)
        assert raised.value.code == code


def test_the_benchmark_files_are_read_whole(data: Path) -> None:
    found = read_table(data / "skab" / "valve1" / "0.csv", ["anomaly", "changepoint"])
    assert found.values.shape == (1147, 8)
    assert found.left_out == ("datetime", "anomaly", "changepoint")
    assert math.isclose(found.values[0, 0], 0.0265878)
