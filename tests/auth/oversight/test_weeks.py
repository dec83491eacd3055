"""A week of the audit as the rules see it, found by the job, kept once, shown to nobody but the auditors."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID

from flask import Flask
from sqlalchemy import insert, select

from auth.models import Account, Patient
from auth.oversight import ties, weeks
from auth.oversight.models import UnusualAccess
from auth.oversight.rules import Opened
from portal import db, jobs
from portal.audit import AuditEvent
from portal.establishments import Establishment
from portal.notifications import Notification
from tests.admin.conftest import Group
from tests.admin.conftest import group as group
from tests.factories import people
from tests.ground import prepared, rows

MONDAY = date(2026, 11, 16)


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def opened(agent: Account, place: Establishment, patient: Patient, moment: datetime, action: str = "document.opened",
           object_kind: str = "document") -> None:  # fmt: skip
    row = {
        "actor": f"staff:{agent.id}",
        "actor_name": agent.name,
        "action": action,
        "object_kind": object_kind,
        "establishment_id": place.id,
        "patient_id": patient.id,
        "at": moment,
    }
    with db.transaction(people.as_agent(agent, place.id, "preadmission")) as current:
        current.execute(insert(AuditEvent).inline(), [row])


def some_patient(place: Establishment, name: str = "QUELCONQUE", first: str = "LUCIE") -> Patient:
    with prepared():
        made = people.patient(name, (first,))
        people.known_at(made, place.id)
        return made


def gathered(place: Establishment) -> weeks.Week:
    with db.transaction(db.system("tests")) as current:
        return weeks.gathered(current.get_one(Establishment, place.id), MONDAY)


class TestAWeek:
    def test_it_is_the_hospitals_own_and_begins_at_its_midnight(self, group: Group) -> None:
        patient = some_patient(group.north)
        for moment in (at(15, 22), at(15, 23), at(22, 22), at(22, 23)):  # midnight is 23:00 UTC in winter
            opened(group.clerk, group.north, patient, moment)
        opened(group.clerk, group.south, patient, at(18, 10))
        assert gathered(group.north).opened == (Opened(group.clerk.id, patient.id, 2, 2),)

    def test_day_and_night_are_the_hospitals(self, group: Group) -> None:
        patient = some_patient(group.north)
        for moment in (at(17, 5), at(17, 6), at(17, 18), at(17, 19), at(21, 10)):
            opened(group.clerk, group.north, patient, moment)
        (one,) = gathered(group.north).opened
        assert (one.times, one.out_of_hours) == (5, 3), "6:00, 20:00 and Saturday"

    def test_what_shows_nothing_of_a_file_and_what_an_emergency_opened_do_not_count(self, group: Group) -> None:
        patient = some_patient(group.north)
        opened(group.clerk, group.north, patient, at(17, 10), "appointment.booked")
        opened(group.clerk, group.north, patient, at(17, 10), "journal.opened", "")
        opened(group.clerk, group.north, patient, at(17, 10), "emergency.looked", "emergency_access")
        assert gathered(group.north).opened == ()

    def test_rooms_say_who_has_a_reason_to_come(self, group: Group) -> None:
        patient, other = some_patient(group.north), some_patient(group.north, "AUTRE")
        ties.declare("tests", lambda _place, _since, _until: select(Patient.id).where(Patient.id == patient.id))
        try:
            assert gathered(group.north).tied & {patient.id, other.id} == {patient.id}
        finally:
            del ties._ties["tests"]


class TestTheJob:
    def seek(self, work: Callable[[], None], place: Establishment) -> None:
        with prepared():
            jobs.enqueue("oversight.seek_at", establishment_id=str(place.id), first=MONDAY.isoformat())
        work()

    def test_it_keeps_what_it_found_once_and_tells_the_auditors(
        self, group: Group, work_jobs: Callable[[], None]
    ) -> None:
        with prepared():
            db.session.merge(group.auditor).email = "aude@hopital.test"
        patient = some_patient(group.north, "CLERC", "LOUIS")
        opened(group.clerk, group.north, patient, at(17, 10))
        self.seek(work_jobs, group.north)
        self.seek(work_jobs, group.north)
        (kept,) = rows(UnusualAccess)
        assert (kept.rule, kept.account_id, kept.patient_ids) == ("same_name", group.clerk.id, [patient.id])
        mails = [each for each in rows(Notification) if each.recipient == "aude@hopital.test"]
        assert len(mails) == 1
        assert "CLERC" not in mails[0].body
        assert "Clara" not in mails[0].body

    def test_only_the_auditors_of_the_hospital_read_it(self, app: Flask, group: Group) -> None:
        with prepared():
            db.session.add(finding(group.north.id, group.clerk.id))
        assert seen_by(group.auditor, group.north.id, "audit") == 1
        assert seen_by(group.administrator, group.north.id, "administration") == 0
        assert seen_by(group.clerk, group.north.id, "preadmission") == 0
        assert seen_by(group.auditor, group.south.id, "audit") == 0


def finding(place: UUID, agent: UUID, **facts: object) -> UnusualAccess:
    return UnusualAccess(
        **{"establishment_id": place, "week_on": MONDAY, "rule": "same_name", "account_id": agent, "times": 1,
           "patient_ids": []} | facts
    )  # fmt: skip


def seen_by(account: Account, place: UUID, right: str) -> int:
    with db.transaction(people.as_agent(account, place, right)) as current:
        return len(current.scalars(select(UnusualAccess)).all())
