"""Direct lines on the staff's side: lines and duties for administrators, calls back for agents who treat them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account, Professional
from portal import db
from services.lines import loading
from services.lines.models import Callback, Duty, Line
from tests import ground
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.factories import lines as factory
from tests.factories.hospitals import Hospital
from tests.ground import prepared

SignIn = Callable[[Account | UUID], FlaskClient]
LINES, DUTIES, CALLS = "/admin/lignes-directes", "/admin/gardes", "/admin/lignes-directes/rappels"

NOBODYS = "00000000-0000-4000-8000-000000000000"


@dataclass
class Ground:
    hospital: Hospital
    elsewhere: Hospital
    gp: Professional
    line: Line
    admin: FlaskClient
    agent: FlaskClient
    stranger: FlaskClient


@pytest.fixture
def here(app: Flask, sign_in: SignIn) -> Ground:
    with prepared():
        hospital, elsewhere = hospitals.hospital(), hospitals.hospital("990000025", "Autre hôpital")
        admin = people.agent(hospital.establishment.id, "administration", name="Aude ADMIN")
        agent = people.agent(hospital.establishment.id, "referrals", name="Nadia NURSE")
        stranger = people.agent(elsewhere.establishment.id, "referrals", "administration", name="Sam SUD")
        gp = people.professional()
        line = factory.line(hospital.unit)
    return Ground(hospital, elsewhere, gp, line, sign_in(admin), sign_in(agent), sign_in(stranger))


def asked(here: Ground) -> Callback:
    with db.transaction(people.as_professional(here.gp)) as current:
        return factory.callback(current.get_one(Line, here.line.id), here.gp)


def described(here: Ground, **answers: str) -> dict[str, str]:
    return {
        "once": str(uuid4()), "unit": str(here.hospital.unit.id), "speciality": "Gériatrie", "label": "Hotline",
        "number": "01 99 00 14 00", "answers": "senior", "day_0": "8h30-12h30, 14h-18h", "holidays": "closed",
        "rank": "1", "takes_callbacks": "y", "answer_minutes": "60", "alternative": "",
    } | answers  # fmt: skip


class TestLines:
    def test_an_administrator_adds_changes_closes_and_removes_a_line(self, here: Ground) -> None:
        assert here.admin.post(f"{LINES}/ajouter", data=described(here)).status_code == 303
        made = next(each for each in ground.rows(Line) if each.label == "Hotline")
        assert (made.number, made.week[0], made.week[1]) == ("0199001400", "08:30-12:30, 14:00-18:00", "")
        page = here.admin.get(f"{LINES}/{made.id}").text
        assert "08:30-12:30, 14:00-18:00" in page
        here.admin.post(f"{LINES}/{made.id}", data=described(here, number="0199001401", day_5="24/24"))
        here.admin.post(f"{LINES}/{made.id}/fermer", data={"note": "Jusqu’à lundi"})
        assert "Jusqu’à lundi" in here.admin.get(f"{LINES}/{made.id}").text
        here.admin.post(f"{LINES}/{made.id}/rouvrir")
        here.admin.post(f"{LINES}/{made.id}/supprimer")
        kept = next(each for each in ground.rows(Line) if each.id == made.id)
        assert (kept.number, kept.week[5], kept.is_open) == ("0199001401", "00:00-24:00", True)
        assert kept.removed_at is not None
        assert "Hotline" not in here.admin.get(LINES).text

    @pytest.mark.parametrize(
        ("answers", "said"),
        [
            ({"day_3": "matin"}, "“matin” is not"),
            ({"day_3": "8-12, 11-14"}, "Write hours"),
            ({"number": "non"}, "Write a telephone number"),
            ({"answer_minutes": "5"}, "From 10 to 2880"),
            ({"rank": "x"}, ""),
            ({"unit": NOBODYS}, ""),
            ({"alternative": NOBODYS}, ""),
            ({"escalation_email": "chef\r\nBcc: x@y.fr"}, "Write an e-mail address"),
        ],
        ids=str,
    )
    def test_what_makes_no_sense_is_said(self, here: Ground, answers: dict[str, str], said: str) -> None:
        refused = here.admin.post(f"{LINES}/ajouter", data=described(here, **answers))
        assert refused.status_code == 422
        assert said in refused.text
        assert ground.count(Line) == 1

    def test_others_have_no_business_there(self, here: Ground) -> None:
        assert here.agent.get(LINES).status_code == 403
        for path in (f"{LINES}/{here.line.id}", f"{DUTIES}?unit={here.hospital.unit.id}"):
            assert here.stranger.get(path).status_code == 404
        assert here.stranger.post(f"{LINES}/{here.line.id}/supprimer").status_code == 404
        assert "Avis cardiologique" not in here.stranger.get(LINES).text


def duty(here: Ground, **answers: str) -> dict[str, str]:
    return {
        "once": str(uuid4()), "line": "", "role": "first", "practitioner": "", "name": "Dr Paul GARDE",
        "from_on-day": "28", "from_on-month": "11", "from_on-year": "2026", "from_time": "20h",
        "until_time": "8:00",
    } | answers  # fmt: skip


def enter(here: Ground, **answers: str) -> object:
    return here.admin.post(f"{DUTIES}/ajouter?unit={here.hospital.unit.id}", data=duty(here, **answers))


class TestDuties:
    def test_a_night_ends_the_next_morning(self, here: Ground) -> None:
        assert enter(here).status_code == 303  # type: ignore[attr-defined]  # what a browser answers
        made = ground.rows(Duty)[0]
        assert (made.from_at, made.until_at) == (
            datetime(2026, 11, 28, 19, tzinfo=UTC), datetime(2026, 11, 29, 7, tzinfo=UTC),
        )  # fmt: skip

    def test_two_people_are_not_in_the_same_place_at_once(self, here: Ground) -> None:
        enter(here)
        refused = enter(here, name="Dre Alix AUTRE", from_time="22h")
        assert refused.status_code == 409  # type: ignore[attr-defined]  # what a browser answers
        assert "Dr Paul GARDE" in refused.text  # type: ignore[attr-defined]  # what a browser answers
        assert enter(here, name="Dre Alix AUTRE", role="backup").status_code == 303  # type: ignore[attr-defined]  # what a browser answers
        assert enter(here, line=str(here.line.id)).status_code == 303  # type: ignore[attr-defined]  # what a browser answers
        after = {"from_on-day": "29", "from_time": "8h", "until_time": "20h"}
        assert enter(here, **after).status_code == 303  # type: ignore[attr-defined]  # facts of any field

    @pytest.mark.parametrize(
        "answers",
        [
            {"name": ""}, {"from_time": "25h"}, {"from_on-day": "31"}, {"rpps": "12"}, {"phone": "x"},
            {"until_on-day": "27", "until_on-month": "11", "until_on-year": "2026"},
            {"until_on-day": "27", "until_on-month": "11", "until_on-year": "2027"},
            {"role": "third"}, {"line": NOBODYS}, {"practitioner": "x"},
        ],
        ids=str,
    )  # fmt: skip
    def test_what_cannot_be_is_refused(self, here: Ground, answers: dict[str, str]) -> None:
        assert enter(here, **answers).status_code == 422  # type: ignore[attr-defined]  # facts of any field
        assert ground.count(Duty) == 0

    def test_the_roster_shows_when_nobody_is_there(self, here: Ground) -> None:
        enter(here)
        page = here.admin.get(f"{DUTIES}?unit={here.hospital.unit.id}&from=2026-11-28").text
        assert "Dr Paul GARDE" in page
        assert "Nobody on duty" in page
        assert "20:00 – Sun 29 08:00" in page

    def test_a_week_is_copied_once(self, here: Ground) -> None:
        enter(here)
        path = f"{DUTIES}/copier?unit={here.hospital.unit.id}&from=2026-11-23"
        here.admin.post(path)
        assert here.admin.post(path).status_code == 303
        moments = sorted(each.from_at for each in ground.rows(Duty))
        assert moments == [datetime(2026, 11, 28, 19, tzinfo=UTC), datetime(2026, 12, 5, 19, tzinfo=UTC)]

    def test_a_duty_is_changed_and_removed(self, here: Ground) -> None:
        enter(here)
        made = ground.rows(Duty)[0]
        assert "Dr Paul GARDE" in here.admin.get(f"{DUTIES}/{made.id}").text
        here.admin.post(f"{DUTIES}/{made.id}", data=duty(here, name="Dre Alix AUTRE"))
        assert ground.rows(Duty)[0].name == "Dre Alix AUTRE"
        assert here.stranger.post(f"{DUTIES}/{made.id}/supprimer").status_code == 404
        here.admin.post(f"{DUTIES}/{made.id}/supprimer")
        assert ground.count(Duty) == 0

    @pytest.mark.parametrize("asked", ["9999-12-31", "0001-01-01", "yesterday", ""])
    def test_a_week_that_is_none_is_this_one(self, here: Ground, asked: str) -> None:
        assert here.admin.get(f"{DUTIES}?unit={here.hospital.unit.id}&from={asked}").status_code == 200

    def test_a_full_roster_asks_few_questions(
        self, here: Ground, statements: Callable[[], AbstractContextManager[list[str]]]
    ) -> None:
        with prepared():
            start = datetime(2026, 11, 23, 7, tzinfo=UTC)
            for number in range(14):
                factory.duty(here.hospital.unit, start + timedelta(hours=12 * number))
        path = f"{DUTIES}?unit={here.hospital.unit.id}&from=2026-11-23"
        here.admin.get(path)
        with statements() as seen:
            here.admin.get(path)
        assert len(seen) <= 12


HEADER = "unit;line;from;until;name;rpps;phone;role;key\n"


def load(here: Ground, *lines: str, replace: bool = False) -> loading.Report:
    with prepared():
        source = (HEADER + "\n".join(lines)).encode()
        return loading.load(source, here.hospital.establishment, replace=replace)


NIGHT = "1001;;2026-11-28 20:00;2026-11-29 08:00;Dr Paul GARDE;;;;"
DAY = "1001;avis CARDIOLOGIQUE;2026-11-29 08:00;2026-11-29 20:00;Dre Alix AUTRE;10000000009;06 99 00 12 34;backup;d-1"


class TestFiles:
    def test_the_same_file_twice_changes_nothing(self, here: Ground) -> None:
        first = load(here, NIGHT, DAY)
        assert (first.added, first.refused) == (2, 0), first.samples
        again = load(here, NIGHT, DAY)
        assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
        day = next(each for each in ground.rows(Duty) if each.key == "d-1")
        assert (day.phone, day.role, day.line_id) == ("0699001234", "backup", here.line.id)
        assert day.practitioner_id == here.hospital.practitioner.id

    def test_a_corrected_line_corrects_its_duty(self, here: Ground) -> None:
        load(here, NIGHT, DAY)
        report = load(here, NIGHT.replace("PAUL", "P").replace("Paul", "Pauline"), DAY)
        assert (report.changed, report.unchanged) == (1, 1)

    def test_a_file_that_replaces_takes_away_what_it_lacks_and_nothing_typed(self, here: Ground) -> None:
        load(here, NIGHT, DAY)
        enter(here, line=str(here.line.id))
        report = load(here, DAY, NIGHT.replace("20:00;2026-11-29", "21:00;2026-11-29"), replace=True)
        assert report.removed == 0
        report = load(here, NIGHT.replace("20:00;2026-11-29", "19:00;2026-11-29"), DAY, replace=True)
        assert (report.removed, report.refused) == (1, 0), report.samples
        assert ground.count(Duty) == 3

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("9999;;2026-11-28 20:00;2026-11-29 08:00;X;;;;", "no unit"),
            ("1001;Autre;2026-11-28 20:00;2026-11-29 08:00;X;;;;", "no direct line"),
            ("1001;;28/11/2026;2026-11-29 08:00;X;;;;", "from is not"),
            ("1001;;2026-11-29 08:00;2026-11-28 20:00;X;;;;", "not after"),
            ("1001;;2026-11-28 20:00;2026-11-29 08:00;;;;;", "empty: name"),
            ("1001;;2026-11-28 20:00;2026-11-29 08:00;X;12;;;", "rpps"),
            ("1001;;2026-11-28 20:00;2026-11-29 08:00;X;;x;;", "phone"),
            ("1001;;2026-11-28 20:00;2026-11-29 08:00;X;;;chief;", "role"),
            ("1001;;9999-11-28 20:00;9999-11-29 08:00;X;;;;", "too far"),
            ("1001;;", "3 cells"),
        ],
    )
    def test_a_wrong_line_is_told_and_stops_no_other(self, here: Ground, line: str, why: str) -> None:
        report = load(here, line, NIGHT)
        assert (report.added, report.refused) == (1, 1)
        assert why in str(report.samples[0]["why"])

    def test_a_clock_that_jumps_never_stops_a_file(self, here: Ground) -> None:
        report = load(
            here, "1001;;2027-03-28 02:30;2027-03-28 08:00;X;;;;", "1001;;2026-10-25T02:30+02:00;2026-10-25 08:00;Y;;;;"
        )
        assert report.added == 2


class TestCalls:
    def test_an_agent_takes_calls_and_closes(self, here: Ground) -> None:
        made = asked(here)
        assert "Paul LEROY" in here.agent.get(CALLS).text
        page = here.agent.get(f"{CALLS}/{made.id}").text
        assert 'href="tel:0612345678"' in page
        assert "anticoagulant" in page
        here.agent.post(f"{CALLS}/{made.id}/prendre")
        assert "Nadia NURSE" in here.agent.get(CALLS).text
        here.agent.post(f"{CALLS}/{made.id}/rendre")
        here.agent.post(f"{CALLS}/{made.id}/rappele")
        assert ground.rows(Callback)[0].state == "done"
        assert here.agent.post(f"{CALLS}/{made.id}/injoignable").status_code == 409
        assert "Nobody waits for a call" in here.agent.get(CALLS).text
        assert "Paul LEROY" in here.agent.get(f"{CALLS}?group=closed").text
        assert "callback.opened" in ground.audited()

    def test_the_list_says_who_asks_and_not_what_about(self, here: Ground) -> None:
        asked(here)
        assert "anticoagulant" not in here.agent.get(CALLS).text

    def test_another_hospital_or_another_right_sees_nothing(self, here: Ground) -> None:
        made = asked(here)
        assert here.admin.get(CALLS).status_code == 403
        assert "Paul LEROY" not in here.stranger.get(CALLS).text
        for path in ("", "/prendre", "/rappele", "/injoignable", "/rendre"):
            answer = here.stranger.post(f"{CALLS}/{made.id}{path}") if path else here.stranger.get(f"{CALLS}/{made.id}")
            assert answer.status_code == 404, path
        assert ground.rows(Callback)[0].state == "asked"

    def test_a_long_tray_asks_few_questions(
        self, here: Ground, statements: Callable[[], AbstractContextManager[list[str]]]
    ) -> None:
        with prepared():
            lines = [factory.line(here.hospital.unit) for _n in range(8)]
        with db.transaction(people.as_professional(here.gp)) as current:
            for line in lines:
                factory.callback(current.get_one(Line, line.id), here.gp)
        here.agent.get(CALLS)
        with statements() as seen:
            here.agent.get(CALLS)
        assert len(seen) <= 12
