"""The pages of figures: one for each digital service, with its figures, the first of them, and its drawings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition


@dataclass(frozen=True)
class Service:
    """A page of figures. main: the codes of the rates that are drawn with their target, the first one above all."""

    code: str
    title: Any
    icon: str
    main: tuple[str, ...] = ()

    @property
    def definitions(self) -> Sequence[Definition]:
        """Its figures, in the order of the catalogue."""
        return sorted((each for each in kpi.definitions() if _of(each) == self.code), key=lambda each: _rank(each.code))

    @property
    def drawn(self) -> Sequence[Definition]:
        """The figures that are drawn with their target."""
        known = {each.code: each for each in self.definitions}
        return [known[code] for code in self.main if code in known]


PORTAL, OFFER = "portal", "offer"
SERVICES = {
    each.code: each
    for each in (
        Service(PORTAL, _l("The portal and its users"), "users", ("U1", "U2", "U6")),
        Service(OFFER, _l("What is on offer, and whether it works"), "activity", ("O3",)),
        Service("appointments", _l("Appointments"), "calendar-days", ("R2a", "R2b", "R7")),
        Service("preadmission", _l("Pre-admissions and their pieces"), "clipboard-list", ("P2", "P4")),
        Service("billing", _l("Payments"), "credit-card", ("F2",)),
        Service("documents", _l("Documents"), "file-text", ("D3",)),
        Service("messages", _l("Messages and correspondents"), "mail", ("M4",)),
        Service("referrals", _l("Referrals"), "stethoscope", ("C1",)),
        Service("satisfaction", _l("Satisfaction"), "message-square", ("S1",)),
        Service("security", _l("Security"), "shield-check"),
    )
}
HOME = (("O1", ""), ("U2", ""), ("U3", ""), ("R1", "R2a"), ("P1", "P2"), ("D1", ""))
"""The six tiles of the first page, each with the rate written under it (domain catalogue, section 5.3)."""


def services() -> Sequence[Service]:
    """The pages that have figures, in reading order; a service that we have no words for comes last."""
    used = {_of(each) for each in kpi.definitions()}
    unknown = [Service(code, code, "chart-column") for code in sorted(used - set(SERVICES))]
    return [each for each in SERVICES.values() if each.code in used] + unknown


def service(code: str) -> Service | None:
    """The page of this name, if it has figures."""
    return next((each for each in services() if each.code == code), None)


def service_of(definition: Definition) -> Service:
    return service(_of(definition)) or SERVICES[PORTAL]


def home() -> Sequence[tuple[Definition, Definition | None]]:
    """The figures of the first page, with the rate that goes with each."""
    known = {each.code: each for each in kpi.definitions()}
    return [(known[code], known.get(rate)) for code, rate in HOME if code in known]


def _of(definition: Definition) -> str:
    """The figures of the portal are on two pages: its users, and (families O and A of the catalogue) what it offers
    them."""
    service = definition.service or PORTAL
    return OFFER if service == PORTAL and definition.code.startswith(("O", "A")) else service


def _rank(code: str) -> tuple[str, int, str]:
    """`R2a` before `R10`."""
    letters = code.rstrip("0123456789abcdefghijklmnopqrstuvwxyz") or code
    rest = code[len(letters) :]
    digits = rest.rstrip("abcdefghijklmnopqrstuvwxyz")
    return letters, int(digits) if digits.isdigit() else 0, rest[len(digits) :]
