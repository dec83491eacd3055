"""What the parser is made of: faults with their places, single values, words and their translations, extensions."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.questionnaires.definition.items import Coding, Words

MOST_BYTES = 256 * 1024
MOST_ITEMS = 200
MOST_OPTIONS = 60
DEEPEST = 5
LONGEST_TEXT = 1500
LONGEST_ANSWER = 4000

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
LOWEST = "http://hl7.org/fhir/StructureDefinition/minValue"
HIGHEST = "http://hl7.org/fhir/StructureDefinition/maxValue"
UNIT = "http://hl7.org/fhir/StructureDefinition/questionnaire-unit"
ALERT = "urn:parvis:questionnaire-alert"
"""Ours. On an option or a boolean item: `valueBoolean` (of an item: the answer that is one). On a number: `below` and
`above` inside it."""
MINUTES = "urn:parvis:questionnaire-minutes"

_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They change the direction of what follows (Unicode 9, section 2)."""
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", re.ASCII)
_CODE = re.compile(r"[^\s]+( [^\s]+)*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True)
class Fault:
    """One thing to correct. where: `item[2].answerOption[0]`, "" for the whole. what: a code; about: what it names."""

    where: str
    what: str
    about: str = ""


class Unreadable(Exception):
    """The definition has faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(*faults)
        self.faults = faults


def load(data: bytes | str) -> Any:
    """JSON with exact numbers. Raises Unreadable."""
    if len(data if isinstance(data, bytes) else data.encode("utf-8", "replace")) > MOST_BYTES:
        raise Unreadable([Fault("", "too_big")])
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_no_twins)
    except _Twice as twice:
        raise Unreadable([Fault("", "key_twice", ascii(str(twice))[:80])]) from None
    except json.JSONDecodeError as error:
        raise Unreadable([Fault(f"{error.lineno}:{error.colno}", "not_json")]) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Unreadable([Fault("", "not_json")]) from error


class _Twice(ValueError):
    pass


def _refuse(name: str) -> None:
    raise ValueError(name)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 8259 lets readers choose among repeated names: another one would ask something else."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(name)
        found[name] = value
    return found


class Reading:
    """Reads on after a fault, so that the author corrects everything at once."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, where: str, what: str, about: object = "") -> None:
        if len(self.faults) < 100:  # a hostile file must not fill a page
            self.faults.append(Fault(_shown(where), what, _shown(_named(about))))

    def flag(self, told: dict[str, Any], name: str, where: str) -> bool:
        value = told.get(name, False)
        if not isinstance(value, bool):
            self.fault(f"{where}.{name}", "not_yes_or_no", value)
        return value is True

    def extension(self, told: dict[str, Any], where: str, allowed: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        """url → extension, those we know; each once."""
        given = told.get("extension", [])
        place = f"{where}.extension" if where else "extension"
        if not isinstance(given, list):
            self.fault(place, "not_a_list")
            return {}
        found: dict[str, dict[str, Any]] = {}
        for each in given:
            url = each.get("url") if isinstance(each, dict) else None
            if url not in allowed or url in found:
                self.fault(place, "unknown_extension", url)
            else:
                found[url] = each
        return found

    def number(self, value: Any, where: str) -> Decimal | None:
        found = decimal_of(value)
        if found is None:
            self.fault(where, "bad_number", value)
        return found

    def coding(self, told: Any, where: str) -> Coding:
        code, system = (told.get("code"), told.get("system", "")) if isinstance(told, dict) else (None, "")
        good = isinstance(code, str) and len(code) <= 64 and _CODE.fullmatch(code) and is_plain(code)
        if not good or not isinstance(system, str) or len(system) > 200 or not is_plain(system):
            self.fault(where, "bad_code", code)
            return Coding(where)
        return Coding(str(code), system)

    def words(self, told: dict[str, Any], name: str, where: str) -> Words:
        where = f"{where}.{name}" if where else name
        text = told.get(name)
        if not is_text(text):
            self.fault(where, "bad_text" if text else "no_text")
            return Words("")
        return Words(str(text).strip(), self._translations(told.get(f"_{name}"), where))

    def _translations(self, beside: Any, where: str) -> dict[str, str]:
        if beside is None:
            return {}
        if not isinstance(beside, dict) or not isinstance(beside.get("extension", []), list):
            self.fault(where, "bad_translation")
            return {}
        self.known(beside, where, {"extension", "id"})
        found: dict[str, str] = {}
        for each in beside.get("extension", []):
            language, text = _translation(each)
            if not language or language in found:
                self.fault(where, "bad_translation", language)
            else:
                found[language] = text
        return found

    def known(self, told: Mapping[str, Any], where: str, names: set[str]) -> None:
        for name in told:
            if name not in names:
                self.fault(f"{where}.{name}" if where else name, "not_supported", name)


# -- single values -------------------------------------------------------------------------------------------------


def _named(value: object) -> str:
    """A value of the file; of a list or an object only that it is one, since it may be deeper than can be written."""
    if isinstance(value, (list, dict)):
        return "[…]" if isinstance(value, list) else "{…}"
    return str(value)


def _shown(text: str) -> str:
    """A name of the file as a page may show it."""
    return "".join("?" if _is_odd(sign) else sign for sign in text[:80])


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def decimal_of(value: Any) -> Decimal | None:
    """A number of a file, exactly; None for anything else, and for what nobody measures."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    found = value if isinstance(value, Decimal) else Decimal(str(value))
    is_usual = (
        found.is_finite() and found.copy_abs() < 10**12 and len(found.as_tuple().digits) <= 15 and found.adjusted() > -9
    )
    return found if is_usual else None


def day_of(value: Any) -> date | None:
    if not (isinstance(value, str) and _DAY.fullmatch(value)):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def is_plain(text: str) -> bool:
    """No sign that a page or PostgreSQL would choke on, or that turns the text around it."""
    return plain(text) == text


def plain(text: str) -> str:
    """The text without such signs. Spaces of all kinds stay: French has some that may not break."""
    return "".join(sign for sign in text if sign in "\n\t" or not _is_odd(sign))


def _is_odd(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cs") or sign in _TURNING


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST_TEXT and is_plain(value)


def _translation(told: Any) -> tuple[str, str]:
    """(language, text) of a translation extension; ("", "") for anything else."""
    if not isinstance(told, dict) or told.get("url") != TRANSLATION:
        return "", ""
    parts: dict[str, Any] = dict(_parts(told.get("extension")))
    language, text = parts.get("lang"), parts.get("content")
    if not (isinstance(language, str) and LANGUAGE.fullmatch(language) and is_text(text)):
        return "", ""
    return language, str(text).strip()


def _parts(told: Any) -> Iterator[tuple[str, Any]]:
    for each in told if isinstance(told, list) else ():
        if isinstance(each, dict) and isinstance(each.get("url"), str):
            yield each["url"], each.get("valueCode", each.get("valueString", each.get("valueMarkdown")))
