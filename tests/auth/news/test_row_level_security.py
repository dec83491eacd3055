"""What is new for somebody is theirs alone; whoever does something may write it for others, and read none of it."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import ProgrammingError

from auth.digests.models import DigestAddress, DigestMorning
from auth.models import Account, Professional
from auth.news import actions
from auth.news.models import News, NewsBox, NewsChoice, NewsHours, NewsMessage
from portal import db
from portal.db import ANONYMOUS, Actor, Base
from portal.establishments import Establishment
from tests.auth.news.conftest import Ground
from tests.factories import hospitals, people
from tests.factories import news as made
from tests.ground import count, prepared

OWN: tuple[type[Base], ...] = (News, NewsMessage, NewsChoice, NewsHours, NewsBox, DigestMorning)
STRANGERS = (
    "a patient", "another practitioner", "an agent here", "an agent elsewhere", "an agent without the right",
    "an administrator here", "nobody",
)  # fmt: skip


@pytest.fixture
def actors(ground: Ground) -> dict[str, Actor]:
    here = ground.hospital.establishment.id
    with prepared():
        own, patient = people.patient_with_account()
        elsewhere = hospitals.hospital("990000025", "Ailleurs").establishment.id
        agent = db.session.get_one(Account, ground.agent)
        other = db.session.scalars(select(Professional).where(Professional.account_id == ground.other)).one()
        made.news(ground.doctor)
        made.message(ground.doctor)
        made.box(ground.doctor)
        db.session.add(NewsChoice(account_id=ground.doctor, kind="messages", channel="mail", rhythm="daily"))
        db.session.add(
            NewsHours(
                account_id=ground.doctor, quiet_from=1, quiet_until=2, daily_at=12, weekends=False,
                time_zone="Europe/Paris",
            )
        )  # fmt: skip
        db.session.add(DigestMorning(id=uuid4(), account_id=ground.doctor, day=db.now().date(), waiting=1))
        db.session.add(DigestAddress(id=uuid4(), establishment_id=here, address="unite@exemple.test"))
        clerk = people.agent(here, "billing", name="Régie")
        boss = people.agent(here, "administration", name="Chef")
        far = people.agent(elsewhere, "administration", "documents", name="Loin")
    return {
        "oneself": Actor("professional", "Dr", ground.doctor),
        "a patient": people.as_patient(own, patient),
        "another practitioner": people.as_professional(other),
        "an agent here": people.as_agent(agent, here, "documents"),
        "an agent elsewhere": people.as_agent(far, elsewhere, "administration", "documents"),
        "an agent without the right": people.as_agent(clerk, here, "billing"),
        "an administrator here": people.as_agent(boss, here, "administration"),
        "nobody": ANONYMOUS,
    }


def _seen(table: type[Base], actor: Actor) -> int:
    with db.transaction(actor) as current:
        return current.scalar(select(func.count()).select_from(table)) or 0


def _refused(work: Callable[[], object]) -> bool:
    try:
        work()
    except ProgrammingError as error:
        return isinstance(error.orig, InsufficientPrivilege)
    return False


@pytest.mark.parametrize("table", OWN)
def test_somebody_sees_their_own(actors: dict[str, Actor], table: type[Base]) -> None:
    assert _seen(table, actors["oneself"]) == 1


@pytest.mark.parametrize("table", OWN)
@pytest.mark.parametrize("who", STRANGERS)
def test_nobody_sees_nor_changes_anothers(actors: dict[str, Actor], table: type[Base], who: str) -> None:
    assert _seen(table, actors[who]) == 0
    column = next(iter(table.__table__.primary_key.columns))
    for statement in (update(table).values({column.name: column}), delete(table)):
        with db.transaction(actors[who]) as current:
            assert current.execute(statement).rowcount == 0  # type: ignore[attr-defined]  # of a write
    assert count(table) == 1


@pytest.mark.parametrize("who", ["a patient", "another practitioner", "an agent here", "nobody"])
def test_whoever_does_something_writes_the_news_of_others(ground: Ground, actors: dict[str, Actor], who: str) -> None:
    with db.transaction(actors[who]):
        actions.write(ground.doctor, "messages", "/pro")
    assert _seen(News, actors["oneself"]) == 2


@pytest.mark.parametrize("who", ["oneself", *STRANGERS])
def test_the_system_alone_makes_messages_and_mornings(ground: Ground, actors: dict[str, Actor], who: str) -> None:
    def message() -> None:
        with db.transaction(actors[who]):
            made.message(ground.doctor)

    def morning() -> None:
        with db.transaction(actors[who]) as current:
            current.add(DigestMorning(id=uuid4(), account_id=ground.other, day=db.now().date(), waiting=1))

    assert _refused(message)
    assert _refused(morning)


@pytest.mark.parametrize("who", [each for each in STRANGERS if each != "an administrator here"])
def test_shared_addresses_are_the_administrators_of_that_hospital(
    ground: Ground, actors: dict[str, Actor], who: str
) -> None:
    here = ground.hospital.establishment.id
    assert _seen(DigestAddress, actors["an administrator here"]) == 1
    assert _seen(DigestAddress, actors[who]) == 0

    def add() -> None:
        with db.transaction(actors[who]) as current:
            current.add(DigestAddress(id=uuid4(), establishment_id=here, address="voleur@exemple.test"))

    assert _refused(add)


def test_the_ground_is_what_it_says(actors: dict[str, Actor]) -> None:
    assert count(Establishment) == 2
