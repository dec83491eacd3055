"""Each table of this floor is closed to whoever is not concerned, whatever a query forgets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from io import BytesIO
from uuid import uuid4

import pytest
from flask import Flask
from PIL import Image
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Delete, Insert, Table, Update, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, ProgrammingError

from auth import actions
from auth.agents import actions as agents
from auth.agents.actions import Draft
from auth.models import (
    Account,
    HeldForm,
    Identity,
    Patient,
    PatientAccess,
    PatientRecord,
    Professional,
    SignInAttempt,
    StaffInvitation,
    StaffRight,
    WebSession,
)
from auth.oidc import new_attempt
from portal import audit, db, files, kpi, notifications
from portal.audit import AuditEvent
from portal.db import ANONYMOUS, RIGHTS, Actor, Base
from portal.establishments import Establishment, EstablishmentSetting, Unit
from portal.files import StoredFile
from portal.notifications import Notification
from portal.web.repeated_posts import RepeatedPost
from tests.factories import people
from tests.factories.hospitals import Hospital, hospital
from tests.ground import prepared

PERSONAL: tuple[type[Base], ...] = (
    Account, Identity, Patient, PatientAccess, PatientRecord, Professional, StaffRight, StaffInvitation, WebSession,
    SignInAttempt, HeldForm, Notification, StoredFile, AuditEvent, RepeatedPost,
)  # fmt: skip


_image = BytesIO()
Image.new("RGB", (1, 1)).save(_image, "PNG")
PNG = _image.getvalue()


class Ground:
    """One patient, one practitioner and one agent of a hospital, each with a row in every table about them."""

    def __init__(self) -> None:
        self.north: Hospital = hospital()
        self.south: Hospital = hospital("990000025", "Hôpital du sud")
        self.account, self.patient = people.patient_with_account()
        people.known_at(self.patient, self.north.establishment.id, "800")
        self.professional = people.professional(issuer="https://psc", subject="1")
        self.agent = people.agent(self.north.establishment.id, "billing", issuer="https://pc", subject="2")
        self._fill()

    def _fill(self) -> None:
        current = db.session
        current.add(Identity(issuer="https://fc", subject="3", account_id=self.account.id))
        current.add(WebSession(digest=b"d", account_id=self.account.id, provider="x", expires_at=db.now()))
        current.add(HeldForm(account_id=self.account.id, path="/", sealed=b"s"))
        current.add(Notification(account_id=self.account.id, recipient="a@b", subject="s", body="b"))
        current.add(StoredFile(storage_key="k", name="n", media_type="m", size=1, sha256=b"", state="clean",
                               account_id=self.account.id, patient_id=self.patient.id,
                               establishment_id=self.north.establishment.id, staff_right="preadmission"))  # fmt: skip
        current.add(RepeatedPost(key=uuid4(), actor="system:tests"))
        current.add(
            EstablishmentSetting(establishment_id=self.north.establishment.id, key="key", value="v", secret=True)
        )
        actions.begin("franceconnect", new_attempt(), "browser", "/")
        agents.invite(Draft("someone@exemple.test", ("billing",), self.north.establishment.id))
        audit.record("patient.opened", patient_id=self.patient.id, establishment_id=self.north.establishment.id)


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        return Ground()


def strangers(ground: Ground) -> dict[str, Actor]:
    """Everybody who has nothing to do with the ground's people."""
    with prepared():
        account, patient = people.patient_with_account()
        other = people.professional("10000000025", issuer="https://psc", subject="9")
        agent = people.agent(ground.south.establishment.id, *RIGHTS)
    return {
        "anonymous": ANONYMOUS,
        "patient": people.as_patient(account, patient),
        "professional": people.as_professional(other),
        "agent elsewhere": people.as_agent(agent, ground.south.establishment.id, *RIGHTS),
        "machine": Actor("machine", "his"),
    }


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    with db.transaction(actor):
        yield


def seen(actor: Actor, model: type[Base]) -> int:
    with acting(actor):
        return len(db.session.execute(select(*model.__table__.primary_key.columns)).all())


# What a stranger sees because it is theirs; an administrator elsewhere also sees the accounts of agents, to give them
# rights, and every agent sees the practitioners one may write to.
SEEN: dict[str, dict[type[Base], int]] = {
    "patient": {Account: 1, Patient: 1, PatientAccess: 1},
    "professional": {Account: 1, Identity: 1, Professional: 1},
    "staff": {Account: 2, StaffRight: len(RIGHTS), Professional: 2},
}
WRITABLE: dict[str, dict[type[Base], int]] = {
    "patient": {Account: 1},
    "professional": {Account: 1},
    "staff": {Account: 1, StaffRight: len(RIGHTS)},
}
EVERYBODY_ELSE = ("anonymous", "patient", "professional", "agent elsewhere", "machine")
per_stranger = pytest.mark.parametrize("who", EVERYBODY_ELSE)


