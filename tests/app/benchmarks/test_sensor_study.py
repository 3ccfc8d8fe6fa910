"""How the study of sensor models counts."""

from app.benchmarks.inspection.sensor_study import Outcome, lines_of_flaws, table_rows

FIRST = Outcome("oven", 2.0, 3, (1.2, 0.9, 3.0), 1, 0.5, (288.0,))
SECOND = Outcome("oven", 4.0, 1, (1.5,), 4, 1.5, ())
OTHER = Outcome("tank", 1.0, 2, (1.1, 2.0), 0, 1.0, ())


def test_a_peak_at_the_threshold_is_no_fault_found() -> None:
    assert Outcome("oven", 1.0, 2, (1.0, 1.001), 0, 1.0, ()).found == 1


def test_machines_of_a_kind_are_one_row_of_the_table() -> None:
    assert list(table_rows([FIRST, OTHER, SECOND])) == [
        "| oven | 3 of 4 | 5 | 2.0 | 2.5 | 4 |",
        "| tank | 2 of 2 | 0 | 1.0 | 0.0 | 0 |",
        "| all | 5 of 6 | 5 | 3.0 | 1.7 | 4 |",
    ]


def test_a_machine_without_flaws_has_no_line() -> None:
    assert [len(list(lines_of_flaws(outcome))) for outcome in (FIRST, SECOND, OTHER)] == [1, 1, 0]
