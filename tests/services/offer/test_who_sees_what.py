"""What is for professionals is refused to everybody else by the database too; only administrators of a place write."""

from collections.abc import Callable
from datetime import date, time
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from portal import calendar, db
from portal.db import Actor
from services.offer import queries
from services.offer.models import (
    Activity,
    Contact,
    ErrorReport,
    ErrorReportChange,
    OpeningException,
    OpeningHours,
    SitePlan,
)
from tests.english import in_english as in_english
from tests.factories import offer, people
from tests.ground import prepared
from tests.services.offer.conftest import PRIVATE_NUMBER, Ground

UNIT = "/pro/offre-de-soins/unites/cardiologie-990000017-1001"


def _actors(ground: Ground) -> dict[str, Actor]:
    north, south = ground.north.establishment.id, ground.south.establishment.id
    return {
        "visitor": db.ANONYMOUS,
        "patient": Actor("patient", "", uuid4(), patients=frozenset({uuid4()})),
        "practitioner": Actor("professional", "", uuid4(), professional_id=uuid4()),
        "agent": Actor("staff", "", uuid4(), rights={"appointments": frozenset({north})}),
        "administrator": Actor("staff", "", uuid4(), rights={"administration": frozenset({north})}),
        "administrator elsewhere": Actor("staff", "", uuid4(), rights={"administration": frozenset({south})}),
        "machine": Actor("machine", "his"),
    }


IN_HEALTH = ("practitioner", "agent", "administrator", "administrator elsewhere")
EVERYBODY = (*IN_HEALTH, "visitor", "patient", "machine")


def _seen(actor: Actor, model: Any) -> int:
    with db.transaction(actor) as current:
        return current.scalar(select(func.count()).select_from(model)) or 0


class TestReading:
    @pytest.mark.parametrize("who", EVERYBODY)
    def test_numbers_and_activities_for_professionals(self, ground: Ground, who: str) -> None:
        expected = 2 if who in IN_HEALTH else 1
        actor = _actors(ground)[who]
        assert (_seen(actor, Contact), _seen(actor, Activity)) == (expected, expected)

    @pytest.mark.parametrize("who", EVERYBODY)
    def test_reports_are_for_administrators_of_the_hospital(self, ground: Ground, who: str) -> None:
        with prepared():
            report = offer.report(ground.north.unit, email="a@exemple.test")
            db.session.add(ErrorReportChange(
                id=uuid4(), report_id=report.id, establishment_id=report.establishment_id, from_state="received",
                to_state="declined", actor="x",
            ))  # fmt: skip
        expected = 1 if who == "administrator" else 0
        actor = _actors(ground)[who]
        assert (_seen(actor, ErrorReport), _seen(actor, ErrorReportChange)) == (expected, expected)


def _rows(ground: Ground) -> dict[str, Callable[[], Any]]:
    house, unit = ground.north.establishment.id, ground.north.unit.id
    own = {"id": uuid4(), "establishment_id": house, "unit_id": unit}
    return {
        "activity": lambda: Activity(**own, code="x", name="x", languages=[], equipment=[]),
        "hours": lambda: OpeningHours(**own, weekday=0, opens=time(8), closes=time(9)),
        "days": lambda: OpeningException(**own, starts_on=date(2026, 1, 1), ends_on=date(2026, 1, 2)),
        "contact": lambda: Contact(**own, audience="patient", kind="phone", value="1"),
        "plan": lambda: SitePlan(site_id=ground.north.site.id, establishment_id=house, picture=b"x", text="x"),
    }


class TestWriting:
    @pytest.mark.parametrize("what", ["activity", "hours", "days", "contact", "plan"])
    @pytest.mark.parametrize("who", EVERYBODY)
    def test_is_for_administrators_of_the_hospital(self, ground: Ground, who: str, what: str) -> None:
        made = _rows(ground)[what]()
        if who == "administrator":
            with db.transaction(_actors(ground)[who]) as current:
                current.add(made)
            return
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(_actors(ground)[who]) as current:
            current.add(made)

    @pytest.mark.parametrize("who", ["visitor", "patient", "practitioner", "agent", "administrator elsewhere"])
    def test_nothing_is_changed_by_others(self, ground: Ground, who: str) -> None:
        with db.transaction(_actors(ground)[who]) as current:
            result: Any = current.execute(update(Contact).values(value="0"))
            assert result.rowcount == 0

    @pytest.mark.parametrize("who", ["visitor", "patient", "practitioner", "agent"])
    def test_a_report_may_not_be_made_as_answered_nor_in_another_s_name(self, ground: Ground, who: str) -> None:
        with prepared():
            somebody = people.account("staff", "Sam", "sam@exemple.test").id
        for facts in ({"state": "corrected"}, {"answer": "x"}, {"account_id": somebody}):
            with pytest.raises(DBAPIError, match="row-level security"), db.transaction(_actors(ground)[who]):
                offer.report(ground.north.unit, **facts)  # type: ignore[arg-type]  # facts of several kinds


class TestProfessionals:
    def test_a_practitioner_reads_their_own_numbers(self, ground: Ground, sign_in: Callable[..., FlaskClient]) -> None:
        with prepared():
            practitioner = people.professional()
        browser = sign_in(practitioner.account_id)
        page = browser.get(UNIT).text
        assert PRIVATE_NUMBER in page
        assert "Avis rapide" in page
        assert "ld+json" not in page
        assert browser.get("/pro/offre-de-soins?q=cardio").status_code == 200
        assert PRIVATE_NUMBER not in browser.get(UNIT.removeprefix("/pro")).text

    def test_others_do_not_come_in(
        self, ground: Ground, client: FlaskClient, sign_in: Callable[..., FlaskClient]
    ) -> None:
        assert client.get(UNIT).status_code == 303
        with prepared():
            own, _patient = people.patient_with_account()
            agent = people.agent(ground.north.establishment.id, "administration")
        assert [sign_in(each).get(UNIT).status_code for each in (own, agent)] == [403, 403]


class TestForOtherRooms:
    def test_reaching_gives_place_and_number_for_each_audience(self, ground: Ground) -> None:
        with db.transaction(_actors(ground)["practitioner"]):
            found = queries.reaching([ground.north.unit.id, ground.eyes.id], "professional")
            unit, sheet = found[ground.north.unit.id]
            assert queries.phone_of(unit, sheet, "professional") == PRIVATE_NUMBER
            assert queries.phone_of(unit, sheet) == "01 99 00 12 10"
            assert unit.site.town == "Arceau"
            # Without a contact of its own, the hospital's number.
            assert queries.phone_of(*found[ground.eyes.id]) == "01 99 00 10 00"

    def test_is_open_says_nothing_of_what_it_does_not_know(self, ground: Ground) -> None:
        monday = calendar.to_utc(date(2026, 11, 23), time(9), ground.north.establishment.tz)
        assert monday is not None
        with db.transaction(db.ANONYMOUS):
            known, unknown = queries.unit(ground.north.unit.id), queries.unit(ground.eyes.id)
            assert known is not None
            assert unknown is not None
            assert queries.is_open(known, monday) is True
            assert queries.is_open(unknown, monday) is None