@per_stranger
def test_a_stranger_sees_nothing_of_any_table(ground: Ground, who: str) -> None:
    stranger = strangers(ground)[who]
    theirs = SEEN.get(stranger.kind, {})
    nothing_to_hide = [model for model in PERSONAL if seen(db.system("tests"), model) < max(theirs.get(model, 0), 1)]
    assert nothing_to_hide == []
    assert {model: seen(stranger, model) for model in PERSONAL} == dict.fromkeys(PERSONAL, 0) | theirs


@per_stranger
@pytest.mark.parametrize("command", ["update", "delete"])
def test_a_stranger_changes_and_deletes_nothing_of_any_table(ground: Ground, command: str, who: str) -> None:
    stranger = strangers(ground)[who]
    theirs = WRITABLE.get(stranger.kind, {})
    changed = {model: _affected(stranger, _everywhere(command, model)) for model in PERSONAL}
    assert {model: count for model, count in changed.items() if count > theirs.get(model, 0)} == {}


def _everywhere(command: str, model: type[Base]) -> Update | Delete:
    """A statement that would reach every row of the table."""
    table = model.__table__
    assert isinstance(table, Table)
    column = next(each for each in table.columns if not each.primary_key)
    return delete(table) if command == "delete" else update(table).values({column.name: column})


def _affected(actor: Actor, statement: Update | Delete) -> int:
    """How many rows the statement reaches, as this actor; nothing is kept."""
    try:
        with acting(actor):
            count = db.session.connection().execute(statement).rowcount
            db.session.rollback()
            return count
    except ProgrammingError as refused:
        if not isinstance(refused.orig, InsufficientPrivilege):
            raise
        return 0


FORGED = {
    "an access to somebody": lambda ground, me: insert(PatientAccess).values(
        account_id=me.account_id, patient_id=ground.patient.id, relation="self"),
    "a right": lambda ground, me: insert(StaffRight).values(
        account_id=me.account_id, establishment_id=ground.north.establishment.id, right="administration"),
    "an identity": lambda ground, me: insert(Identity).values(
        id=uuid4(), issuer="https://fc", subject="9", account_id=ground.account.id),
    "a session of somebody else": lambda ground, me: insert(WebSession).values(
        id=uuid4(), digest=b"x", account_id=ground.account.id, provider="", expires_at=db.now()),
    "an audit line under another name": lambda ground, me: insert(AuditEvent).inline().values(
        actor=f"patient:{ground.account.id}", action="x", patient_id=ground.patient.id),
    "a held form for somebody else": lambda ground, me: insert(HeldForm).values(
        id=uuid4(), account_id=ground.account.id, path="/", sealed=b""),
    "a file of somebody else": lambda ground, me: insert(StoredFile).values(
        id=uuid4(), storage_key="x", name="", media_type="", size=1, sha256=b"", state="clean",
        account_id=ground.account.id),
    "an invitation": lambda ground, me: insert(StaffInvitation).values(
        id=uuid4(), digest=b"x", email="", rights=[], expires_at=db.now()),
    "a hospital": lambda ground, me: insert(Establishment).values(id=uuid4(), finess="1", name="x"),
    "a person": lambda ground, me: insert(Patient).inline().values(
        id=uuid4(), birth_name="X", first_names=["X"], birth_on=date(1980, 1, 1)),
    "a record of somebody, to see them from another hospital": lambda ground, me: insert(PatientRecord).inline().values(
        patient_id=ground.patient.id, establishment_id=ground.south.establishment.id),
    "a first answer under another name": lambda ground, me: insert(RepeatedPost).values(
        key=uuid4(), actor=f"patient:{ground.account.id}"),
}  # fmt: skip


@per_stranger
def test_a_stranger_cannot_write(ground: Ground, who: str) -> None:
    stranger = strangers(ground)[who]
    for what, forged in FORGED.items():
        assert "row-level security" in _refusal(stranger, forged(ground, stranger)), what


def _refusal(actor: Actor, statement: Insert) -> str:
    """What the database says to this actor's statement; nothing when it lets it through."""
    try:
        with acting(actor):
            db.session.execute(statement)
    except DBAPIError as refused:
        return str(refused)
    return ""


