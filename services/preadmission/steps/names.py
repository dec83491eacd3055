"""Countries and languages, in the page's own language (CLDR, through Babel)."""

import unicodedata
from typing import Any, Final

from babel import Locale
from flask_babel import get_locale
from flask_babel import gettext as _

from portal.web.fields import choices

_NO_COUNTRY: Final = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"})
"""What CLDR names beside countries: unions, places without inhabitants, codes for tests."""
_INTERPRETED: Final = (
    "am", "ar", "bg", "bm", "bn", "de", "el", "en", "es", "fa", "ff", "hi", "hr", "hu", "hy", "it", "ka", "kab", "ku",
    "ln", "mg", "nl", "pl", "ps", "pt", "ro", "ru", "sk", "so", "sq", "sr", "sw", "ta", "ti", "tr", "uk", "ur", "vi",
    "wo", "zh",
)  # fmt: skip
_SIGNED: Final = "fsl"
"""French Sign Language (ISO 639-3: no two-letter code exists)."""


def countries() -> list[Any]:
    """France, then the others by name."""
    names = {code: name for code, name in _locale().territories.items() if _is_country(code)}
    return choices([("FR", names["FR"]), *_sorted({code: name for code, name in names.items() if code != "FR"})])


def country(code: str) -> str:
    return str(_locale().territories.get(code, code))


def languages() -> list[Any]:
    """No interpreter, French Sign Language, then the languages by name."""
    spoken = {code: language(code) for code in _INTERPRETED}
    return choices([("", _("No, thank you")), (_SIGNED, language(_SIGNED)), *_sorted(spoken)])


def language(code: str) -> str:
    if code == _SIGNED:
        return str(_("French Sign Language (LSF)"))
    name = str(_locale().languages.get(code, code))
    return name[:1].upper() + name[1:]


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY


def _sorted(names: dict[str, str]) -> list[tuple[str, str]]:
    """As a dictionary of the language would, or nearly: without accents."""
    return sorted(names.items(), key=lambda pair: unicodedata.normalize("NFD", pair[1]).encode("ascii", "ignore"))


def _locale() -> Locale:
    return get_locale() or Locale("fr")
