"""Row-level security of the room: each table is closed to whom it does not concern, whatever the queries forget."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import ProgrammingError

from portal import db
from portal.db import ANONYMOUS, Actor, session
from services.appointments import actions
from services.appointments.models import (
    Appointment,
    AppointmentChange,
    Claim,
    ConsultationSession,
    Reason,
    SessionReason,
)
from tests.factories import hospitals, people
from tests.services.appointments.conftest import Ground

PERSONAL = (Appointment, AppointmentChange, Claim)
PUBLIC = (Reason, ConsultationSession, SessionReason)
STRANGERS = ("anonymous", "other_patient", "other_hospital", "other_right", "practitioner")


@dataclass(frozen=True)
class Cast:
    ground: Ground
    made: Appointment
    actors: dict[str, Actor]


@pytest.fixture
def cast(ground: Ground) -> Cast:
    """One appointment, the people it concerns, and strangers of every kind."""
    here = ground.hospital.establishment.id
    with db.transaction(db.system("tests")):
        elsewhere = hospitals.hospital("990000025", "Autre hôpital").establishment.id
        account, other = people.patient_with_account(birth_name="AUTRE")
        agent, clerk = people.agent(here, "appointments"), people.agent(here, "billing", "preadmission", "documents")
        far = people.agent(elsewhere, "appointments")
        doctor = people.professional()
    with db.transaction(ground.actor):
        made = actions.book(ground.patient.id, ground.reason.id, ground.slot())
    return Cast(
        ground,
        made,
        {
            "anonymous": ANONYMOUS,
            "other_patient": people.as_patient(account, other),
            "other_hospital": people.as_agent(far, elsewhere, "appointments"),
            "other_right": people.as_agent(clerk, here, "billing", "preadmission", "documents"),
            "practitioner": people.as_professional(doctor),
            "agent": people.as_agent(agent, here, "appointments"),
            "patient": ground.actor,
        },
    )


def _rows(table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("who", STRANGERS)
def test_strangers_see_nothing_of_an_appointment(cast: Cast, who: str) -> None:
    with db.transaction(cast.actors[who]):
        assert [_rows(table) for table in PERSONAL] == [0, 0, 0]


@pytest.mark.parametrize("who", ["patient", "agent"])
def test_the_people_it_concerns_see_it(cast: Cast, who: str) -> None:
    with db.transaction(cast.actors[who]):
        assert [_rows(table) for table in PERSONAL] == [1, 1, 12]


@pytest.mark.parametrize("who", STRANGERS)
def test_free_time_is_public_without_anybody_in_it(cast: Cast, who: str) -> None:
    with db.transaction(cast.actors[who]):
        assert [_rows(table) for table in PUBLIC] == [1, 1, 1]


@pytest.mark.parametrize("who", STRANGERS)
def test_strangers_change_nothing(cast: Cast, who: str) -> None:
    with db.transaction(cast.actors[who]):
        for statement in (
            update(Appointment).values(state="cancelled"),
            delete(Appointment),
            delete(Claim),
            update(Reason).values(bookable_online=False),
            delete(Reason),
            delete(SessionReason),
            delete(ConsultationSession),
        ):
            assert session.execute(statement).rowcount == 0


@pytest.mark.parametrize("who", [who for who in STRANGERS if who not in ("other_patient", "practitioner")])
def test_only_those_who_may_book_touch_free_time(cast: Cast, who: str) -> None:
    with db.transaction(cast.actors[who]):
        assert session.execute(update(ConsultationSession).values(free=0)).rowcount == 0


def test_nobody_frees_time_that_is_not_open(cast: Cast) -> None:
    with pytest.raises(Exception, match="free_within_open"), db.transaction(cast.actors["patient"]):
        session.execute(update(ConsultationSession).values(free=(1 << 60) - 1))


def _same(table: type, row: object, **changes: object) -> dict[str, object]:
    columns = {column.name: getattr(row, column.name) for column in table.__table__.columns}  # type: ignore[attr-defined]  # a table, and not any other source of rows
    return columns | changes


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("table", [Appointment, Claim, AppointmentChange])
def test_strangers_write_nothing_in_somebody_s_name(cast: Cast, who: str, table: type) -> None:
    new: dict[type, dict[str, object]] = {
        Appointment: {"id": uuid4(), "reference": "BCDFGHJK"},
        Claim: {"resource_id": uuid4()},
        AppointmentChange: {"id": uuid4(), "by": cast.actors[who].label},
    }
    with db.transaction(db.system("tests")):
        row = session.scalars(select(table).limit(1)).one()
    with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(cast.actors[who]):
        session.execute(insert(table).inline().values(_same(table, row, **new[table])))


def test_nobody_signs_a_change_with_another_s_name(cast: Cast) -> None:
    with db.transaction(db.system("tests")):
        row = session.scalars(select(AppointmentChange)).one()
    with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(cast.actors["patient"]):
        session.execute(
            insert(AppointmentChange)
            .inline()
            .values(_same(AppointmentChange, row, id=uuid4(), by=cast.actors["agent"].label))
        )


@pytest.mark.parametrize("statement", [update(AppointmentChange).values(reason="x"), delete(AppointmentChange)])
def test_changes_are_never_altered(cast: Cast, statement: object) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), db.transaction(db.system("tests")):
        session.execute(statement)  # type: ignore[call-overload]  # one of the two above


def test_a_patient_does_not_open_or_close_consultations(cast: Cast) -> None:
    with db.transaction(cast.actors["patient"]):
        assert session.execute(update(Reason).values(name="x")).rowcount == 0
        assert session.execute(delete(ConsultationSession)).rowcount == 0
    with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(cast.actors["patient"]):
        session.add(
            Reason(
                id=UUID(int=1),
                establishment_id=cast.ground.hospital.establishment.id,
                unit_id=cast.ground.hospital.unit.id,
                name="x",
                duration_min=15,
            )
        )
