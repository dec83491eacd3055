"""Hospitals as their administrators see them: what they are made of, what still lacks before they open, whom a closing
touches."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, literal, select
from sqlalchemy.orm import joinedload

from admin.actions_structure import Member
from auth.agents import administrators
from auth.agents.models import StaffUnit
from auth.models import StaffInvitation, StaffRight
from portal import calendar, db
from portal.catalog import PublishedService, open_on
from portal.db import session
from portal.establishments import (
    Establishment,
    EstablishmentLogo,
    EstablishmentSetting,
    Practitioner,
    SettingChange,
    Site,
    Unit,
    UnitClosing,
    goes_on,
    today_in,
)
from services.appointments import states as appointment_states
from services.appointments.models import Appointment, Reason
from services.appointments.requests import states as request_states
from services.appointments.requests.models import AppointmentRequest
from services.appointments.waiting import states as waiting_states
from services.appointments.waiting.models import WaitingEntry
from services.billing.sources.models import BillSource
from services.documents.exchanges.models import Exchange
from services.documents.mailboxes.models import Mailbox
from services.lines import states as line_states
from services.lines.models import Callback, Line
from services.preadmission.models import OPEN_STATES, Preadmission
from services.questionnaires import states as questionnaire_states
from services.questionnaires.models import SentQuestionnaire
from services.referrals import states as referral_states
from services.referrals.models import ReferralTarget

LEGAL_CONTACT = "data_protection_email"
HIS = "his_url"


def hospitals(here: Collection[UUID]) -> Sequence[Row[Any]]:
    """Each with how many sites and units are not closed, and how many services are open. One statement."""
    today = today_in(Establishment.time_zone)
    query = select(
        Establishment,
        _how_many(Site, Site.establishment_id == Establishment.id, goes_on(Site.closes_on, today)).label("sites"),
        _how_many(Unit, Unit.establishment_id == Establishment.id, goes_on(Unit.closes_on, today)).label("units"),
        _how_many(PublishedService, PublishedService.establishment_id == Establishment.id, open_on(today)).label(
            "services"
        ),
    )
    return session.execute(query.where(Establishment.id.in_(here)).order_by(Establishment.name)).all()


def hospital(finess: str, here: Collection[UUID]) -> Establishment | None:
    return session.scalar(
        select(Establishment).where(Establishment.finess == finess, Establishment.id.in_(here))
    )  # fmt: skip


def logo(establishment_id: UUID) -> EstablishmentLogo | None:
    return session.get(EstablishmentLogo, establishment_id)


# -- structure ---------------------------------------------------------------------------------------------------


def sites(establishment_id: UUID) -> Sequence[Site]:
    return session.scalars(select(Site).where(Site.establishment_id == establishment_id).order_by(Site.name)).all()


def units(establishment_id: UUID) -> Sequence[Unit]:
    """With their sites."""
    query = select(Unit).join(Unit.site).options(joinedload(Unit.site)).order_by(Site.name, Unit.name, Unit.uf)
    return session.scalars(query.where(Unit.establishment_id == establishment_id)).all()


def practitioners(establishment_id: UUID) -> Sequence[Practitioner]:
    """With their units."""
    query = select(Practitioner).options(joinedload(Practitioner.unit))
    order = (Practitioner.family_name, Practitioner.given_name, Practitioner.rpps)
    return session.scalars(query.where(Practitioner.establishment_id == establishment_id).order_by(*order)).all()


def member(model: type[Any], member_id: UUID, establishment_id: UUID) -> Any:
    """A site, a unit or a practitioner of the hospital; None otherwise."""
    return session.scalar(select(model).where(model.id == member_id, model.establishment_id == establishment_id))


def closing(unit_id: UUID) -> UnitClosing | None:
    """What was chosen for the unit's last day."""
    return session.get(UnitClosing, unit_id)


# -- whom a closing touches --------------------------------------------------------------------------------------


def touched(member: Member, last_on: date, tz: Any) -> Mapping[str, int]:
    """What is expected after that day, and who works there: what → how many, never who. One statement, as the system:
    an administrator need not be let into the files to know that there are some."""
    after = calendar.to_utc_or_after(last_on + timedelta(days=1), time(), tz)
    parts = (
        _at_practitioner(member.id, after)
        if isinstance(member, Practitioner)
        else _at_place(member, last_on, after, calendar.civil_day(db.now(), tz))
    )
    with administrators.as_the_system("hospitals.touched"):
        found = session.execute(select(*(part.label(name) for name, part in parts.items()))).one()
    return {name: int(number) for name, number in zip(parts, found, strict=True)}


def _at_practitioner(practitioner_id: UUID, after: datetime) -> Mapping[str, Any]:
    return {
        "appointments": _how_many(
            Appointment, Appointment.practitioner_id == practitioner_id, *_expected(after)
        ),
    }  # fmt: skip


