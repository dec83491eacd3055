"""The colours of an establishment, from the one it gives us to a set that can be read.

A hospital's brand may be yellow. Contrasts are those of WCAG 2.2 (1.4.3): the brand holds 4.5:1 on white and on its own
tint, links hold 5:1 on every background of ours. Lightness goes down until they do; hue and saturation stay.
"""

import colorsys
import re
from collections.abc import Iterable

Rgb = tuple[float, float, float]

WHITE = "#ffffff"
PAGE = "#faf6f0"
STONE = "#f4ede3"
HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
BRAND_RATIO, LINK_RATIO, FOOTER_RATIO = 4.5, 5.0, 9.0
# Pure black has no hue to tint with, pure white none to darken: both become the grey nearest to ink.
DARKEST, LIGHTEST = 0.06, 0.94


def tokens(colour: str) -> dict[str, str]:
    """CSS custom properties for a brand colour such as `#7ed957`. ValueError when it is not a colour."""
    base = _clamped(colour)
    soft = _with_lightness(base, 0.93)
    brand = _dark_enough(base, (WHITE, PAGE, soft), BRAND_RATIO)
    link = _dark_enough(base, (WHITE, PAGE, STONE, soft), LINK_RATIO)
    deep = _dark_enough(brand, (WHITE,), FOOTER_RATIO)
    return {
        "--app-brand": brand,
        "--app-brand-deep": deep,
        "--app-brand-soft": soft,
        "--app-brand-line": _with_lightness(base, 0.64),
        "--app-action": brand,
        "--app-action-hover": deep,
        "--app-link": link,
        "--app-link-hover": deep,
        "--govuk-brand-colour": brand,
        "--govuk-link-colour": link,
        "--govuk-link-hover-colour": deep,
        "--govuk-surface-background-colour": soft,
    }


def stylesheet(colour: str) -> str:
    """The style sheet of an establishment: its tokens over the house's own."""
    return ":root{" + "".join(f"{name}:{value};" for name, value in tokens(colour).items()) + "}\n"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _clamped(colour: str) -> str:
    found = HEX.fullmatch(colour.strip())
    if found is None:
        raise ValueError(f"not a colour: {colour!r}")
    digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
    lightness = colorsys.rgb_to_hls(*_rgb(digits))[1]
    return _with_lightness(digits, min(max(lightness, DARKEST), LIGHTEST))


def _dark_enough(colour: str, backgrounds: Iterable[str], ratio: float) -> str:
    """The colour, darkened by hundredths until it holds the ratio on each background."""
    backgrounds = tuple(backgrounds)
    lightness = colorsys.rgb_to_hls(*_rgb(colour))[1]
    while lightness > 0 and any(contrast(colour, background) < ratio for background in backgrounds):
        lightness = max(lightness - 0.01, 0)
        colour = _with_lightness(colour, lightness)
    return colour


def _with_lightness(colour: str, lightness: float) -> str:
    hue, _, saturation = colorsys.rgb_to_hls(*_rgb(colour))
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))


def _luminance(colour: str) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> Rgb:
    digits = colour.removeprefix("#")
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue
