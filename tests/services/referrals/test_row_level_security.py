"""Each row of a referral is seen and written by those it is for, and by nobody else, whatever the query forgets."""

from typing import Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from portal import db
from portal.db import ANONYMOUS, Actor, Base, session
from portal.files import StoredFile
from services.questionnaires.models import Questionnaire
from services.referrals.actions import answering, thread
from services.referrals.models import (
    Referral,
    ReferralChange,
    ReferralFile,
    ReferralMessage,
    ReferralOffer,
    ReferralTarget,
)
from tests.factories import documents, people, referrals
from tests.ground import prepared
from tests.services.referrals.conftest import Ground

TABLES: Final[tuple[type[Base], ...]] = (Referral, ReferralTarget, ReferralMessage, ReferralFile, ReferralChange)
NOTHING: Final = {table.__tablename__: 0 for table in TABLES}


@pytest.fixture
def patient_id(ground: Ground) -> UUID:
    """Odile was sent to the North with a file; the South waits behind."""
    with db.transaction(ground.as_doctor):
        target = referrals.send(ground.doctor, ground.at_north, ground.at_south).targets[0]
        joined = documents.stored()
        joined.professional_id = None
        session.add(ReferralFile(id=uuid4(), referral_id=target.referral_id, file_id=joined.id))
        thread.write(target, "Voici le courrier.")
    with db.transaction(ground.as_agent):
        target = session.get_one(ReferralTarget, target.id)
        thread.write(target, "Entre nous.")
        answering.ask(target, "Et l’ECG ?")
        thread.write(target, "Venez à jeun.", for_patient=True)
        assert target.patient_id is not None
        return target.patient_id


def seen() -> dict[str, int]:
    return {table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES}


def of(ground: Ground, patient_id: UUID) -> dict[str, Actor]:
    here, far = ground.here, ground.south.establishment.id
    return {
        "the practitioner": ground.as_doctor,
        "another practitioner": people.as_professional(ground.stranger),
        "an agent here": ground.as_agent,
        "an agent here without the right": people.as_agent(ground.agent, here, "documents", "appointments", "care"),
        "an agent elsewhere": people.as_agent(ground.far_agent, far, *db.RIGHTS),
        "the patient": Actor("patient", "Odile", None, patients=frozenset({patient_id})),
        "another patient": Actor("patient", "Autre", None, patients=frozenset({uuid4()})),
        "nobody": ANONYMOUS,
    }


SEEN: Final = {
    "the practitioner": {
        "referral": 1, "referral_target": 2, "referral_message": 4, "referral_file": 1, "referral_change": 2,
    },
    "an agent here": {
        "referral": 1, "referral_target": 1, "referral_message": 4, "referral_file": 1, "referral_change": 2,
    },
    "the patient": {
        "referral": 1, "referral_target": 1, "referral_message": 1, "referral_file": 0, "referral_change": 2,
    },
}  # fmt: skip


@pytest.mark.parametrize("who", [
    "the practitioner", "another practitioner", "an agent here", "an agent here without the right",
    "an agent elsewhere", "the patient", "another patient", "nobody",
])  # fmt: skip
def test_who_sees_what(ground: Ground, patient_id: UUID, who: str) -> None:
    with db.transaction(of(ground, patient_id)[who]):
        assert seen() == SEEN.get(who, NOTHING)


@pytest.mark.parametrize("who", [
    "another practitioner", "an agent here without the right", "an agent elsewhere", "another patient", "nobody",
])  # fmt: skip
def test_a_stranger_changes_nothing(ground: Ground, patient_id: UUID, who: str) -> None:
    at_north = ReferralOffer.establishment_id == ground.here
    with db.transaction(of(ground, patient_id)[who]):
        assert session.execute(update(ReferralTarget).values(state="withdrawn")).rowcount == 0
        assert session.execute(update(ReferralOffer).where(at_north).values(is_open=False)).rowcount == 0


@pytest.mark.parametrize("table", [Referral, ReferralTarget, ReferralMessage, ReferralFile, ReferralChange])
def test_nothing_is_deleted(ground: Ground, patient_id: UUID, table: type[Base]) -> None:
    for who in ("the practitioner", "an agent here", "the patient"):
        with db.transaction(of(ground, patient_id)[who]):
            try:
                gone = session.execute(table.__table__.delete()).rowcount
            except ProgrammingError:
                session.rollback()
                gone = 0
            assert gone == 0


