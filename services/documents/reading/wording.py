"""Units as people read them (UCUM: `m[IU]/L` is mUI/L, `10*9/L` is 10⁹/L)."""

import re
from typing import Final

from flask_babel import gettext as _

_POWER: Final = re.compile(r"10[*^](-?\d{1,2})")
_NOTE: Final = re.compile(r"\{[^}]*\}")
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_KNOWN: Final = {"Cel": "°C", "[pH]": "pH", "mm[Hg]": "mmHg", "%": "%", "1": ""}


def unit(code: str) -> str:
    """A UCUM unit in plain writing; what is not known is left as the laboratory wrote it."""
    if code in _KNOWN:
        return _KNOWN[code]
    plain = _NOTE.sub("", code)
    plain = _POWER.sub(lambda found: "10" + found[1].translate(_RAISED), plain)
    plain = re.sub(r"\[iu\]", _("IU"), plain, flags=re.IGNORECASE)
    return re.sub(r"(?<![A-Za-z])u(?=[gLlm])", "µ", plain).strip("/ ") if plain else code
