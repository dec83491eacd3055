"""Another patient, a proxy, another hospital's agent, nobody: none of them sees or writes these rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import ProgrammingError

from auth.account import actions
from auth.account.models import Consent, DataExport, DataRequest, DataRequestChange, KnownDevice
from auth.account.texts import in_force
from portal import db
from portal.db import ANONYMOUS, Actor, Base
from tests.factories import people
from tests.factories.hospitals import Hospital
from tests.ground import prepared

TABLES = (KnownDevice, Consent, DataExport, DataRequest, DataRequestChange)


class Ground:
    def __init__(self, north: Hospital, south: Hospital) -> None:
        with prepared():
            self.account, self.patient = people.patient_with_account()
            self.other, other_patient = people.patient_with_account(birth_name="DURAND")
            self.unit = people.agent(north.establishment.id, "identity", name="Agent d’identité")
            clerk = people.agent(north.establishment.id, "billing", name="Agent de régie")
            elsewhere = people.agent(south.establishment.id, "identity", name="Agent d’ailleurs")
        self.me = people.as_patient(self.account, self.patient)
        mine = frozenset({self.patient.id})
        self.strangers: dict[str, Actor] = {
            "another patient": people.as_patient(self.other, other_patient),
            "a proxy for payments": Actor(
                "patient", "Proche", self.other.id, patients=mine, proxied=mine,
                scopes={"payment": mine, "administrative": frozenset(), "medical": frozenset()},
            ),
            "an agent without the right": people.as_agent(clerk, north.establishment.id, "billing"),
            "an agent of another hospital": people.as_agent(elsewhere, south.establishment.id, "identity"),
            "a professional": Actor("professional", "Dr", uuid4(), professional_id=uuid4()),
            "nobody": ANONYMOUS,
        }  # fmt: skip
        self.agent = people.as_agent(self.unit, north.establishment.id, "identity")
        with db.transaction(self.me):
            actions.recognise(self.account, "token", "Firefox")
            actions.accept(in_force("patient")[0], "fr")
            actions.ask_for_export(self.patient.id, self.patient.id)
            self.asked = actions.ask_hospital(self.patient.id, north.establishment, "deletion", "Tout", "").id


@pytest.fixture
def ground(north: Hospital, south: Hospital) -> Ground:
    return Ground(north, south)


STRANGERS = (
    "another patient", "a proxy for payments", "an agent without the right", "an agent of another hospital",
    "a professional", "nobody",
)  # fmt: skip


def seen(table: type[Base], actor: Actor) -> int:
    with db.transaction(actor) as current:
        return current.scalar(select(func.count()).select_from(table)) or 0


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(ProgrammingError) as caught:
        yield
    assert isinstance(caught.value.orig, InsufficientPrivilege)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_sees_nothing(ground: Ground, table: type[Base], who: str) -> None:
    assert seen(table, ground.me) >= 1
    assert seen(table, ground.strangers[who]) == 0


@pytest.mark.parametrize("table", [KnownDevice, Consent, DataRequest])
@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_changes_nothing(ground: Ground, table: type[Base], who: str) -> None:
    with db.transaction(ground.strangers[who]) as current:
        assert current.execute(update(table).values(id=table.id)).rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it


def test_the_identity_unit_of_the_hospital_sees_the_request_and_nothing_else(ground: Ground) -> None:
    assert [seen(table, ground.agent) for table in TABLES] == [0, 0, 0, 1, 1]


def test_nobody_asks_in_the_name_of_somebody_else(ground: Ground, north: Hospital) -> None:
    stranger = ground.strangers["another patient"]
    for actor in (stranger, ANONYMOUS):
        with refused(), db.transaction(actor) as current:
            current.execute(_request(ground, north.establishment.id))


def test_a_mandate_for_payments_asks_nothing_about_data(ground: Ground, north: Hospital) -> None:
    with refused(), db.transaction(ground.strangers["a proxy for payments"]) as current:
        current.execute(_request(ground, north.establishment.id))


def test_a_proxy_cannot_ask_for_the_copy(ground: Ground) -> None:
    with refused(), db.transaction(ground.strangers["a proxy for payments"]) as current:
        current.execute(
            insert(DataExport).values(
                id=uuid4(), account_id=ground.other.id, patient_id=ground.patient.id, state="preparing", size=0,
                requested_at=db.now(),
            )
        )  # fmt: skip


def test_the_history_of_a_request_cannot_be_rewritten(ground: Ground) -> None:
    for actor in (ground.me, ground.agent):
        with refused(), db.transaction(actor) as current:
            current.execute(update(DataRequestChange).values(reason="autre chose"))


def test_a_change_is_signed_by_whoever_makes_it(ground: Ground, north: Hospital) -> None:
    with refused(), db.transaction(ground.me) as current:
        current.execute(
            insert(DataRequestChange).values(
                id=uuid4(), request_id=ground.asked, patient_id=ground.patient.id,
                establishment_id=north.establishment.id, from_state="received", to_state="accepted",
                by="staff:somebody", by_name="", at=db.now(), reason="",
            )
        )  # fmt: skip


def _request(ground: Ground, establishment_id: UUID) -> object:
    return insert(DataRequest).values(
        id=uuid4(), number=f"D-{uuid4().hex[:4]}", account_id=ground.other.id, patient_id=ground.patient.id,
        establishment_id=establishment_id, kind="deletion", what="x", why="", asked_by="x", email="", locale="",
        state="received", received_at=db.now(), due_on=db.now().date(), answer="",
    )  # fmt: skip
