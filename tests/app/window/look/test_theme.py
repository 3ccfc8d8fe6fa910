from __future__ import annotations

import pytest

from app.window.look.theme import SHAPE_PAIRS, TEXT_PAIRS, THEMES, Sizes, Theme, contrast


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize(("text", "background"), TEXT_PAIRS)
def test_text_can_be_read_on_its_background(theme: Theme, text: str, background: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, background)) >= 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize(("shape", "background"), SHAPE_PAIRS)
def test_controls_stand_out_from_what_is_behind_them(theme: Theme, shape: str, background: str) -> None:
    assert contrast(getattr(theme, shape), getattr(theme, background)) >= 3.0


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_verdicts_have_the_colours_of_the_product_in_every_theme() -> None:
    for theme in THEMES.values():
        assert (theme.ok, theme.ng) == ("#009E73", "#D55E00")


@pytest.mark.parametrize(("dpi", "pixels"), [(96.0, 76), (127.0, 100), (160.0, 126)])
def test_a_touch_target_is_20_mm_at_the_resolution_of_the_screen(dpi: float, pixels: int) -> None:
    assert Sizes.of_screen(dpi).touch == pixels


@pytest.mark.parametrize("nonsense", [0.0, 12.0, 1000.0])
def test_a_screen_that_does_not_know_its_size_gets_usual_sizes(nonsense: float) -> None:
    assert Sizes.of_screen(nonsense).touch == Sizes.of_screen(96.0).touch


def test_the_letters_of_the_verdict_are_readable_from_3_m() -> None:
    # Capital letters of a sans-serif are about 0.7 of its size; distance / 300 is the least that is read with ease.
    sizes = Sizes.of_screen(96.0)
    assert sizes.verdict_text * 0.7 / 96.0 * 25.4 >= 3000 / 300
