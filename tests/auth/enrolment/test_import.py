"""`parvis import patients`: streamed, run twice without harm, taken up where it was cut; providers' traits are safe."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from auth import enrolment as package
from auth.enrolment import actions, jobs, patient_file
from auth.enrolment.patient_file import PatientLine, Refusal
from auth.models import Patient, PatientRecord
from portal import db
from portal.config import Settings
from portal.db import session
from portal.delimited import NotSuchAFile
from tests.auth.enrolment.conftest import IPP, Ground
from tests.ground import count, prepared, rows
from tests.statements import executed

HEADER = ";".join(patient_file.COLUMNS)
FACTS = {
    "finess": "990000017", "ipp": "42", "birth_name": "MAURIN", "first_names": "JEAN-MARIE PAUL", "used_name": "",
    "birth_on": "1943-00-00", "sex": "M", "birthplace": "97411", "ins": "", "ins_oid": "", "ins_status": "",
    "email": "", "mobile": "", "deceased_on": "",
}  # fmt: skip
TEST_OID = "1.2.250.1.213.1.4.10"
INS = "251032A00401205"
Load = Callable[..., jobs.ImportReport]


def line(**changes: str) -> str:
    return ";".join((FACTS | changes).values())


def counts(report: jobs.ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.refused


@pytest.fixture
def load(ground: Ground, tmp_path: Path) -> Load:
    def loaded(
        *lines: str, header: str = HEADER, encoding: str = "utf-8", production: bool = False
    ) -> jobs.ImportReport:
        path = tmp_path / "patients.csv"
        path.write_bytes("\r\n".join([header, *lines, ""]).encode(encoding))
        return jobs.import_patients(path, production=production)

    return loaded


def at(ground: Ground, ipp: str) -> Patient:
    with prepared():
        return session.scalars(
            select(Patient)
            .join(PatientRecord, PatientRecord.patient_id == Patient.id)
            .where(PatientRecord.establishment_id == ground.here, PatientRecord.ipp == ipp)
        ).one()


class TestAPatientOfTheFile:
    def test_is_added_with_traits_to_the_letter(self, load: Load, ground: Ground) -> None:
        assert counts(load(line())) == (1, 0, 0, 0)
        made = at(ground, "42")
        assert (made.birth_name, made.first_names) == ("MAURIN", ["JEAN-MARIE", "PAUL"])
        assert (made.birth_on, made.birth_on_raw, made.birthplace_insee) == (date(1943, 1, 1), "1943-00-00", "97411")
        assert (made.name_key, made.first_key) == ("MAURIN", "JEANMARIE")

    def test_loaded_twice_changes_nothing(self, load: Load) -> None:
        load(line())
        assert counts(load(line())) == (0, 0, 1, 0)

    def test_is_brought_up_to_date(self, load: Load, ground: Ground) -> None:
        load(line())
        assert counts(load(line(used_name="SOREL", birth_on="1943-04-05"))) == (0, 1, 0, 0)
        assert at(ground, "42").used_name == "SOREL"

    def test_said_twice_in_one_file_is_what_was_said_last(self, load: Load, ground: Ground) -> None:
        assert counts(load(line(), line(used_name="SOREL"))) == (1, 1, 0, 0)

    def test_with_first_names_of_two_words_is_listed_with_commas(self, load: Load, ground: Ground) -> None:
        load(line(first_names="JEAN MARIE,PAUL"))
        assert at(ground, "42").first_names == ["JEAN MARIE", "PAUL"]


class TestAnAccount:
    def test_keeps_what_its_provider_vouched_for(self, load: Load, ground: Ground) -> None:
        """The line goes to the hospital's own description, kept aside."""
        with db.transaction(ground.unit):
            actions.link(ground.patient.id, ground.here, IPP, "agent")
        load(line(ipp=IPP, birth_name="LE GOF", birth_on="1951-03-02"))
        with prepared():
            assert session.get_one(Patient, ground.patient.id).birth_name == "LE GOFF"
            assert session.get_one(Patient, ground.known.id).birth_name == "LE GOF"

    def test_gets_the_identity_that_the_hospital_qualified(self, load: Load, ground: Ground) -> None:
        with prepared():
            session.get_one(Patient, ground.known.id).ins = ""
        with db.transaction(ground.unit):
            actions.link(ground.patient.id, ground.here, IPP, "agent")
        load(line(ipp=IPP, ins=INS, ins_oid=TEST_OID, ins_status="QUAL"))
        with prepared():
            assert session.get_one(Patient, ground.patient.id).shown_ins == INS

    def test_of_a_file_that_says_less_loses_nothing(self, load: Load, ground: Ground) -> None:
        with db.transaction(ground.unit):
            actions.link(ground.patient.id, ground.here, IPP, "agent")
        load(line(ipp=IPP))
        with prepared():
            assert session.get_one(Patient, ground.patient.id).identity_status == "QUAL"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"finess": "123456789"}, "no hospital has the number"),
        ({"ipp": ""}, "ipp: missing"),
        ({"ipp": "4 2"}, "ipp: "),
        ({"birth_name": ""}, "birth_name: missing"),
        ({"birth_on": "01/02/1943"}, "birth_on: "),
        ({"birth_on": "1943-02-30"}, "birth_on: "),
        ({"sex": "X"}, "sex: "),
        ({"birthplace": "2C004"}, "birthplace: "),
        ({"ins": "251032A00401248", "ins_oid": TEST_OID}, "ins: "),
        ({"ins": INS, "ins_oid": "1.2.3"}, "ins_oid: "),
        ({"ins_status": "QUAL"}, "ins: missing"),
        ({"ins_status": "SURE"}, "ins_status: "),
        ({"email": "nobody"}, "email: "),
        ({"mobile": "0612345678"}, "mobile: "),
        ({"deceased_on": "2026-00-00"}, "deceased_on: "),
        ({"birth_name": "A" * 201}, "birth_name: too long"),
        ({"birth_name": "A\x00B"}, "birth_name: too long"),
    ],
)
def test_a_wrong_line_is_left_out_alone_and_says_why(load: Load, changes: dict[str, str], why: str) -> None:
    report = load(line(**changes), line(ipp="43"))
    assert counts(report) == (1, 0, 0, 1)
    assert report.refusals[0].why.startswith(why) or why in report.refusals[0].why
    assert "MAURIN" not in str(report.refusals), "a report names nobody"


