"""`parvis audit affected`: everybody whose data were touched, nobody else, in a file that only its owner reads."""

import csv
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import insert

from auth.contact.models import ContactPoint
from auth.models import Account, Patient
from auth.oversight.commands import audit_commands
from portal import db
from portal.audit import AuditEvent
from portal.config import Settings
from portal.db import session
from portal.establishments import Establishment
from portal.files import StoredFile
from tests.admin.conftest import Group
from tests.admin.conftest import group as group
from tests.conftest import Database
from tests.factories import people
from tests.ground import audited, prepared, rows

Run = Callable[..., Result]
NIGHT = datetime(2026, 11, 3, 1, 30, tzinfo=UTC)  # 02:30 in Paris


@pytest.fixture
def run(app: Flask, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in {
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PORTAL_FILE_KEYS": settings.file_keys.get_secret_value(),
        "PORTAL_DATABASE_URL": database.application_url,
    }.items():
        monkeypatch.setenv(name, value)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(audit_commands, ["affected", *arguments], obj=lambda _settings: app)

    return invoke


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def opened(agent: Account, place: Establishment, patient: Patient, moment: datetime, thing: UUID | None = None) -> None:
    row = {
        "actor": f"staff:{agent.id}", "actor_name": agent.name, "action": "document.opened", "object_kind": "document",
        "object_id": thing, "establishment_id": place.id, "patient_id": patient.id, "at": moment,
    }  # fmt: skip
    with db.transaction(people.as_agent(agent, place.id, "preadmission")) as current:
        current.execute(insert(AuditEvent).inline(), [row])


def known(place: Establishment, name: str, **facts: str) -> Patient:
    with prepared():
        made = people.patient(name, ("LUCIE",), **facts)  # type: ignore[arg-type]  # facts of any field
        people.known_at(made, place.id)
        return made


def listed(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")


def names(path: Path) -> set[str]:
    return {each["family_name"] for each in listed(path)}


class TestByTheAudit:
    def test_lists_those_whom_an_agent_touched_in_these_hours_and_nobody_else(
        self, run: Run, group: Group, out: Path
    ) -> None:
        with prepared():
            thief = people.agent(group.north.id, "documents", name="Théo Voleur")
            other = people.agent(group.north.id, "documents", name="Anne Autre")
        seen, before, by_other = (known(group.north, each) for each in ("VUE", "AVANT", "AUTRE"))
        for moment in (NIGHT, NIGHT.replace(minute=50)):
            opened(thief, group.north, seen, moment)
        opened(thief, group.north, before, NIGHT.replace(hour=0))
        opened(other, group.north, by_other, NIGHT)
        period = ("--from", "2026-11-03T02:00", "--to", "2026-11-03T03:00")
        for actor in (f"staff:{thief.id}", str(thief.id)):
            out.unlink(missing_ok=True)
            result = run(*period, "--actor", actor, "--output", str(out))
            assert result.exit_code == 0, result.output
            (line,) = listed(out)
            assert (line["family_name"], line["times"], line["finess"]) == ("VUE", "2", group.north.finess)
            assert line["first_at"] == "2026-11-03T01:30:00+00:00"
        assert "VUE" not in result.output, "a terminal keeps what it showed"

    def test_of_two_days_holds_both(self, run: Run, group: Group, out: Path) -> None:
        with prepared():
            agent = people.agent(group.north.id, "documents")
        for name, moment in (
            ("VEILLE", datetime(2026, 11, 1, 22, 59, tzinfo=UTC)),
            ("PREMIER", datetime(2026, 11, 1, 23, 0, tzinfo=UTC)),
            ("DERNIER", datetime(2026, 11, 3, 22, 59, tzinfo=UTC)),
            ("APRÈS", datetime(2026, 11, 3, 23, 0, tzinfo=UTC)),
        ):
            opened(agent, group.north, known(group.north, name), moment)
        run("--from", "2026-11-02", "--to", "2026-11-03", "--output", str(out))
        assert names(out) == {"PREMIER", "DERNIER"}

    def test_at_one_hospital(self, run: Run, group: Group, out: Path) -> None:
        with prepared():
            agent = people.agent(group.north.id, "documents")
        for place, name in ((group.north, "NORD"), (group.south, "SUD")):
            opened(agent, place, known(place, name), NIGHT)
        period = ("--from", "2026-11-03", "--to", "2026-11-03")
        run(*period, "--establishment", group.south.finess, "--output", str(out))
        assert names(out) == {"SUD"}

    def test_more_people_than_are_read_at_once(
        self, run: Run, group: Group, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("auth.oversight.affected._AT_ONCE", 3)
        with prepared():
            agent = people.agent(group.north.id, "documents")
        for number in range(7):
            opened(agent, group.north, known(group.north, f"P{number}"), NIGHT)
        result = run("--from", "2026-11-03", "--to", "2026-11-03", "--output", str(out))
        assert names(out) == {f"P{number}" for number in range(7)}
        assert result.output.startswith("7 people, 0 of them")


class TestByThings:
    def test_a_file_leads_to_its_person_by_number_key_or_path(self, run: Run, group: Group, out: Path) -> None:
        people_of = [known(group.north, name) for name in ("NUMÉRO", "CLÉ", "CHEMIN", "AUTRE")]
        with prepared():
            made = [_stored(patient) for patient in people_of]
        leaked = out.with_name("leaked")
        leaked.write_text(f"{made[0].id}\n{made[1].storage_key}\nobjects/ab/{made[2].storage_key}\n\nnothing-known\n")
        result = run("--object-file", str(leaked), "--output", str(out))
        assert names(out) == {"NUMÉRO", "CLÉ", "CHEMIN"}
        assert "1 of the things lead to nobody" in result.output

    def test_a_thing_leads_to_the_people_of_its_lines(self, run: Run, group: Group, out: Path) -> None:
        with prepared():
            agent = people.agent(group.north.id, "documents")
        letter = uuid4()
        opened(agent, group.north, known(group.north, "LETTRE"), NIGHT, letter)
        opened(agent, group.north, known(group.north, "AUTRE"), NIGHT, uuid4())
        leaked = out.with_name("leaked")
        leaked.write_text(f"{letter}\n{letter}\n")
        run("--object-file", str(leaked), "--output", str(out))
        assert names(out) == {"LETTRE"}


class TestHowToReachThem:
    def lines(self, run: Run, out: Path, group: Group, *patients: Patient) -> dict[str, dict[str, str]]:
        with prepared():
            agent = people.agent(group.north.id, "documents")
        for patient in patients:
            opened(agent, group.north, patient, NIGHT)
        assert run("--from", "2026-11-03", "--to", "2026-11-03", "--output", str(out)).exit_code == 0
        return {line["family_name"]: line for line in listed(out)}

    def test_by_their_account_then_their_record_then_whoever_acts_for_them(
        self, run: Run, group: Group, out: Path
    ) -> None:
        recorded = known(group.north, "DOSSIER", email="dossier@exemple.test", mobile="0600000001")
        unreachable = known(group.north, "PERSONNE")
        child = known(group.north, "ENFANT")
        with prepared():
            own, patient = people.patient_with_account(birth_name="COMPTE", email="old@exemple.test")
            session.add(_verified(own, "0600000002"))
            people.give_access(people.account(email="mere@exemple.test"), child, "parent")
        found = self.lines(run, out, group, recorded, unreachable, child, patient)
        reached = {name: (line["through"], line["email"], line["mobile"]) for name, line in found.items()}
        assert reached == {
            "DOSSIER": ("record", "dossier@exemple.test", "0600000001"),
            "PERSONNE": ("", "", ""),
            "ENFANT": ("parent", "mere@exemple.test", ""),
            "COMPTE": ("self", "jeanne@exemple.test", "0600000002"),
        }

    def test_a_name_that_looks_like_a_formula_stays_a_name(self, run: Run, group: Group, out: Path) -> None:
        found = self.lines(run, out, group, known(group.north, "=HYPERLINK(1)"))
        assert list(found) == ["'=HYPERLINK(1)"]


class TestTheFile:
    PERIOD = ("--from", "2026-11-03", "--to", "2026-11-03")

    def test_is_its_owners_alone_and_never_written_over(self, run: Run, group: Group, out: Path) -> None:
        assert run(*self.PERIOD, "--output", str(out)).exit_code == 0
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        again = run(*self.PERIOD, "--output", str(out))
        assert again.exit_code == 1
        assert "cannot be made" in again.output

    def test_does_not_stay_when_it_could_not_be_finished(
        self, run: Run, group: Group, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("auth.oversight.affected.people", lambda _found: _broken())
        assert run(*self.PERIOD, "--output", str(out)).exit_code == 1
        assert not out.exists()
        assert audited() == ["people.sought"], "that it was asked for stays"

    def test_is_said_in_the_audit_with_what_was_asked(self, run: Run, group: Group, out: Path) -> None:
        run(*self.PERIOD, "--actor", "staff:x", "--establishment", group.north.finess, "--output", str(out))
        sought, written = rows(AuditEvent)
        assert (sought.action, sought.actor) == ("people.sought", "system:cli.audit_affected")
        assert sought.establishment_id == group.north.id
        assert sought.details == {
            "first": "2026-11-03T00:00:00+01:00", "last": "2026-11-04T00:00:00+01:00", "actors": "staff:x", "what": "",
        }  # fmt: skip
        assert (written.action, written.details) == ("people.listed", {"found": 0, "reached": 0})

    @pytest.mark.parametrize("arguments", [
        (),
        ("--from", "2026-11-03"),
        ("--from", "2026-11-04", "--to", "2026-11-03"),
        ("--from", "yesterday", "--to", "2026-11-03"),
        ("--from", "2026-11-03", "--to", "2026-11-03", "--object-file", "/dev/null"),
        ("--actor", "staff:x", "--object-file", "/dev/null"),
    ])  # fmt: skip
    def test_is_not_made_for_a_question_that_makes_no_sense(self, run: Run, out: Path, arguments: tuple[str]) -> None:
        assert run(*arguments, "--output", str(out)).exit_code == 2
        assert not out.exists()


def _broken() -> Iterator[None]:
    yield from ()
    raise OSError("no space left")


def _stored(patient: Patient) -> StoredFile:
    made = StoredFile(
        id=uuid4(), storage_key=uuid4().hex, name="x.pdf", media_type="application/pdf", size=1, sha256=b"0" * 32,
        state="clean", patient_id=patient.id,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def _verified(own: Account, number: str) -> ContactPoint:
    return ContactPoint(
        id=uuid4(), account_id=own.id, kind="mobile", value=number, code_digest=b"", code_expires_at=db.now(),
        verified_at=db.now(),
    )  # fmt: skip
