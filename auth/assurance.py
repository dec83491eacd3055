"""How well a session knows who is there, and how well each service wants to know it.

Levels, from the weakest: `single_factor` (a password), `two_factors`, `substantial` (eIDAS, by FranceConnect+). Our own
passkey or code on top of FranceConnect is a second factor; it says nothing of the civil identity, so it never makes
`substantial`. A service asks for the strictest minimum of the hospitals that publish it: a list mixes what comes from
several of them. Health data never asks for less than two factors.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, literal, null, select, union_all

from auth.sessions import SignedIn
from portal import audit, blanking, catalog, establishments
from portal.catalog import PublishedService
from portal.db import session
from portal.establishments import Establishment, EstablishmentSetting

SERVICES: Final = ("appointments", "preadmission", "questionnaires", "billing", "documents", "account")
LEVELS: Final = ("single_factor", "two_factors", "substantial")
MINIMUMS: Final = LEVELS[1:]
"""What a hospital may ask for; less would show health data behind a password."""
DEFAULT: Final = "two_factors"
KEEP_S: Final = 5
"""How long a process relies on the minimums it has read: a change is obeyed everywhere after that."""

KEY: Final = "assurance."
MAIL_CODES: Final = "mail_codes_reason"
LOCAL_ACCOUNTS: Final = "local_accounts"


class UnknownMinimum(Exception):
    """Not a service, or not a level that a hospital may ask for."""


@dataclass(frozen=True)
class Rules:
    """What the hospitals ask for today. mail_codes: all of them accept codes sent by mail, and said why.
    local_accounts: one of them at least lets patients in without an identity provider."""

    minimums: Mapping[str, str]
    mail_codes: bool
    local_accounts: bool
    read_at: float


class _Remembered:
    rules: Rules | None = None


def level(current: SignedIn) -> str:
    """How well this session knows who is there."""
    if current.provider == "franceconnect-plus" and current.acr in ("eidas2", "eidas3"):
        return "substantial"
    by_provider = "mfa" in current.amr or current.acr in ("eidas2", "eidas3")
    return "two_factors" if by_provider or _counts(current.factor) else "single_factor"


def suffices(current: SignedIn, service: str) -> bool:
    """Whether the session may open this service."""
    return LEVELS.index(level(current)) >= LEVELS.index(minimum(service))


def minimum(service: str) -> str:
    """The strictest level asked for by the hospitals where this service is open."""
    return rules().minimums.get(service, DEFAULT)


def rules() -> Rules:
    """The hospitals' rules; read again every few seconds, one statement."""
    known = _Remembered.rules
    if blanking.is_on():  # what is read here is blanked, and must not be remembered for others
        return known or Rules({}, False, False, 0)
    if known is None or time.monotonic() - known.read_at > KEEP_S:
        known = _Remembered.rules = _read()
    return known


def forget() -> None:
    """Read the rules again at the next request of this process."""
    _Remembered.rules = None


def change_minimum(establishment_id: UUID, service: str, minimum: str) -> None:
    """Set what a hospital asks for. Raises UnknownMinimum."""
    check_setting(f"{KEY}{service}", minimum)
    _change(establishment_id, f"{KEY}{service}", minimum)


def allow_mail_codes(establishment_id: UUID, reason: str) -> None:
    """Accept codes sent by mail as a second factor at this hospital, for this reason; "" forbids them again."""
    _change(establishment_id, MAIL_CODES, reason.strip())


def allow_local_accounts(establishment_id: UUID, allowed: bool) -> None:
    """Let patients of this hospital sign in without an identity provider, once invited at the desk."""
    _change(establishment_id, LOCAL_ACCOUNTS, "yes" if allowed else "")


def check_setting(key: str, value: str) -> None:
    """Raises UnknownMinimum for a minimum that would not be obeyed; other settings are none of our business."""
    if key.startswith(KEY) and (key.removeprefix(KEY) not in SERVICES or value not in MINIMUMS):
        raise UnknownMinimum(f"{key}: one of {', '.join(SERVICES)}, with one of {', '.join(MINIMUMS)}")


def settings_of(establishment_id: UUID) -> dict[str, str]:
    """What one hospital has set; what it has not set is missing."""
    query = select(EstablishmentSetting.key, EstablishmentSetting.value)
    found = session.execute(query.where(EstablishmentSetting.establishment_id == establishment_id, _is_a_rule()))
    return {row.key: row.value for row in found}


def _change(establishment_id: UUID, key: str, value: str) -> None:
    if value:
        establishments.change_setting(establishment_id, key, value)
    else:
        establishments.remove_setting(establishment_id, key)
    audit.record(
        "assurance.changed",
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
        key=key,
        value="yes" if value and key == MAIL_CODES else value,  # the words of its author are in the setting's history
    )
    session.flush()
    forget()


def _counts(factor: str) -> bool:
    """A mail code counts while the hospitals accept it; the desk's code only lets one choose another factor."""
    return factor in ("passkey", "totp", "sms", "recovery") or (factor == "mail" and rules().mail_codes)


def _is_a_rule() -> ColumnElement[bool]:
    key = EstablishmentSetting.key
    return (key.startswith(KEY)) | key.in_((MAIL_CODES, LOCAL_ACCOUNTS))


def _read() -> Rules:
    """One statement: the hospitals, what each has open today, what each has set."""
    is_open = catalog.open_on(establishments.today_in(Establishment.time_zone))
    opened = select(literal("open"), PublishedService.establishment_id, PublishedService.code, null())
    at_home = Establishment.id == PublishedService.establishment_id
    parts: list[Any] = [
        select(literal("hospital"), Establishment.id, null(), null()),
        opened.join(Establishment, at_home).where(is_open),
        select(
            literal("set"),
            EstablishmentSetting.establishment_id,
            EstablishmentSetting.key,
            EstablishmentSetting.value,
        ).where(_is_a_rule()),
    ]
    found = session.execute(union_all(*parts)).all()
    hospitals = {row[1] for row in found if row[0] == "hospital"}
    published = defaultdict(set)
    for kind, hospital, code, _value in found:
        if kind == "open":
            published[code].add(hospital)
    settings = {(row[1], row[2]): row[3] for row in found if row[0] == "set"}
    return Rules(
        {service: _strictest(hospitals if service == "account" else published[service], service, settings)
         for service in SERVICES},
        bool(hospitals) and all(settings.get((hospital, MAIL_CODES)) for hospital in hospitals),
        any(settings.get((hospital, LOCAL_ACCOUNTS)) == "yes" for hospital in hospitals),
        time.monotonic(),
    )  # fmt: skip


def _strictest(hospitals: Iterable[UUID], service: str, settings: Mapping[tuple[UUID, str], str]) -> str:
    asked = {settings.get((hospital, f"{KEY}{service}"), DEFAULT) for hospital in hospitals}
    return max((each for each in asked if each in MINIMUMS), key=LEVELS.index, default=DEFAULT)
