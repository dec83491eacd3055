"""What the pages of hospitals say: steps before one opens, contrasts, and whom a closing touches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import url_for
from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.queries_hospitals import LEGAL_CONTACT, Readiness
from auth import guards
from portal import db
from portal.establishments import Establishment, Practitioner, Site, Unit
from portal.web import theme

STEPS: Final[Mapping[str, tuple[Any, Any, str]]] = {
    "contacts": (
        _l("Address and telephone"),
        _l("Read by patients on every page that names the hospital"),
        ".identity",
    ),
    "looks": (_l("Colour and logo"), _l("Worn by the pages of the hospital"), ".looks"),
    "sites": (_l("Sites"), _l("Where patients come"), ".structure"),
    "units": (_l("Units"), _l("Who receives them"), ".structure"),
    "practitioners": (_l("Practitioners"), _l("As patients know them"), ".structure"),
    "agents": (_l("Agents"), _l("Somebody else than you, with their rights"), "admin_staff.agents"),
    "legal": (_l("Data protection officer"), _l("Their address, told when something went wrong"), ".setting"),
    "reasons": (_l("Reasons for appointments"), _l("What patients come for, in each unit"), "admin_reasons.reasons"),
    "mailboxes": (
        _l("Secure mailboxes"),
        _l("MSSanté, to write to practitioners of the city"),
        "admin_mailboxes.boxes",
    ),
    "bill_sources": (
        _l("Sources of bills"),
        _l("Who issues them, and how they are paid"),
        "admin_bill_sources.sources",
    ),
    "his": (_l("The hospital’s system"), _l("Where appointments and stays are told"), "admin_subscriptions.settings"),
    "services": (
        _l("Services on offer"),
        _l("What patients may do, from which day: the last thing to switch on"),
        "admin_catalogue.overview",
    ),
}
"""Code of readiness → title, why, and the endpoint of its page."""

_PLURALS: Final[Mapping[str, Any]] = {
    "units": _l("Units that it holds"),
    "appointments": _l("Appointments booked after that day"),
    "stays": _l("Pre-admissions for stays after that day"),
    "referrals": _l("Referrals that wait for an answer"),
    "requests": _l("Requests for appointments that are open"),
    "waiting": _l("Patients on the waiting list"),
    "callbacks": _l("Practitioners who wait to be called back"),
    "questionnaires": _l("Questionnaires that wait for answers, or for somebody to see to an alert"),
    "exchanges": _l("Exchanges of messages that are not closed"),
    "practitioners": _l("Practitioners who receive there"),
    "agents": _l("Agents who work there"),
    "lines": _l("Direct lines"),
    "mailboxes": _l("Secure mailboxes"),
}
_PAGES: Final[Mapping[str, str]] = {
    "appointments": "admin_agendas.stranded",
    "stays": "admin_preadmission.tray",
    "referrals": "admin_referrals.tray",
    "requests": "admin_appointment_requests.tray",
    "waiting": "admin_waiting.waiting_list",
    "callbacks": "admin_callbacks.tray",
    "questionnaires": "admin_questionnaires.tray",
    "exchanges": "admin_exchanges.exchanges",
    "agents": "admin_staff.agents",
    "lines": "admin_lines.overview",
    "mailboxes": "admin_mailboxes.boxes",
}
_OF_A_UNIT: Final[Mapping[str, str]] = {
    "stays": "unite",
    "referrals": "unite",
    "questionnaires": "unit",
    "requests": "unit",
    "waiting": "unit",
    "exchanges": "unite",
}
"""How the address of a tray names one unit."""


@dataclass(frozen=True)
class Step:
    """One line of the list: what the hospital has of it, and where to go on."""

    title: Any
    hint: Any
    status: str
    tone: str
    href: str


def steps(hospital: Establishment, found: Readiness) -> Sequence[Step]:
    """In the order in which a hospital is opened."""
    return [_step(code, hospital, found) for code in STEPS]


def _step(code: str, hospital: Establishment, found: Readiness) -> Step:
    title, hint, endpoint = STEPS[code]
    number = found.found[code]
    if number:
        status = _("Done") if code in ("contacts", "looks", "legal", "his") else str(number)
        tone = "success"
    else:
        needed = code in found.needed
        status, tone = (_("To do"), "warning") if needed else (_("If needed"), "neutral")
    if endpoint.startswith("."):
        href = url_for(endpoint, finess=hospital.finess, key=LEGAL_CONTACT if code == "legal" else None)
        return Step(title, hint, status, tone, href)
    href = page_of(endpoint)
    return Step(title, hint if href else _("Another right than yours opens that page."), status, tone, href)


def page_of(endpoint: str) -> str:
    """The address of a page of another tray, "" when the agent holds not the right that it asks for."""
    right = guards.of(endpoint.partition(".")[0]).partition(":")[2]
    return url_for(endpoint) if right and db.current_actor().may(right) else ""


@dataclass(frozen=True)
class Ratio:
    """How well one colour stands out on another: measured, and the least that WCAG 2.2 asks for."""

    title: Any
    front: str
    back: str
    least: float

    @property
    def value(self) -> float:
        return theme.contrast(self.front, self.back)

    @property
    def written(self) -> str:
        """For the reader's language: `4,5 : 1`. Rounded down, so that 4.49 is not shown as enough."""
        return f"{format_decimal(int(self.value * 10) / 10)} : 1"

    @property
    def holds(self) -> bool:
        return self.value >= self.least


def ratios(colour: str) -> Sequence[Ratio]:
    """What the colour becomes on our pages, and the colour as it was given."""
    tokens = theme.tokens(colour)
    return [
        Ratio(_("The colour as given, in a text on white"), colour, theme.WHITE, 4.5),
        Ratio(_("Words of a button"), theme.WHITE, tokens["--app-action"], 4.5),
        Ratio(_("Links on the page"), tokens["--app-link"], theme.PAGE, 4.5),
        Ratio(_("Links on the tint"), tokens["--app-link"], tokens["--app-brand-soft"], 4.5),
        Ratio(_("Words of the footer"), theme.WHITE, tokens["--app-brand-deep"], 4.5),
    ]


@dataclass(frozen=True)
class Touched:
    """How many of something a closing touches, and the page that lists them, if the agent may open one."""

    title: Any
    number: int
    href: str


def touched(numbers: Mapping[str, int], member: Site | Unit | Practitioner) -> Sequence[Touched]:
    """Those that there are, the most urgent first; the tray of a unit that closes is its own."""
    return [Touched(_PLURALS[what], number, _tray(what, member)) for what, number in numbers.items() if number]


def _tray(what: str, member: Site | Unit | Practitioner) -> str:
    href = page_of(_PAGES.get(what, ""))
    is_its_own = href and isinstance(member, Unit) and what in _OF_A_UNIT
    return f"{href}?{_OF_A_UNIT[what]}={member.id}" if is_its_own else href


def name_of(member: Site | Unit | Practitioner) -> str:
    """As its title says it."""
    return member.full_name if isinstance(member, Practitioner) else member.name
