"""What somebody keeps for themselves shows nowhere: every list, search, count, export, message, calendar and line, for
the one who acts for them, for another hospital's agent, for an agent without the right, and for a machine.

A secret stay (« sans révéler sa présence ») is read by the admissions office that prepares it, and by nobody else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from auth.models import Account, Patient
from portal import db
from portal.db import Actor, Base
from portal.notifications import Notification
from services.pieces.models import Piece, PieceChange, PiecePage
from services.preadmission import actions, export, guests, queries
from services.preadmission.models import Preadmission, PreadmissionChange, StepAnswers
from services.preadmission.reminders import planning
from tests.factories import people
from tests.factories.preadmission import pieces_of, preadmission, put
from tests.ground import prepared, rows, today
from tests.pages import PageClient
from tests.services.preadmission.conftest import Ground

SECRET = (Preadmission, PreadmissionChange, StepAnswers, Piece, PieceChange, PiecePage)


@dataclass(frozen=True)
class Masked:
    """A child's masked file at `ground.hospital`, and the parent who acts for the child."""

    file_id: UUID
    reference: str
    child: Patient
    parent: Account
    as_parent: Actor


@pytest.fixture
def masked(ground: Ground) -> Masked:
    with prepared():
        child = people.patient(birth_name="OUBLIETTE", birth_on=today() - timedelta(days=365 * 16))
        people.give_access(ground.account, child, "parent")
        made = preadmission(
            child, ground.hospital.unit, "submitted", planned_on=today() + timedelta(days=12),
            account_id=ground.account.id,
        )  # fmt: skip
        put(pieces_of(made)["identity"])
        made.masked = made.confidential = True
        for piece in pieces_of(made).values():
            assert piece.folder_id == made.id
        as_parent = Actor(
            "patient", ground.account.name, ground.account.id, patients=frozenset({ground.patient.id, child.id}),
            proxied=frozenset({child.id}),
        )  # fmt: skip
        return Masked(made.id, made.reference, child, ground.account, as_parent)


def _strangers(ground: Ground, masked: Masked) -> dict[str, Actor]:
    here = ground.hospital.establishment.id
    return {
        "the parent": masked.as_parent,
        "another patient": ground.as_other_patient,
        "another hospital's clerk": ground.as_other_clerk,
        "an agent of appointments": people.as_agent(ground.clerk, here, "appointments"),
        "an agent of bills": people.as_agent(ground.clerk, here, "billing"),
        "an administrator": people.as_agent(ground.clerk, here, "administration"),
        "a machine of another hospital": Actor(
            "machine", "GAM", machine_id=UUID(int=7),
            rights={"preadmission": frozenset({ground.other_hospital.establishment.id})},
        ),
        "nobody": db.ANONYMOUS,
    }  # fmt: skip


@pytest.mark.parametrize("table", SECRET, ids=lambda table: table.__name__)
def test_no_row_is_read_by_anybody_else(ground: Ground, masked: Masked, table: type[Base]) -> None:
    with prepared():
        assert db.session.scalars(select(table)).first() is not None, "there is something to see"
    for who, actor in _strangers(ground, masked).items():
        with db.transaction(actor) as current:
            assert current.scalars(select(table)).all() == [], who


def test_no_list_search_nor_count_tells_of_it(ground: Ground, masked: Masked) -> None:
    for who, actor in _strangers(ground, masked).items():
        everywhere = frozenset({ground.hospital.establishment.id, ground.other_hospital.establishment.id})
        with db.transaction(actor):
            found = queries.tray(everywhere, queries.TrayFilter())
            assert sum(found.counts.values()) == 0, who
            assert list(found.files if hasattr(found, "files") else found.rows) == [], who
            assert list(queries.search(everywhere, "OUBLIETTE")) == [], who
            assert queries.by_reference(everywhere, masked.reference) is None, who
            assert queries.of_patient(masked.child.id) == [], who
            assert queries.one_of_patient(masked.child.id, masked.file_id) is None, who
            assert queries.history(masked.file_id) == [], who


def test_no_copy_of_data_nor_guest_tells_of_it(ground: Ground, masked: Masked) -> None:
    for who, actor in _strangers(ground, masked).items():
        with db.transaction(actor):
            assert list(export.part(masked.child.id).entries) == [], who
            assert list(export.part(masked.child.id).files) == [], who
            assert guests._find(masked.file_id) is None, who


def test_no_page_of_the_parent_tells_of_it(
    ground: Ground, masked: Masked, sign_in: Callable[[Account], PageClient]
) -> None:
    browser = sign_in(masked.parent)
    browser.post("/pour-qui", data={"patient_id": str(masked.child.id)})
    own = f"/pre-admission/{masked.file_id}"
    for address in (own, f"{own}/accuse-de-reception", f"{own}/accuse-de-reception.pdf", f"{own}/annuler"):
        assert browser.get(address).status_code in (302, 303, 404), address
    for address in ("/", "/pre-admission", "/mon-compte", "/mon-compte/journal", "/mon-compte/acces"):
        page = browser.get(address)
        assert masked.reference not in page.text, address
        assert str(masked.file_id) not in page.text, address


def test_no_message_of_its_life_goes_to_the_parent(ground: Ground, masked: Masked) -> None:
    before = len(rows(Notification))
    with db.transaction(ground.as_clerk) as current:
        file = current.get_one(Preadmission, masked.file_id)
        actions.refuse(file, "Ce séjour est dans un autre hôpital")
    assert len(rows(Notification)) == before
    with prepared():
        file = db.session.get_one(Preadmission, masked.file_id)
        assert list(planning.recipients(file, today())) == []
        assert planning.due_to(masked.parent.id, today()) == []


def test_no_figure_tells_of_a_person(app: Flask, masked: Masked) -> None:
    with prepared():
        columns = db.session.execute(
            text("select column_name from information_schema.columns where table_name like 'kpi%'")
        )
        assert not {"patient_id", "object_id", "reference"} & {name for (name,) in columns}
        told = db.session.execute(text("select coalesce(string_agg(k::text, ' '), '') from kpi_event k")).scalar()
        assert masked.reference not in str(told)
        assert str(masked.child.id) not in str(told)


def test_no_line_of_the_journal_is_read_by_the_parent_or_by_another_hospital(ground: Ground, masked: Masked) -> None:
    with db.transaction(ground.as_clerk) as current:
        actions.look(current.get_one(Preadmission, masked.file_id))
    for who, actor in _strangers(ground, masked).items():
        with db.transaction(actor) as current:
            lines = current.execute(
                text("select count(*) from audit_event where object_id = :file"), {"file": masked.file_id}
            ).scalar()
            assert lines == 0, who


def test_the_person_and_their_admissions_office_do_see_it(ground: Ground, masked: Masked) -> None:
    """So that the absences above mean something."""
    own = Actor("patient", "Ana", patients=frozenset({masked.child.id}))
    with db.transaction(own):
        assert queries.one_of_patient(masked.child.id, masked.file_id) is not None
    with db.transaction(ground.as_clerk):
        assert queries.one_at(frozenset({ground.hospital.establishment.id}), masked.file_id) is not None