def _at_place(place: Site | Unit, last_on: date, after: datetime, today: date) -> Mapping[str, Any]:
    inside = (
        select(Unit.id).where(Unit.site_id == place.id) if isinstance(place, Site) else select(literal(place.id))
    ).scalar_subquery()  # fmt: skip
    still_here = goes_on(Practitioner.leaves_on, today)
    parts = {
        "appointments": _how_many(Appointment, Appointment.unit_id.in_(inside), *_expected(after)),
        "stays": _how_many(
            Preadmission,
            Preadmission.unit_id.in_(inside),
            Preadmission.state.in_(OPEN_STATES),
            Preadmission.planned_on > last_on,
        ),
        "referrals": _how_many(
            ReferralTarget, ReferralTarget.unit_id.in_(inside), ReferralTarget.state.in_(referral_states.OPEN)
        ),
        "requests": _how_many(
            AppointmentRequest,
            AppointmentRequest.unit_id.in_(inside),
            AppointmentRequest.state.in_(request_states.OPEN),
        ),
        "waiting": _how_many(
            WaitingEntry, WaitingEntry.unit_id.in_(inside), WaitingEntry.state == waiting_states.WAITING
        ),
        "callbacks": _how_many(Callback, Callback.unit_id.in_(inside), Callback.state.in_(line_states.OPEN)),
        "questionnaires": _how_many(
            SentQuestionnaire,
            SentQuestionnaire.unit_id.in_(inside),
            SentQuestionnaire.state.in_(questionnaire_states.OPEN)
            | (SentQuestionnaire.alert == questionnaire_states.ALERT_OPEN),
        ),
        "exchanges": _how_many(Exchange, Exchange.unit_id.in_(inside), Exchange.state != "closed"),
        "practitioners": _how_many(Practitioner, Practitioner.unit_id.in_(inside), still_here),
        "agents": _how_many(StaffUnit, StaffUnit.unit_id.in_(inside)),
        "lines": _how_many(Line, Line.unit_id.in_(inside), Line.is_open.is_(True), Line.removed_at.is_(None)),
        "mailboxes": _how_many(Mailbox, Mailbox.unit_id.in_(inside), Mailbox.closed_at.is_(None)),
    }
    if isinstance(place, Site):
        parts = {"units": _how_many(Unit, Unit.site_id == place.id, goes_on(Unit.closes_on, today))} | parts
    return parts


def _expected(after: datetime) -> Sequence[ColumnElement[bool]]:
    return (Appointment.state == appointment_states.BOOKED, Appointment.start_at >= after)


# -- ready to open -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Readiness:
    """What a hospital has of what it needs: code → how many (0: it lacks). Codes are those of the page."""

    found: Mapping[str, int]
    needed: Collection[str]

    @property
    def missing(self) -> Sequence[str]:
        return [code for code in self.needed if not self.found[code]]


NEEDED = ("contacts", "sites", "units", "practitioners", "reasons", "services", "legal", "agents")
"""Without these nobody should be received; the rest (`looks`, `mailboxes`, `bill_sources`, `his`) depends on what
opens."""


def readiness(hospital: Establishment) -> Readiness:
    """Two statements."""
    here, me = hospital.id, db.current_actor().account_id
    today = calendar.civil_day(db.now(), hospital.tz)
    parts = {
        "sites": _how_many(Site, Site.establishment_id == here, goes_on(Site.closes_on, today)),
        "units": _how_many(Unit, Unit.establishment_id == here, goes_on(Unit.closes_on, today)),
        "practitioners": _how_many(
            Practitioner, Practitioner.establishment_id == here, goes_on(Practitioner.leaves_on, today)
        ),
        "services": _how_many(
            PublishedService, PublishedService.establishment_id == here, PublishedService.closed_on.is_(None)
        ),
        "looks": _how_many(EstablishmentLogo, EstablishmentLogo.establishment_id == here),
        "legal": _how_many(EstablishmentSetting, *_setting(here, LEGAL_CONTACT), EstablishmentSetting.value != ""),
        "his": _how_many(EstablishmentSetting, *_setting(here, HIS)),
    }
    # What follows has tables that a plain administrator reads in part: only the number of rows leaves.
    behind = {
        "reasons": _how_many(Reason, Reason.establishment_id == here),
        "mailboxes": _how_many(Mailbox, Mailbox.establishment_id == here, Mailbox.closed_at.is_(None)),
        "bill_sources": _how_many(BillSource, BillSource.establishment_id == here),
        "agents": _how_many(StaffRight, StaffRight.establishment_id == here, StaffRight.account_id != me)
        + _how_many(StaffInvitation, StaffInvitation.establishment_id == here),
    }
    known = _counted(parts)
    with administrators.as_the_system("hospitals.readiness"):
        known |= _counted(behind)
    session.refresh(hospital)
    known["contacts"] = int(bool(hospital.address and (hospital.phone or hospital.email)))
    return Readiness(known, NEEDED)


def _counted(parts: Mapping[str, Any]) -> dict[str, int]:
    found = session.execute(select(*(part.label(name) for name, part in parts.items()))).one()
    return {name: int(number) for name, number in zip(parts, found, strict=True)}


# -- settings ----------------------------------------------------------------------------------------------------


def own_settings(establishment_id: UUID) -> Mapping[str, EstablishmentSetting]:
    """What the hospital has set, by key."""
    query = select(EstablishmentSetting).where(EstablishmentSetting.establishment_id == establishment_id)
    return {each.key: each for each in session.scalars(query)}


def setting_change(change_id: UUID, establishment_id: UUID, key: str) -> SettingChange | None:
    """One line of a setting's history."""
    return session.scalar(
        select(SettingChange).where(
            SettingChange.id == change_id,
            SettingChange.establishment_id == establishment_id,
            SettingChange.key == key,
        )
    )


def _setting(establishment_id: UUID, key: str) -> Sequence[ColumnElement[bool]]:
    return (EstablishmentSetting.establishment_id == establishment_id, EstablishmentSetting.key == key)


def _how_many(model: type[Any], *conditions: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(model).where(*conditions).scalar_subquery()
