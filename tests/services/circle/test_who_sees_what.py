"""A professional reads what a patient lets them see, and nothing else; nobody finds out who is in a circle."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError

from auth.models import Patient
from portal import audit, db
from portal.db import ANONYMOUS, Actor, Base, session
from portal.files import StoredFile
from services.appointments.models import Appointment
from services.circle import states
from services.circle.models import CircleChange, CircleChoice, CircleCode, CircleMember, CircleProposal
from services.documents.models import Document
from tests.factories import appointments as booking
from tests.factories import circle, people, shelf
from tests.factories import preadmission as folders
from tests.ground import prepared, today
from tests.services.circle.conftest import Ground, later

TABLES: tuple[type[Base], ...] = (CircleMember, CircleChange, CircleCode, CircleProposal, CircleChoice)


def seen(actor: Actor, model: type[Base]) -> int:
    with db.transaction(actor) as current:
        return current.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def filed(ground: Ground) -> Document:
    """A letter on the patient's shelf."""
    with prepared():
        return shelf.published(ground.north.establishment, ground.patient)


def let_in(ground: Ground, **facts: Any) -> CircleMember:
    with prepared():
        return circle.member(ground.patient, ground.gp, **facts)


class TestDocuments:
    def test_a_member_reads_what_the_patient_reads_with_its_file(self, ground: Ground, filed: Document) -> None:
        let_in(ground)
        gp = people.as_professional(ground.gp)
        with db.transaction(gp) as current:
            assert current.scalars(select(Document.id)).all() == [filed.id]
            kept = set(current.scalars(select(StoredFile.id)))
        assert filed.file_id in kept

    @pytest.mark.parametrize(
        "facts",
        [
            {"state": states.ASKED},
            {"state": states.REFUSED},
            {"state": states.ENDED},
            {"state": states.OBJECTED},
            {"scopes": ()},
            {"scopes": ("appointments", "referrals")},
            {"until_at": "yesterday"},
            {"closed_by_death": True},
        ],
        ids=str,
    )
    def test_nobody_sees_more_than_they_are_let(self, ground: Ground, filed: Document, facts: dict[str, Any]) -> None:
        if "until_at" in facts:
            facts = {"until_at": later(days=-1)}
        let_in(ground, **facts)
        gp = people.as_professional(ground.gp)
        assert (seen(gp, Document), seen(gp, StoredFile)) == (0, 0)

    @pytest.mark.parametrize(
        "kept_back",
        [
            {"masked": True},
            {"visible_at": None},
            {"visible_at": "tomorrow"},
            {"confidentiality": "R"},
            {"confidentiality": "V"},
            {"visibility": ["MASQUE_PS"]},
            {"visibility": ["INVISIBLE_PATIENT"]},
            {"visibility": ["INVISIBLE_REP_LEGAUX"]},
            {"visibility": ["CONNEXION_SECRETE"]},
            {"state": "superseded"},
            {"state": "withdrawn"},
        ],
        ids=str,
    )
    def test_what_is_kept_back_stays_hidden(self, ground: Ground, filed: Document, kept_back: dict[str, Any]) -> None:
        let_in(ground)
        if kept_back.get("visible_at") == "tomorrow":
            kept_back = {"visible_at": later(days=1)}
        with prepared():
            session.execute(update(Document).where(Document.id == filed.id).values(**kept_back))
        gp = people.as_professional(ground.gp)
        assert (seen(gp, Document), seen(gp, StoredFile)) == (0, 0)

    def test_another_patient_s_documents_and_another_practitioner_see_nothing(
        self, ground: Ground, filed: Document
    ) -> None:
        let_in(ground)
        with prepared():
            shelf.published(ground.north.establishment, ground.other)
        assert seen(people.as_professional(ground.gp), Document) == 1
        assert seen(people.as_professional(ground.stranger), Document) == 0
        assert seen(ANONYMOUS, Document) == 0

    def test_whoever_acts_in_their_stead_sees_nothing(self, ground: Ground, filed: Document) -> None:
        let_in(ground)
        instead = Actor(
            "professional", "Secrétaire", ground.stranger.account_id, professional_id=ground.gp.id,
            on_behalf_of=ground.gp.id,
        )  # fmt: skip
        assert (seen(instead, CircleMember), seen(instead, Document)) == (0, 0)

    def test_a_member_changes_nothing(self, ground: Ground, filed: Document) -> None:
        let_in(ground)
        with db.transaction(people.as_professional(ground.gp)) as current:
            changed = current.scalars(update(Document).values(title="Autre").returning(Document.id)).all()
            assert not changed


class TestAppointments:
    def test_a_member_sees_the_coming_one_and_not_the_past_nor_the_masked(self, ground: Ground) -> None:
        let_in(ground, scopes=("appointments",))
        with prepared():
            why = booking.reason(ground.north.unit)
            opened = booking.consultation(ground.north, [why])
            for rank in range(3):
                booking.booked(ground.patient, why, opened, rank * 2)
            first, second = session.scalars(select(Appointment).order_by(Appointment.start_at)).all()[:2]
            first.masked = True
            second.start_at, second.end_at = later(days=-2), later(days=-2, minutes=20)
        gp = people.as_professional(ground.gp)
        assert seen(gp, Appointment) == 1
        with prepared():
            session.execute(update(CircleMember).values(scopes=["documents"]))
        assert seen(gp, Appointment) == 0


