"""While somebody looks on, no text leaves the database but those said to be harmless, and nothing is written."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import String, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, InternalError

from auth.identity.sealing import SealedText
from auth.models import Account, Patient
from portal import audit, blanking, db, kpi
from portal.audit import AuditEvent
from portal.blanking import MASK
from portal.db import Base, session
from portal.establishments import Unit
from tests.factories import hospitals, people
from tests.ground import count, prepared

TEXTS = (String, ARRAY, JSONB, SealedText)
NEVER = (
    ("appointment", "reason"), ("appointment", "cancel_reason"), ("reason", "name"), ("reason", "instructions"),
    ("reason", "to_bring"), ("unit", "name"), ("unit", "floor"), ("site", "name"), ("practitioner", "family_name"),
    ("practitioner", "speciality"), ("document", "title"), ("document", "type_label"), ("document", "author_name"),
    ("document", "kind"), ("questionnaire", "title"), ("questionnaire", "content"), ("questionnaire_answers", "sealed"),
    ("questionnaire_draft", "sealed"), ("preadmission_answers", "answers"), ("exchange", "subject"),
    ("exchange_message", "text"), ("request_message", "text"), ("bill_question_message", "text"),
    ("record_request_message", "text"), ("bill", "label"), ("bill", "unit"), ("stored_file", "name"),
    ("stored_file", "storage_key"), ("deposit", "title"), ("deposit", "note"), ("piece", "note"), ("piece", "kind"),
    ("referral", "question"), ("referral", "kind"), ("referral_target", "answers"), ("referral_target", "opinion"),
    ("patient", "ins"), ("patient", "nir_sealed"), ("patient_record", "ipp"), ("mandate", "proxy_name"),
    ("companion", "first_name"), ("circle_member", "name"), ("data_request", "what"), ("audit_event", "details"),
    ("preadmission", "stay_kind"), ("document_result", "value"), ("notification", "body"),
    ("support_session", "words"), ("support_session", "code"), ("web_session", "id_token"),
)  # fmt: skip


@pytest.fixture
def patient(app: Flask) -> Patient:
    with prepared():
        hospitals.hospital()
        return people.patient("LE GOFF", ("Anne-Marie",), ins="279035121518989", birthplace_insee="75056")


def test_a_listed_column_is_read_and_another_is_blanked(patient: Patient) -> None:
    with blanking.hidden(), db.transaction(db.system("tests")):
        found = session.get_one(Patient, patient.id)
        assert (found.birth_name, found.first_names, found.birth_on) == ("LE GOFF", ["Anne-Marie"], patient.birth_on)
        assert (found.ins, found.birthplace_insee) == (MASK, MASK)
        assert session.scalars(select(Unit.name)).all() == [MASK]


@pytest.mark.parametrize(
    "query",
    [
        select(func.coalesce(Patient.birth_name, "")),
        select(Patient.birth_name + " "),
        select(func.upper(Patient.ins)),
        select(literal("MARTIN")),
        select(Patient.ins).union_all(select(Patient.birth_name)),
        select(func.array_agg(Patient.ins)),
        select(func.jsonb_build_object("a", Patient.ins)),
        text("select p.ins from (select ins from patient) p"),
        text("with p as materialized (select birth_name || ins as x from patient) select x from p"),
    ],
    ids=("coalesce", "concatenation", "function", "literal", "union", "array", "json", "subquery", "cte"),
)
def test_what_is_computed_is_blanked(patient: Patient, query: Any) -> None:
    with blanking.hidden(), db.transaction(db.system("tests")):
        found = session.execute(query).scalar()
    assert found in (MASK, [MASK], {"a": MASK})


def test_a_listed_column_is_known_through_a_subquery(patient: Patient) -> None:
    with blanking.hidden(), db.transaction(db.system("tests")):
        assert session.scalar(text("select p.n from (select birth_name as n from patient) p")) == "LE GOFF"


def test_the_connection_is_given_back_as_it_was(patient: Patient) -> None:
    """Whoever comes next on the same connection reads and writes their own things."""
    for _time in range(3):
        with blanking.hidden(), db.transaction(db.system("tests")):
            assert session.scalar(select(Patient.ins)) == MASK
        with db.transaction(db.system("tests")):
            assert session.scalar(select(Patient.ins)) == patient.ins
            session.get_one(Patient, patient.id).used_name = "MARTIN"


def test_it_is_given_back_after_a_failure_too(patient: Patient) -> None:
    with pytest.raises(DBAPIError), blanking.hidden(), db.transaction(db.system("tests")):
        session.execute(text("select ins, 1 / 0 from patient"))
    with db.transaction(db.system("tests")):
        assert session.scalar(select(Patient.ins)) == patient.ins


def test_nothing_is_written_whoever_acts(patient: Patient) -> None:
    with blanking.hidden():
        with pytest.raises(InternalError), db.transaction(db.system("tests")):
            session.execute(insert(Account).values(id=patient.id, audience="patient", name="X"))
        with pytest.raises(InternalError), db.transaction(db.system("tests")):
            session.execute(update(Patient).values(used_name="X"))
        with pytest.raises(InternalError), db.transaction(db.system("tests")):
            session.execute(text("set transaction read write"))


def test_another_transaction_and_another_actor_are_covered(patient: Patient) -> None:
    with blanking.hidden(), db.transaction(db.ANONYMOUS):
        db.act_as(db.system("tests"))
        assert session.scalar(select(Patient.ins)) == MASK
        with db.transaction(db.system("tests.other")):
            assert session.scalar(select(Patient.ins)) == MASK


def test_no_trace_is_left_in_the_person_s_name(patient: Patient) -> None:
    before = count(AuditEvent)
    with blanking.hidden(), db.transaction(db.system("tests")):
        audit.record("document.opened", patient_id=patient.id)
        kpi.count("visit_started", audience="patient")
    assert count(AuditEvent) == before


def test_each_listed_column_is_there_with_a_reason(app: Flask) -> None:
    for (table, column), why in blanking.shown().items():
        assert column in Base.metadata.tables[table].columns, f"{table}.{column}"
        assert isinstance(Base.metadata.tables[table].columns[column].type, TEXTS), f"{table}.{column}: no text"
        assert why


def test_what_must_never_be_seen_is_not_listed(app: Flask) -> None:
    """Written by hand and apart: whoever lists one of these has to change this test as well."""
    assert [each for each in NEVER if each in blanking.shown()] == []
    free = ("title", "body", "text", "note", "question", "words", "sealed", "instructions", "subject", "details")
    published = {"establishment", "legal_page", "accessibility_action"}
    assert [each for each in blanking.shown() if each[1] in free and each[0] not in published] == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(min_size=1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for one in inner for each in _texts(one)]


@given(_JSON)
def test_every_text_inside_is_blanked_and_the_shape_stays(value: Any) -> None:
    blanked = blanking.blank(value)
    assert set(_texts(blanked)) <= {MASK}
    assert len(_texts(blanked)) == len(_texts(value))
    assert blanking.blank(blanked) == blanked
