"""Fictional requests for appointments, in each state."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from auth.models import Account, Patient, PatientAccess
from portal import calendar, db
from portal.db import Actor, session
from portal.establishments import Unit
from services.appointments.models import Reason
from services.appointments.requests import actions, queries
from services.appointments.requests.actions import Asked
from services.appointments.requests.models import AppointmentRequest
from services.appointments.wishes import Wishes
from tests.factories import people

if TYPE_CHECKING:
    from tests.factories.demonstration import World


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Whoever asks or answers is named in the history."""
    system = db.current_actor()
    db.act_as(actor)
    try:
        yield
    finally:
        db.act_as(system)


def asked_by(person: Patient, unit_name: str, reason_name: str = "", **facts: object) -> AppointmentRequest:
    """What this person asks a unit for, with their own account."""
    account = session.scalars(
        select(Account)
        .join(PatientAccess, PatientAccess.account_id == Account.id)
        .where(PatientAccess.patient_id == person.id, PatientAccess.relation == "self")
    ).one()
    unit = session.scalars(select(Unit).where(Unit.name == unit_name)).one()
    reasons = select(Reason).where(Reason.unit_id == unit.id, Reason.name == reason_name)
    reason = session.scalars(reasons).one_or_none()
    first = calendar.civil_day(db.now(), unit.establishment.tz) + timedelta(days=7)
    wishes = Wishes([(first, first + timedelta(days=28))], **facts.pop("wishes", {}))  # type: ignore[arg-type]  # facts of any field
    with acting(people.as_patient(account, person)):
        made = actions.send(
            person.id,
            Asked(
                session.get_one(Unit, unit.id),
                session.get_one(Reason, reason.id) if reason else None,
                wishes,
                "06 39 98 00 12",
                str(facts.get("text", "")),
            ),
        )
    return session.get_one(AppointmentRequest, made.id)


def demonstrate(world: "World") -> None:
    """One that waits, one that is late, one that lacks something, two times proposed, a refusal."""
    agent, patients = world.agents["appointments-agent"], world.patients
    here = frozenset({world.north.establishment.id, world.south.establishment.id})
    desk = Actor("staff", agent.name, agent.id, rights={"appointments": here})
    stress = ("Cardiologie", "Épreuve d’effort")
    proposed = asked_by(patients["dominique"], *stress, wishes={"weekdays": [1, 3]})
    late = asked_by(patients["suzanne"], *stress, text="Je viens en ambulance, plutôt en fin de matinée.")
    asked_by(patients["yacine"], "Ophtalmologie", wishes={"half": "afternoon"})
    lacking = asked_by(patients["camille"], "Maternité et gynécologie", text="Je peux me libérer rapidement.")
    refused = asked_by(patients["dominique"], "Chirurgie ambulatoire", text="Comment préparer ma venue ?")
    with acting(desk):
        _propose(proposed)
        actions.ask_more(session.get_one(AppointmentRequest, lacking.id), "Pouvez-vous joindre le courrier reçu ?")
        advice = "Le service vous appellera pour fixer la date : vous n’avez rien à réserver."
        actions.refuse(session.get_one(AppointmentRequest, refused.id), "not_needed", advice)
    since = db.now() - timedelta(days=6)
    session.execute(
        update(AppointmentRequest)
        .where(AppointmentRequest.id == late.id)
        .values(sent_at=since, changed_at=since, due_at=since + timedelta(days=4))
    )


def _propose(request: AppointmentRequest) -> None:
    """The first two times that suit."""
    asked = session.get_one(AppointmentRequest, request.id)
    assert asked.reason is not None, "the demonstration's request says why"
    found = queries.times(asked.reason, asked.reason.window("phone", db.now()), asked.wishes)
    days = {each.at.date(): each.slot for each in reversed(found)}
    chosen = [days[day] for day in sorted(days)[:2]]
    if chosen:
        actions.propose(asked, asked.reason.id, chosen, 3)