class TestTheCircleItself:
    @pytest.fixture
    def full(self, ground: Ground) -> Ground:
        """One row in each table."""
        let_in(ground)
        with prepared():
            session.add(CircleChoice(patient_id=ground.patient.id, no_treating_doctor_at=db.now()))
            code = {"role": "nurse", "standing": "team", "scopes": ["documents"], "expires_at": later(minutes=10)}
            session.add(CircleCode(account_id=ground.account.id, patient_id=ground.patient.id, digest=b"x", **code))
            told = {"birth_name": "MARTIN", "first_name": "JEANNE", "birth_on": ground.patient.birth_on, "sex": "F"}
            asker = {"account_id": ground.gp.account_id, "identity": circle.identity(ground.gp), "name": "Dr LEROY"}
            session.add(CircleProposal(**asker, **told, role="doctor", expires_at=later(days=30)))
        return ground

    def test_the_patient_sees_theirs_and_not_what_was_typed_about_them(self, full: Ground) -> None:
        me = people.as_patient(full.account, full.patient)
        assert [seen(me, each) for each in TABLES] == [1, 1, 1, 0, 1]

    def test_the_member_sees_their_place_and_what_they_asked(self, full: Ground) -> None:
        gp = people.as_professional(full.gp)
        assert [seen(gp, each) for each in TABLES] == [1, 0, 0, 1, 0]

    def test_nobody_else_sees_anything(self, full: Ground) -> None:
        with prepared():
            agent = people.agent(full.north.establishment.id, "documents")
        rights = dict.fromkeys(db.RIGHTS, frozenset({full.north.establishment.id}))
        for actor in (
            people.as_professional(full.stranger),
            people.as_patient(full.other_account, full.other),
            Actor("staff", "Agent", agent.id, rights=rights),
            ANONYMOUS,
        ):
            assert [seen(actor, each) for each in TABLES] == [0] * 5, actor

    @pytest.mark.parametrize(
        "scopes", [frozenset({"administrative", "payment"}), frozenset({"medical"})], ids=["paper", "medical"]
    )
    def test_whoever_acts_for_them_needs_the_medical_matter(self, full: Ground, scopes: frozenset[str]) -> None:
        mine = frozenset({full.patient.id})
        proxy = Actor(
            "patient", "Proche", full.other_account.id, patients=mine, proxied=mine,
            scopes=dict.fromkeys(scopes, mine),
        )  # fmt: skip
        assert [seen(proxy, each) for each in (CircleMember, CircleChange, CircleChoice)] == [
            int("medical" in scopes)
        ] * 3

    def test_nobody_lets_themselves_in(self, full: Ground) -> None:
        with db.transaction(people.as_professional(full.gp)) as current:
            wider = update(CircleMember).values(scopes=list(states.SCOPES)).returning(CircleMember.id)
            assert not current.scalars(wider).all()
        row = {
            "id": uuid4(), "patient_id": full.other.id, "identity": circle.identity(full.gp), "name": "Dr LEROY",
            "role": "doctor", "standing": "team", "state": "active", "origin": "patient", "scopes": ["documents"],
        }  # fmt: skip
        with (
            pytest.raises(DBAPIError, match="row-level security"),
            db.transaction(people.as_professional(full.gp)) as current,
        ):
            current.execute(insert(CircleMember).inline().values(**row))

    def test_the_dead_show_nothing_and_come_back_with_the_undoing(self, full: Ground) -> None:
        gp = people.as_professional(full.gp)
        with prepared():
            session.get_one(Patient, full.patient.id).deceased_on = (db.now() - timedelta(days=1)).date()
        assert seen(gp, CircleMember) == 0
        with prepared():
            session.get_one(Patient, full.patient.id).deceased_on = None
        assert seen(gp, CircleMember) == 1


def test_lines_of_the_audit_of_a_patient_are_not_the_practitioner_s(ground: Ground) -> None:
    let_in(ground)
    with prepared():
        audit.record("document.opened", patient_id=ground.patient.id, object_kind="document")
    assert seen(people.as_professional(ground.gp), audit.AuditEvent) == 0


def test_coming_stays_show_their_unit_and_day_unless_they_are_kept(ground: Ground) -> None:
    from services.circle.sections import Looking
    from services.preadmission import circle as stays

    member = let_in(ground, scopes=("appointments",))
    with prepared():
        days = [today() + timedelta(days=rank) for rank in (-3, 5, 9, 12)]
        coming = [
            folders.preadmission(ground.patient, ground.north.unit, "submitted", planned_on=each) for each in days
        ]
        coming[2].masked = True
        coming[3].confidential = True
    looking = Looking(member.id, ground.patient.id)
    with prepared():
        assert [each.title for each in stays._lines(looking)] == [ground.north.unit.name]
    with prepared():
        session.execute(update(CircleMember).values(state=states.OBJECTED))
    with prepared():
        assert not stays._lines(looking)


@pytest.mark.parametrize("scope", ["administrative", "medical"])
def test_whoever_acts_for_them_reads_who_looked_in_medical_matters_alone(ground: Ground, scope: str) -> None:
    member = let_in(ground)
    with db.transaction(people.as_professional(ground.gp)):
        audit.record("circle.opened", patient_id=ground.patient.id, object_kind="circle_member", object_id=member.id)
    mine = frozenset({ground.patient.id})
    proxy = Actor("patient", "Proche", ground.other_account.id, patients=mine, proxied=mine, scopes={scope: mine})
    with db.transaction(proxy) as current:
        actions = set(current.scalars(select(audit.AuditEvent.action)))
    assert ("circle.opened" in actions) == (scope == "medical")