def test_a_practitioner_writes_no_referral_in_another_s_name(ground: Ground, patient_id: UUID) -> None:
    with prepared():
        values = _values(Referral)
    forged = values | {"id": uuid4(), "reference": "BCDF-GHJK"}
    with pytest.raises(ProgrammingError, match="row-level security"):
        _insert(people.as_professional(ground.stranger), Referral, forged)


def test_a_practitioner_hangs_no_target_on_another_s_referral(ground: Ground, patient_id: UUID) -> None:
    """It would show them the referral: it is seen through its targets."""
    with prepared():
        other = referrals.offer(ground.north.unit, name="Autre")
        values = _values(ReferralTarget)
    forged = values | {"id": uuid4(), "offer_id": other.id, "professional_id": ground.stranger.id}
    with pytest.raises(IntegrityError, match="professional"):
        _insert(people.as_professional(ground.stranger), ReferralTarget, forged)


@pytest.mark.parametrize(("who", "sender"), [
    ("the practitioner", "unit"), ("an agent here", "professional"), ("the patient", "unit"),
    ("another practitioner", "professional"), ("an agent elsewhere", "unit"),
])  # fmt: skip
def test_nobody_writes_for_the_other_side(ground: Ground, patient_id: UUID, who: str, sender: str) -> None:
    with prepared():
        target_id = _first(ReferralTarget).id
    forged = {"id": uuid4(), "target_id": target_id, "sender": sender, "author_name": "X", "text": "Y"}
    with pytest.raises(ProgrammingError, match="row-level security"):
        _insert(of(ground, patient_id)[who], ReferralMessage, forged | {"sent_at": db.now(), "for_patient": False})


def test_the_file_is_opened_by_both_sides_alone(ground: Ground, patient_id: UUID) -> None:
    for who, actor in of(ground, patient_id).items():
        with db.transaction(actor):
            found = session.scalar(select(func.count()).select_from(StoredFile))
            assert found == (1 if who in ("the practitioner", "an agent here") else 0), who


@pytest.mark.parametrize("who", ["the practitioner", "an agent here"])
def test_nobody_opens_a_strangers_file_by_joining_it_to_a_request_of_theirs(
    ground: Ground, patient_id: UUID, who: str
) -> None:
    with db.transaction(people.as_professional(ground.stranger)):
        file_id = documents.stored().id
    with prepared():
        forged = {"id": uuid4(), "referral_id": _first(Referral).id, "message_id": None, "file_id": file_id}
    with pytest.raises(ProgrammingError, match="row-level security"):
        _insert(of(ground, patient_id)[who], ReferralFile, forged | {"code": "", "position": 1})


def test_what_a_unit_asks_is_read_by_those_who_answer(ground: Ground) -> None:
    with prepared():
        _questionnaire(ground.here, "cardio")
        _questionnaire(ground.here, "never_asked_for")
        referrals.offer(ground.north.unit, name="Avec questions", questionnaire="cardio")
    for actor, codes in ((ground.as_doctor, ["cardio"]), (ground.as_agent, ["cardio"]), (ANONYMOUS, [])):
        with db.transaction(actor):
            assert session.scalars(select(Questionnaire.code)).all() == codes


def _questionnaire(establishment_id: UUID, code: str) -> None:
    content = {"resourceType": "Questionnaire", "status": "active", "item": []}
    made = Questionnaire(id=uuid4(), establishment_id=establishment_id, code=code, title=code, content=content)
    made.state = "published"
    session.add(made)
    session.flush()


def _values(table: type[Base]) -> dict[str, object]:
    return {column.name: getattr(_first(table), column.name) for column in table.__table__.columns}


def _first(table: type[Base]) -> Base:
    order = table.__table__.columns.get("position", table.__table__.columns["id"])
    return session.scalars(select(table).order_by(order).limit(1)).one()


def _insert(actor: Actor, table: type[Base], values: dict[str, object]) -> None:
    with db.transaction(actor):
        session.execute(insert(table).inline().values(values))
