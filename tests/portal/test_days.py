"""A day begins at midnight on the clock of the hospital: what opens, closes or ends with a day does so there."""

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from admin import queries_hospitals
from auth import assurance
from auth.models import PatientAccess
from portal import catalog, db, establishments
from portal.catalog import PublishedService
from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit, goes_on, today_at, today_in
from portal.pages import search
from services.appointments import offered
from services.appointments.models import Reason
from services.documents.exchanges import queries as exchanges
from services.documents.requests import queries as requests
from services.preadmission import queries as stays
from tests.factories import appointments, hospitals, people
from tests.ground import prepared

NIGHT = datetime(2026, 11, 23, 23, 20, tzinfo=UTC)
BEFORE, AFTER = date(2026, 11, 23), date(2026, 11, 24)
ZONES = {"Paris": "Europe/Paris", "Basse-Terre": "America/Guadeloupe", "Saint-Denis": "Indian/Reunion"}
STILL_BEFORE, AFTER_MIDNIGHT = ["Basse-Terre"], ["Paris", "Saint-Denis"]


@pytest.fixture
def places(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[hospitals.Hospital]:
    """Three hospitals at 0:20 in Paris, 19:20 of the day before in Guadeloupe, 3:20 in La Réunion; UTC says 23:20."""
    with prepared():
        made = [
            hospitals.hospital(f"99000000{number}", name, time_zone=zone)
            for number, (name, zone) in enumerate(ZONES.items())
        ]
        for each in made:
            appointments.reason(each.unit)
    monkeypatch.setattr(db, "now", lambda: NIGHT)
    return made


def _names(ids: Collection[UUID]) -> list[str]:
    return sorted(session.scalars(select(Establishment.name).where(Establishment.id.in_(ids))))


def _by_appointments() -> Collection[UUID]:
    return session.scalars(select(Establishment.id).where(offered.published(Establishment.id))).all()


_ONLINE = select(Reason.establishment_id).where(offered.open_online())
"""Written once, when the program starts, as bookings do."""


def _by_booking() -> Collection[UUID]:
    return session.scalars(_ONLINE).all()


def _by_exchanges() -> Collection[UUID]:
    return {unit.establishment_id for unit in exchanges.open_units()}


def _by_requests() -> Collection[UUID]:
    return [each.id for each in requests.hospitals()]


def _by_stays() -> Collection[UUID]:
    return {unit.establishment_id for unit in stays.units_on_offer()}


def _by_administrators() -> Collection[UUID]:
    rows = queries_hospitals.hospitals([each.id for each in establishments.establishments()])
    return [row.Establishment.id for row in rows if row.services]


def _by_the_front_desk() -> Collection[UUID]:
    return [each.id for each in establishments.establishments() if catalog.open_codes(each.id)]


ASKERS = [
    _by_appointments, _by_booking, _by_exchanges, _by_requests, _by_stays, _by_administrators, _by_the_front_desk,
]  # fmt: skip


@pytest.mark.parametrize("ask", ASKERS)
class TestAService:
    def test_that_closes_with_the_new_day_is_open_where_that_has_not_begun(
        self, places: list[hospitals.Hospital], ask: Callable[[], Collection[UUID]]
    ) -> None:
        with prepared():
            for each in session.scalars(select(PublishedService)):
                each.closed_on = AFTER
        with prepared():
            assert _names(ask()) == STILL_BEFORE

    def test_that_opens_with_the_new_day_is_open_where_that_has_begun(
        self, places: list[hospitals.Hospital], ask: Callable[[], Collection[UUID]]
    ) -> None:
        with prepared():
            for each in session.scalars(select(PublishedService)):
                each.opened_on = AFTER
        with prepared():
            assert _names(ask()) == AFTER_MIDNIGHT


@pytest.mark.parametrize(("number", "asked"), [(0, "substantial"), (1, "two_factors"), (2, "substantial")])
def test_what_hospitals_ask_of_accounts_holds_where_the_service_is_open(
    places: list[hospitals.Hospital], number: int, asked: str
) -> None:
    with prepared():
        for each in session.scalars(select(PublishedService)):
            each.opened_on = AFTER
        establishments.change_setting(places[number].establishment.id, f"{assurance.KEY}billing", "substantial")
    assurance.forget()
    with prepared():
        assert assurance.minimum("billing") == asked


class TestAUnit:
    def test_is_offered_and_found_until_the_end_of_its_last_day(self, places: list[hospitals.Hospital]) -> None:
        with prepared():
            for each in session.scalars(select(Unit)):
                each.closes_on = BEFORE
        with prepared():
            assert _names(_by_stays()) == STILL_BEFORE
            assert [each.establishment.name for each in search.results("cardio").units] == STILL_BEFORE
            rows = queries_hospitals.hospitals([place.establishment.id for place in places])
            assert [row.Establishment.name for row in rows if row.units] == STILL_BEFORE

    def test_is_counted_among_what_a_hospital_has_until_then(self, places: list[hospitals.Hospital]) -> None:
        with prepared():
            for each in session.scalars(select(Unit)):
                each.closes_on = BEFORE
        with prepared():
            known = {each.name: queries_hospitals.readiness(each) for each in establishments.establishments()}
        assert [name for name, each in known.items() if each.found["units"]] == STILL_BEFORE


def test_a_practitioner_is_found_until_the_end_of_their_last_day(places: list[hospitals.Hospital]) -> None:
    with prepared():
        for each in session.scalars(select(Practitioner)):
            each.leaves_on = BEFORE
    with prepared():
        found = search.results("mercier").practitioners
        assert [each.unit.establishment.name for each in found] == STILL_BEFORE


class TestADayInAStatement:
    def test_is_that_of_each_hospital(self, places: list[hospitals.Hospital]) -> None:
        with prepared():
            joined = select(Establishment.name, today_in(Establishment.time_zone))
            looked_up = select(Establishment.name, today_at(Unit.establishment_id)).join(Unit.establishment)
            for query in (joined, looked_up):
                days = {row[0]: row[1] for row in session.execute(query)}
                assert days == {"Paris": AFTER, "Basse-Terre": BEFORE, "Saint-Denis": AFTER}

    def test_is_of_the_moment_when_the_statement_is_run(
        self, places: list[hospitals.Hospital], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        query = select(today_in(Establishment.time_zone)).where(Establishment.name == "Paris")
        for days in range(3):
            monkeypatch.setattr(db, "now", lambda days=days: NIGHT + timedelta(days=days))
            with prepared():
                assert session.scalar(query) == AFTER + timedelta(days=days)

    @pytest.mark.parametrize(("zone", "holds"), [("Europe/Paris", False), ("America/Guadeloupe", True)])
    def test_ends_an_access_where_it_was_checked(
        self, places: list[hospitals.Hospital], zone: str, holds: bool
    ) -> None:
        with prepared():
            people.patient_with_account()
            for each in session.scalars(select(PatientAccess)):
                each.ends_on, each.time_zone = BEFORE, zone
        with prepared():
            wanted = select(PatientAccess).where(goes_on(PatientAccess.ends_on, today_in(PatientAccess.time_zone)))
            assert bool(session.scalars(wanted).all()) is holds
