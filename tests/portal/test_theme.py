"""An establishment gives one colour, whatever it is: what the portal makes of it can be read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.web import theme

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
HARD = ("#ffffff", "#000000", "#ffd400", "#7ed957", "#e2007a", "#00a3e0", "#f28c28", "#fffffe", "#0000ff")


def on_hard_colours(promise):
    for colour in HARD:
        promise = example(colour)(promise)
    return given(colours)(promise)


@on_hard_colours
def test_the_brand_reads_on_white_and_on_its_own_tint(colour: str) -> None:
    tokens = theme.tokens(colour)
    for background in (theme.WHITE, theme.PAGE, tokens["--app-brand-soft"]):
        assert theme.contrast(tokens["--app-brand"], background) >= 4.5


@on_hard_colours
def test_links_read_on_every_background(colour: str) -> None:
    tokens = theme.tokens(colour)
    for background in (theme.WHITE, theme.PAGE, theme.STONE, tokens["--app-brand-soft"]):
        assert theme.contrast(tokens["--app-link"], background) >= 5
        assert theme.contrast(tokens["--app-link-hover"], background) >= 5


@on_hard_colours
def test_white_reads_on_buttons_and_on_the_footer(colour: str) -> None:
    tokens = theme.tokens(colour)
    assert theme.contrast(theme.WHITE, tokens["--app-action"]) >= 4.5
    assert theme.contrast(theme.WHITE, tokens["--app-action-hover"]) >= 4.5
    assert theme.contrast(theme.WHITE, tokens["--app-brand-deep"]) >= 7


@on_hard_colours
def test_tokens_given_back_as_a_colour_do_not_drift(colour: str) -> None:
    brand = theme.tokens(colour)["--app-brand"]
    assert theme.contrast(theme.tokens(brand)["--app-brand"], brand) < 1.1


def test_a_colour_that_already_reads_is_kept() -> None:
    assert theme.tokens("#0d4f54")["--app-brand"] == "#0d4f54"


def test_contrast_is_that_of_wcag() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def test_three_digits_are_a_colour_too() -> None:
    assert theme.tokens("#059") == theme.tokens("#005599")


@pytest.mark.parametrize("text", ["", "red", "#12345", "#1234567", "red;}body{display:none", "#gggggg"])
def test_what_is_not_a_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a colour"):
        theme.tokens(text)


def test_the_style_sheet_holds_nothing_but_the_tokens() -> None:
    sheet = theme.stylesheet("#e2007a")
    assert sheet.startswith(":root{--app-brand:#")
    assert sheet.count("{") == sheet.count("}") == 1
