"""The database itself closes each table of this room: a forgotten WHERE shows nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.db import ANONYMOUS, Actor, session
from portal.files import StoredFile
from services.documents import actions
from services.documents.exchanges.models import Exchange, ExchangeChange, ExchangeFile, ExchangeMessage
from services.documents.models import (
    Document,
    DocumentArrival,
    DocumentChange,
    DocumentReading,
)
from tests.factories import documents
from tests.services.documents.conftest import Ground

TABLES = (
    DocumentArrival,
    Document,
    DocumentChange,
    DocumentReading,
    Exchange,
    ExchangeMessage,
    ExchangeFile,
    ExchangeChange,
)
Who = Callable[[Ground], Actor]


@pytest.fixture
def filled(ground: Ground) -> Ground:
    """A filed letter that its patient has opened, a letter in the tray, and a thread."""
    with db.transaction(db.system("tests")):
        hospital = ground.hospital.establishment
        letter = documents.received(hospital, documents.letter(ground.traits))
        documents.received(hospital, documents.letter(replace(ground.traits, ins="", ins_oid="")))
        documents.exchange(ground.hospital.unit, ground.professional, ("professional", "Paul LEROY", "Bonjour"))
    with db.transaction(ground.as_patient):
        actions.open_document(session.get_one(Document, letter.id))
    return ground


def seen_by(actor: Actor) -> list[int]:
    with db.transaction(actor):
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        (lambda ground: ground.as_patient, [0, 1, 0, 1, 0, 0, 0, 0]),
        (lambda ground: ground.as_agent, [2, 2, 2, 1, 1, 1, 1, 1]),
        (lambda ground: ground.as_professional, [0, 0, 0, 0, 1, 1, 1, 1]),
        (lambda ground: ground.as_other_patient, [0] * len(TABLES)),
        (lambda ground: ground.as_other_agent, [0] * len(TABLES)),
        (lambda ground: ground.as_other_professional, [0] * len(TABLES)),
        (lambda ground: ANONYMOUS, [0] * len(TABLES)),
        (lambda ground: replace(ground.as_agent, rights={"billing": frozenset({ground.here})}), [0] * len(TABLES)),
    ],
    ids=[
        "patient",
        "agent",
        "professional",
        "other patient",
        "other agent",
        "other professional",
        "anybody",
        "billing",
    ],
)
def test_each_sees_what_is_theirs(filled: Ground, who: Who, seen: list[int]) -> None:
    assert seen_by(who(filled)) == seen


def test_a_patient_does_not_see_the_reading_of_another_account(filled: Ground) -> None:
    parent = replace(filled.as_patient, account_id=filled.other_account.id)
    assert seen_by(parent) == [0, 1, 0, 0, 0, 0, 0, 0]


STRANGERS = [
    pytest.param(lambda ground: ground.as_other_patient, id="other patient"),
    pytest.param(lambda ground: ground.as_other_agent, id="other agent"),
    pytest.param(lambda ground: ground.as_other_professional, id="other professional"),
    pytest.param(lambda ground: ANONYMOUS, id="anybody"),
]


@pytest.mark.parametrize("who", [*STRANGERS, pytest.param(lambda ground: ground.as_patient, id="the patient")])
def test_strangers_and_patients_write_no_copy_of_a_row(filled: Ground, who: Who) -> None:
    for table in TABLES:
        copy = _copy(table, filled)
        refused = pytest.raises(DBAPIError, match=f'row-level security.* "{table.__tablename__}"')
        with refused, db.transaction(who(filled)):
            session.execute(insert(table).inline().values(copy))


def _copy(table: type[Any], filled: Ground) -> dict[str, object]:
    """A row of the table, with keys of its own."""
    with db.transaction(db.system("tests")):
        row = dict(session.execute(select(*table.__table__.columns)).mappings().first() or {})
    copy = row | ({"id": uuid4()} if "id" in row else {"account_id": filled.other_account.id})
    copy |= {"unique_id": "1.2.3"} if "unique_id" in row else {}
    return copy | ({"reference": "COPY"} if "reference" in row else {})


@pytest.mark.parametrize("who", [*STRANGERS, pytest.param(lambda ground: ground.as_patient, id="the patient")])
def test_strangers_and_patients_change_nothing(filled: Ground, who: Who) -> None:
    for table in (Document, Exchange):
        with db.transaction(who(filled)):
            changed = session.execute(update(table).values(state=table.state))
            assert changed.rowcount == 0, table.__tablename__  # type: ignore[attr-defined]  # what an update gives has it


@pytest.mark.parametrize("table", [table for table in TABLES if table not in (Document, Exchange)],
                         ids=lambda table: table.__tablename__)  # fmt: skip
def test_what_happened_is_never_edited_nor_deleted(filled: Ground, table: type[Any]) -> None:
    column = next(iter(table.__table__.columns))
    for statement in (update(table).values({column.name: column}), delete(table)):
        with pytest.raises(DBAPIError, match="permission denied"), db.transaction(db.system("tests")):
            session.execute(statement)


def test_neither_side_of_a_thread_writes_in_the_others_name(filled: Ground) -> None:
    with db.transaction(db.system("tests")):
        row = dict(session.execute(select(*ExchangeMessage.__table__.columns)).mappings().one())
    for who, sender in ((filled.as_professional, "unit"), (filled.as_agent, "professional")):
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(who):
            session.execute(insert(ExchangeMessage).inline().values(row | {"id": uuid4(), "sender": sender}))


def test_a_message_cannot_be_slipped_into_somebody_elses_thread(filled: Ground) -> None:
    with db.transaction(db.system("tests")):
        row = dict(session.execute(select(*ExchangeMessage.__table__.columns)).mappings().one())
    forged = row | {"id": uuid4()}
    with pytest.raises(DBAPIError, match="row-level security"), db.transaction(filled.as_other_professional):
        session.execute(insert(ExchangeMessage).inline().values(forged))


def test_files_open_to_the_patient_and_the_agents_only(filled: Ground) -> None:
    def files_of(actor: Actor) -> int:
        with db.transaction(actor):
            return session.scalar(select(func.count()).select_from(StoredFile)) or 0

    assert files_of(filled.as_patient) == 2, "the letter and the PDF in it"
    assert files_of(filled.as_agent) == 5, "both letters with their PDF, and the message's"
    assert files_of(filled.as_professional) == 1
    for stranger in (filled.as_other_patient, filled.as_other_agent, filled.as_other_professional, ANONYMOUS):
        assert files_of(stranger) == 0


def test_agents_of_elsewhere_give_no_file_to_anybody(filled: Ground) -> None:
    with db.transaction(filled.as_other_agent):
        gift = update(StoredFile).values(patient_id=filled.other_patient.id)
        assert session.execute(gift).rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it


def test_every_table_forces_its_policies(app: Flask) -> None:
    with db.transaction(db.system("tests")):
        names = [table.__tablename__ for table in TABLES]
        catalogue = "select relname from pg_class where relrowsecurity and relforcerowsecurity"
        closed = {name for (name,) in session.execute(text(catalogue))}
    assert set(names) <= closed