class TestWhoIsConcerned:
    def test_the_patient_sees_their_own_side(self, ground: Ground) -> None:
        me = people.as_patient(ground.account, ground.patient)
        mine = {
            Account, Identity, Patient, PatientAccess, PatientRecord, WebSession, HeldForm, Notification, StoredFile,
            AuditEvent,
        }  # fmt: skip
        assert {model for model in PERSONAL if seen(me, model)} == mine

    def test_the_patient_opens_a_record_of_theirs_without_choosing_its_number(self, ground: Ground) -> None:
        """A hospital's bills and letters follow its number (IPP)."""
        me, there = people.as_patient(ground.account, ground.patient), ground.south.establishment.id
        record = insert(PatientRecord).inline().values(patient_id=ground.patient.id, establishment_id=there)
        with pytest.raises(DBAPIError, match="row-level security"), acting(me):
            db.session.execute(record.values(ipp="900"))
        with acting(me):
            db.session.execute(record)

    def test_the_patient_does_not_write_the_traits_that_letters_are_filed_by(self, ground: Ground) -> None:
        me = people.as_patient(ground.account, ground.patient)
        assert _affected(me, update(Patient).values(ins="180010100000184", identity_status="QUAL")) == 0

    def test_an_agent_of_two_hospitals_makes_a_patient_of_one_known_to_the_other(self, ground: Ground) -> None:
        north, south = ground.north.establishment.id, ground.south.establishment.id
        me = people.as_agent(ground.agent, north, "appointments")
        both = replace(me, rights={"appointments": frozenset({north, south})})
        with acting(both):
            db.session.execute(
                insert(PatientRecord).inline().values(patient_id=ground.patient.id, establishment_id=south)
            )

    def test_an_agent_sees_the_patients_of_their_hospital(self, ground: Ground) -> None:
        me = people.as_agent(ground.agent, ground.north.establishment.id, "billing")
        assert seen(me, Patient) == 1
        assert seen(me, PatientRecord) == 1

    def test_but_only_the_files_of_their_own_tray(self, ground: Ground) -> None:
        counts = {
            right: seen(people.as_agent(ground.agent, ground.north.establishment.id, right), StoredFile)
            for right in RIGHTS
        }
        assert counts == dict.fromkeys(RIGHTS, 0) | {"preadmission": 1}

    def test_an_auditor_reads_the_audit_of_their_hospital_and_others_do_not(self, ground: Ground) -> None:
        counts = {
            right: seen(people.as_agent(ground.agent, ground.north.establishment.id, right), AuditEvent)
            for right in RIGHTS
        }
        assert counts["audit"] > 0
        assert {right for right, count in counts.items() if count} == {"audit"}

    def test_an_administrator_never_lists_patients_accounts(self, ground: Ground) -> None:
        me = people.as_agent(ground.agent, ground.north.establishment.id, "administration")
        with acting(me):
            assert {account.audience for account in db.session.scalars(select(Account))} == {"staff"}

    def test_a_secret_setting_is_for_jobs_and_its_administrators(self, ground: Ground) -> None:
        here, there = ground.north.establishment.id, ground.south.establishment.id
        assert seen(people.as_agent(ground.agent, here, "administration"), EstablishmentSetting) == 1
        assert seen(people.as_agent(ground.agent, there, "administration"), EstablishmentSetting) == 0
        assert seen(people.as_agent(ground.agent, here, "billing"), EstablishmentSetting) == 0

    def test_everybody_knows_the_hospitals(self, ground: Ground) -> None:
        assert (seen(ANONYMOUS, Establishment), seen(ANONYMOUS, Unit)) == (2, 2)


class TestTheLedgers:
    @pytest.mark.parametrize("table", ["audit_event", "audit_batch", "kpi_event"])
    @pytest.mark.parametrize("command", ["update {} set {} = default", "delete from {}", "truncate {}"])
    def test_are_append_only_even_for_the_system(self, ground: Ground, table: str, command: str) -> None:
        column = {"audit_event": "actor", "audit_batch": "events", "kpi_event": "event"}[table]
        with pytest.raises(ProgrammingError, match="permission denied"), acting(db.system("tests")):
            db.session.execute(text(command.format(table, column)))

    def test_of_figures_are_written_by_everybody_and_read_by_nobody(self, ground: Ground) -> None:
        with acting(ANONYMOUS):
            kpi.count("visit_started")
        assert seen(ANONYMOUS, kpi.KpiEvent) == 0
        assert seen(people.as_agent(ground.agent, ground.north.establishment.id, *RIGHTS), kpi.KpiEvent) == 0


def test_a_message_is_written_for_somebody_and_not_read_back(ground: Ground) -> None:
    """A patient's booking tells the hospital: the patient must not read that message afterwards."""
    me = people.as_patient(ground.account, ground.patient)
    with acting(me):
        notifications.tell(
            notifications.Mail("subject", ("text",)), recipient="agent@exemple.test", account_id=ground.agent.id
        )
    with acting(me):
        assert [row.account_id for row in db.session.scalars(select(Notification))] == [ground.account.id]


def test_an_upload_of_nobody_is_refused(ground: Ground) -> None:
    with pytest.raises(DBAPIError, match="row-level security"), acting(ANONYMOUS):
        files.receive(files.from_bytes([PNG]), "x.png")