class TestADeath:
    def test_told_by_the_file_is_declared(self, load: Load, ground: Ground) -> None:
        assert load(line(deceased_on="2026-03-01")).deaths == 1
        assert at(ground, "42").deceased_on == date(2026, 3, 1)

    def test_told_again_is_told_once(self, load: Load) -> None:
        load(line(deceased_on="2026-03-01"))
        assert load(line(deceased_on="2026-03-01")).deaths == 0

    def test_before_the_birth_is_refused_and_the_rest_goes_on(self, load: Load, ground: Ground) -> None:
        report = load(line(deceased_on="1900-01-01"), line(ipp="43"))
        assert (report.added, report.refused, report.deaths) == (2, 1, 0)


def test_a_test_identity_never_enters_production(load: Load) -> None:
    facts = {"ins": INS, "ins_oid": TEST_OID, "ins_status": "QUAL"}
    assert load(line(**facts), production=True).refused == 1
    assert load(line(**facts)).added == 1


@pytest.mark.parametrize(
    "broken", [{"header": "finess;ipp"}, {"encoding": "latin-1"}], ids=["a column is missing", "another encoding"]
)
def test_a_file_that_is_none_is_refused_before_anything_is_written(load: Load, broken: dict[str, str]) -> None:
    before = count(Patient)
    with pytest.raises(NotSuchAFile):
        load(line(birth_name="LÉONCE"), **broken)
    assert count(Patient) == before


def test_unknown_columns_and_another_order_do_not_matter(load: Load, ground: Ground) -> None:
    names = list(reversed(patient_file.COLUMNS))
    row = ";".join([FACTS[name] for name in names] + ["x"])
    assert load(row, header=";".join([*names, "unheard_of"])).added == 1


class TestALargeFile:
    def test_is_read_and_written_in_batches(self, app: Flask, load: Load) -> None:
        with executed(app) as statements:
            report = load(*(line(ipp=str(number)) for number in range(5000)))
        assert counts(report) == (5000, 0, 0, 0)
        assert len(statements) < 200, "a handful of statements for five hundred lines"

    def test_cut_in_the_middle_is_taken_up(
        self, load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ground: Ground
    ) -> None:
        lines = [line(ipp=str(number)) for number in range(1200)]
        read = patient_file.read

        def cut(path: Path, *, production: bool) -> Iterator[PatientLine | Refusal]:
            for number, each in enumerate(read(path, production=production)):
                if number == 1100:
                    raise KeyboardInterrupt
                yield each

        before = count(Patient)
        monkeypatch.setattr(patient_file, "read", cut)
        with pytest.raises(KeyboardInterrupt):
            load(*lines)
        assert count(Patient) - before == 1000
        monkeypatch.setattr(patient_file, "read", read)
        assert counts(load(*lines)) == (200, 0, 1000, 0)

    def test_is_never_held_whole_in_memory(self, tmp_path: Path) -> None:
        path = tmp_path / "patients.csv"
        path.write_text("\n".join([HEADER, *(line(ipp=str(n)) for n in range(3))]), encoding="utf-8")
        lines = patient_file.read(path, production=False)
        assert isinstance(next(lines), PatientLine)
        assert not isinstance(next(lines), Refusal)


def test_the_command_tells_a_line_a_refusal_and_the_counts(
    app: Flask, ground: Ground, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.config.load", lambda: settings)
    path = tmp_path / "patients.csv"
    path.write_text("\n".join([HEADER, line(), line(ipp="")]), encoding="utf-8")
    (group,) = package.for_operators()
    done = CliRunner().invoke(group, ["patients", str(path)], obj=lambda _settings: app)
    assert [json.loads(row) for row in done.output.splitlines()] == [
        {"line": 3, "ipp": "", "refused": "ipp: missing"},
        {"added": 1, "changed": 0, "unchanged": 0, "refused": 1, "deaths": 0, "removed": 0},
    ]
    assert len([each for each in rows(PatientRecord) if each.ipp == "42"]) == 1
