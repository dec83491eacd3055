"""Indicators of use (domain catalogue, section 5.2): U4, U5, U7, U8, and I2, links with the hospital's own numbers."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from auth import acts
from portal import kpi
from portal.kpi import Definition, Figure, Period
from portal.kpi.formulas import number, out_of_the_hospitals, people

_USERS: Final = ("patient", "professional")
_OPENED, _REFUSED, _LINKED, _UNLINKED = "session_opened", "sign_in_refused", "link_made", "link_undone"
_BY_THEMSELVES: Final = ("letter", "number", "pushed")
"""Proofs of a link that needed no agent."""


def definitions() -> Iterator[Definition]:
    """All of them."""
    yield from _of_services()
    yield from _of_doors()
    yield from _of_links()


def _of_services() -> Iterator[Definition]:
    words: dict[str, tuple[str, Any]] = {
        "appointments": ("U5a", _l("People who used appointments")),
        "preadmission": ("U5b", _l("People who sent a pre-admission")),
        "billing": ("U5c", _l("People who began a payment")),
        "documents": ("U5d", _l("People who opened or sent a document")),
        "messages": ("U5e", _l("People who wrote a message")),
        "questionnaires": ("U5f", _l("People who answered a questionnaire")),
        "referrals": ("U5g", _l("People who sent a referral")),
    }
    for service, (code, title) in words.items():
        event = acts.event(service)
        yield Definition(
            code,
            title,
            _l("Distinct accounts that did something in this service, in the month of the last day"),
            "",
            people(event, *_USERS),
            event=event,
            portal=True,
            by_month=True,
            service="preadmission" if service == "questionnaires" else service,
            events=(event,),
            better="up",
            of_people=True,
        )
    events = tuple(acts.event(service) for service in acts.SERVICES)
    yield Definition(
        "U8",
        _l("Share of proxies"),
        _l("What people did for somebody else (a child, a protected adult, a practitioner)"),
        _l("What signed-in people did in the services"),
        _by_proxy,
        unit="rate",
        event=acts.event("appointments"),
        service="portal",
        events=events,
        of_people=True,
    )


def _by_proxy(period: Period) -> Figure:
    events = [acts.event(service) for service in acts.SERVICES]
    return Figure(
        sum(kpi.counted(each, period, dimension=acts.PROXY) for each in events),
        sum(kpi.counted(each, period) for each in events),
    )


def _of_doors() -> Iterator[Definition]:
    yield Definition(
        "U7",
        _l("Failed sign-ins"),
        _l("Sign-ins that were refused, at any door"),
        _l("Sign-ins that succeeded or were refused, at any door"),
        _failed,
        unit="rate",
        event=_REFUSED,
        portal=True,
        service="portal",
        events=(_REFUSED, _OPENED),
        better="down",
    )
    for code, title, door in (
        ("U7a", _l("Sign-ins by FranceConnect"), "franceconnect"),
        ("U7b", _l("Sign-ins by FranceConnect+"), "franceconnect-plus"),
        ("U7c", _l("Sign-ins by Pro Santé Connect"), "prosanteconnect"),
    ):
        yield Definition(
            code,
            title,
            _l("Sessions of patients and practitioners opened by this door"),
            _l("Sessions of patients and practitioners"),
            _by_door(door),
            unit="rate",
            event=_OPENED,
            portal=True,
            service="portal",
            events=(_OPENED,),
            of_people=True,
        )


def _failed(period: Period) -> Figure:
    refused = kpi.counted(_REFUSED, period.portal)
    return Figure(refused, refused + kpi.counted(_OPENED, period.portal))


def _by_door(door: str) -> Callable[[Period], Figure]:
    return lambda period: Figure(
        sum(kpi.counted(_OPENED, period.portal, audience=each, dimension=door) for each in _USERS),
        sum(kpi.counted(_OPENED, period.portal, audience=each) for each in _USERS),
    )


def _of_links() -> Iterator[Definition]:
    yield Definition(
        "U4",
        _l("Enrolment of the hospital’s patients"),
        _l("Patients whose account is linked to their number at the hospital, at the end of the period"),
        _l("Active patients of the hospital, by its own count in the period"),
        out_of_the_hospitals(_linked, "active_patients"),
        unit="rate",
        event=_LINKED,
        missing=_l("The hospital’s count of active patients"),
        service="portal",
        events=(_LINKED, _UNLINKED),
        better="up",
        of_people=True,
    )
    yield Definition(
        "I2",
        _l("Accounts linked without an agent"),
        _l("Links between an account and the hospital’s number that needed no agent"),
        _l("Links made, not proven or refused"),
        _alone,
        unit="rate",
        event=_LINKED,
        service="portal",
        events=(_LINKED, "link_not_proven", "link_refused"),
        better="up",
        of_people=True,
    )
    yield Definition(
        "I2a",
        _l("Wrong links"),
        _l("Links undone because they were wrong, on the day they were undone: must be 0"),
        "",
        number(_UNLINKED),
        event=_UNLINKED,
        service="portal",
        events=(_UNLINKED,),
        better="down",
        of_people=True,
    )


def _linked(period: Period) -> int:
    return max(kpi.stock(_LINKED, period, less=_UNLINKED), 0)


def _alone(period: Period) -> Figure:
    alone = sum(kpi.counted(_LINKED, period, dimension=each) for each in _BY_THEMSELVES)
    tries = sum(kpi.counted(each, period) for each in (_LINKED, "link_not_proven", "link_refused"))
    return Figure(alone, tries)
