"""Which of the codes that were read a rule of the criteria counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inspection.judging.criteria import CodeFormat, CodeRule
from inspection.judging.wildcards import matches
from models.results import CodeReading

_UPC_A, _EAN_13 = "upc-a", "ean-13"
_LEADING = "0"
"""An UPC-A code is the EAN-13 code with this digit before its twelve."""


def is_of_format(rule: CodeRule, code: CodeReading) -> bool:
    """Return whether a code has a format that the rule takes."""
    return not rule.formats or not {name for name, _ in _readings(code)}.isdisjoint(rule.formats)


def counts(rule: CodeRule, code: CodeReading) -> bool:
    """Return whether a code has a format, text and pattern that the rule takes."""
    return is_of_format(rule, code) and any(
        (rule.text is None or text == rule.text) and (rule.pattern is None or matches(rule.pattern, text))
        for _, text in _readings(code)
    )


def readable_formats(formats: Sequence[CodeFormat]) -> frozenset[str]:
    """Return the formats that codes have where these are looked for."""
    both = frozenset({_EAN_13, _UPC_A})
    return frozenset(formats) | (both if both & set(formats) else frozenset())


def required_codes_read(
    rules: Mapping[str, CodeRule], codes: Sequence[CodeReading], formats: Sequence[CodeFormat]
) -> bool:
    """Return whether no further code has to be looked for.

    Args:
        rules: of the criteria.
        codes: read so far.
        formats: that are looked for; rules that want only others are not waited for.
    """
    readable = readable_formats(formats)
    wanted = [
        rule for rule in rules.values() if rule.least and (not rule.formats or not readable.isdisjoint(rule.formats))
    ]
    if not wanted:
        return bool(codes)
    return all(sum(counts(rule, code) for code in codes) >= rule.least for rule in wanted)


def _readings(code: CodeReading) -> list[tuple[str, str]]:
    """Return format and text of a code, and those it has as well: UPC-A is a part of EAN-13."""
    readings = [(code.format, code.text)]
    if code.format == _EAN_13 and code.text.startswith(_LEADING):
        readings.append((_UPC_A, code.text[1:]))
    if code.format == _UPC_A:
        readings.append((_EAN_13, _LEADING + code.text))
    return readings
