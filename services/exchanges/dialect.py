"""How one hospital's system writes what we name otherwise: its codes for units, reasons, practitioners, motives.

Kept as JSON in the hospital's settings (`his_dialect`); every key may be left out. See
docs/appointments-exchanges.md and docs/preadmission-exchanges.md.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from portal.gateways import his

SETTING = "his_dialect"
ADDRESS = "his_url"
CHARSETS = ("UNICODE UTF-8", "8859/15", "8859/1")
"""Table 0211, as French hospitals ask for (IHE PAM France)."""
_LONGEST = 100
_MOST = 2000


def check_setting(key: str, value: str) -> bool:
    """Before a setting of a hospital is written: whether it holds addresses, which few may read. Raises
    UnsupportedUrl, NotADialect."""
    if key == ADDRESS:
        his.check(value)
    if key == SETTING:
        read(value)
    return key == ADDRESS


_checks: list[Callable[["Dialect"], None]] = []


def check_with(check: Callable[["Dialect"], None]) -> None:
    """Let a room look at what concerns it in a description of codes: it raises NotADialect."""
    if check not in _checks:
        _checks.append(check)


class NotADialect(ValueError):
    """Not a description of codes; the message says what to change."""


@dataclass(frozen=True)
class Dialect:
    """application, facility: our name in MSH-3 and MSH-4 (the FINESS number when empty); receiving_*: theirs.

    ipp_authority: PID-3.4, as namespace, OID, type. units, sites, reasons, practitioners, motives: our code → theirs
    (UF, geographical FINESS, id of a reason, RPPS, reason of a cancellation or of an absence). charset, pam_version:
    MSH-18 and the national version in MSH-12 of messages about stays.
    """

    application: str = "PARVIS"
    facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    version: str = "2.5"
    processing: str = "P"
    ipp_authority: tuple[str, ...] = ()
    with_offset: bool = True
    with_ins: bool = True
    cancelled_because: str = "patient_asked"
    charset: str = "UNICODE UTF-8"
    pam_version: str = "2.11"
    units: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    practitioners: Mapping[str, str] = field(default_factory=dict)
    motives: Mapping[str, str] = field(default_factory=dict)

    def named(self, finess: str) -> "Dialect":
        """With the hospital's number where nothing else is said."""
        return self if self.facility else replace(self, facility=finess)

    def rpps(self, code: str) -> str:
        """The RPPS number of a practitioner by the hospital's code; national identifiers are an 8, then it."""
        known = _turned(self.practitioners).get(code)
        return known or (code[1:] if len(code) == 12 and code.startswith("8") else code)

    def motive(self, code: str) -> str:
        """Our word for their motive; the same one when the table says nothing of it."""
        return _turned(self.motives).get(code, code)


def _turned(table: Mapping[str, str]) -> Mapping[str, str]:
    return {theirs: ours for ours, theirs in table.items()}


def read(text: str) -> Dialect:
    """Raises NotADialect."""
    if not text.strip():
        return Dialect()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise NotADialect("this is not JSON") from None
    if not isinstance(found, dict):
        raise NotADialect("this is not a JSON object")
    known = {each.name: each.default for each in fields(Dialect)}
    if unknown := found.keys() - known.keys():
        raise NotADialect(f"unknown: {', '.join(sorted(map(str, unknown)))[:200]}")
    dialect = Dialect(**{name: _checked(name, value) for name, value in found.items()})
    for check in _checks:
        check(dialect)
    return dialect


_TABLES = ("units", "sites", "reasons", "practitioners", "motives")
_SWITCHES = ("with_offset", "with_ins")


def _checked(name: str, value: Any) -> Any:
    if name in _TABLES:
        return _table(name, value)
    if name in _SWITCHES:
        if not isinstance(value, bool):
            raise NotADialect(f"{name} is true or false")
        return value
    if name == "ipp_authority":
        if not isinstance(value, list) or len(value) > 3 or not all(_is_code(each) for each in value):
            raise NotADialect("ipp_authority is a list: namespace, OID, type")
        return tuple(value)
    if name == "charset" and value not in CHARSETS:
        raise NotADialect(f"charset is one of {', '.join(CHARSETS)}")
    if not _is_code(value):
        raise NotADialect(f"{name} is a text of {_LONGEST} characters at most")
    return value


def _table(name: str, value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or len(value) > _MOST or not all(map(_is_code, value.values())):
        raise NotADialect(f"{name} is an object: our code, then theirs")
    if len(set(value.values())) != len(value):
        raise NotADialect(f"{name}: two of our codes have the same one there")
    return dict(value)


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and value.isprintable()
