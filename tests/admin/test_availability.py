"""O3: minutes up, minutes down, minutes without a look, maintenance apart."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin import availability
from admin.availability import MaintenanceWindow, Outage, Probe, TooLate
from auth.models import Account
from portal import db, jobs, kpi
from portal.kpi import Period
from tests.admin.conftest import Group
from tests.ground import audited, prepared, rows
from tests.writers import all_rolled_up

SignIn = Callable[[Account], FlaskClient]
NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)
DAY = Period(date(2026, 10, 20), date(2026, 10, 20))
pytestmark = pytest.mark.usefixtures("app")


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number, milliseconds=400)


def look(minutes: Iterable[int], cause: str = "") -> None:
    with prepared():
        for number in minutes:
            availability.note(minute(number), cause)


def maintenance(first: int, last: int) -> None:
    with prepared():
        db.session.add(MaintenanceWindow(
            from_at=NOON + timedelta(minutes=first), until_at=NOON + timedelta(minutes=last), reason="new disks",
            declared_by="Dina", declared_at=NOON - timedelta(days=1)))  # fmt: skip


class TestALook:
    def test_that_finds_all_well_leaves_no_outage(self) -> None:
        look(range(5))
        assert rows(Outage) == []
        (probe,) = rows(Probe)
        assert (probe.began_at, probe.last_at) == (NOON, minute(4))

    def test_after_a_silence_says_that_nobody_looked(self) -> None:
        look([0, 1, 10])
        (outage,) = rows(Outage)
        assert (outage.cause, outage.began_at, outage.ended_at) == ("silence", minute(1), minute(10))

    def test_after_another_joins_one_outage_until_all_is_well(self) -> None:
        look([0])
        look([1, 2], "storage")
        assert rows(Outage)[0].ended_at is None
        look([3])
        (outage,) = rows(Outage)
        assert (outage.cause, outage.began_at, outage.ended_at) == ("storage", minute(1), minute(3))

    def test_that_finds_something_else_begins_another(self) -> None:
        look([0], "storage")
        look([1], "queue")
        assert [(each.cause, each.ended_at is None) for each in sorted(rows(Outage), key=lambda o: o.began_at)] == [
            ("storage", False), ("queue", True)]  # fmt: skip

    def test_counts_once_in_a_minute(self) -> None:
        with prepared():
            for _time in range(3):
                availability.note(minute(0))
        assert counted("minute_up") == 1

    def test_is_made_by_a_worker(self, work_jobs: Callable[[], None]) -> None:
        with prepared():
            jobs.enqueue("tests.look")
        work_jobs()
        assert len(rows(Probe)) == 1


@jobs.task("tests.look")
def look_now() -> None:
    """What the clock starts every minute."""
    availability.look()


def counted(event: str) -> int:
    """Whatever the day: events carry the moment at which the test runs."""
    all_rolled_up()
    with prepared():
        return sum(row.events for row in rows(kpi.KpiDay) if row.event == event)


class TestTheRate:
    def minutes(self) -> tuple[int, int]:
        with prepared():
            found = availability.minutes_of(DAY)
        return found.counted, found.maintenance

    def test_is_over_the_minutes_since_the_first_look(self) -> None:
        look([0])
        assert self.minutes() == (10 * 60, 0), "from 14:00 in Paris to midnight"

    def test_knows_nothing_before_the_first_look(self) -> None:
        with prepared():
            assert not availability.availability(DAY).fed
        look([0])
        with prepared():
            assert not availability.availability(Period(date(2026, 9, 1), date(2026, 9, 30))).fed

    def test_keeps_maintenance_apart_each_minute_once(self) -> None:
        look([0])
        maintenance(10, 40)
        maintenance(30, 50)
        maintenance(-600, -500)
        assert self.minutes() == (600 - 40, 40)

    def test_a_day_of_25_hours_has_1500_minutes(self) -> None:
        look([0])
        with prepared():
            autumn = Period(date(2026, 10, 25), date(2026, 10, 25))
            assert availability.minutes_of(autumn).counted == 1500

    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 90)), max_size=6))
    def test_maintenance_and_the_rest_make_the_whole(self, spans: list[tuple[int, int]]) -> None:
        joined = {each for first, length in spans for each in range(first, first + length)}
        found = availability._length([(minute(first), minute(first + length)) for first, length in spans])
        assert found == len(joined)

    def test_is_minutes_up_of_the_minutes_that_passed(self) -> None:
        look(range(3))
        look([3], "storage")
        all_rolled_up()
        today = kpi_day()
        with prepared():
            probe = db.session.get_one(Probe, 1)
            probe.began_at = datetime(2026, 1, 1, tzinfo=UTC)
        with prepared():
            figure = availability.availability(Period(today, today))
        assert figure.numerator in (0, 1, 2, 3)
        assert figure.denominator is not None
        assert counted("minute_up") == 3
        assert counted("minute_down") == 1

    def test_in_maintenance_is_neither_up_nor_down(self) -> None:
        maintenance(1, 3)
        look([0, 1], "")
        look([2], "storage")
        assert (counted("minute_up"), counted("minute_down"), counted("minute_in_maintenance")) == (1, 0, 2)


def kpi_day() -> date:
    return next(row.day for row in rows(kpi.KpiDay) if row.event == "minute_up")


class TestMaintenance:
    def in_days(self, days: int) -> dict[str, str]:
        day = db.now().date() + timedelta(days=days)
        return {"day-day": str(day.day), "day-month": str(day.month), "day-year": str(day.year), "at": "22:00",
                "minutes": "90", "reason": "New disks", "once": str(uuid4())}  # fmt: skip

    def test_is_declared_beforehand_and_withdrawn(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.director)
        assert browser.post("/admin/disponibilite/maintenances", data=self.in_days(2)).status_code == 303
        (window,) = rows(MaintenanceWindow)
        assert window.until_at - window.from_at == timedelta(minutes=90)
        assert "New disks" in browser.get("/admin/disponibilite?lang=en").text
        browser.post(f"/admin/disponibilite/maintenances/{window.id}/retirer")
        assert rows(MaintenanceWindow)[0].withdrawn_by == "Dina Directrice"
        assert audited()[-2:] == ["maintenance.declared", "maintenance.withdrawn"]

    def test_of_the_past_is_refused(self, group: Group, sign_in: SignIn) -> None:
        answer = sign_in(group.director).post("/admin/disponibilite/maintenances?lang=en", data=self.in_days(-2))
        assert answer.status_code == 422
        assert "maintenance is declared beforehand" in answer.text

    @pytest.mark.parametrize(
        ("field", "typed"), [("at", "25:00"), ("minutes", "3"), ("reason", ""), ("day-month", "13")]
    )
    def test_needs_a_moment_a_length_and_a_reason(self, group: Group, sign_in: SignIn, field: str, typed: str) -> None:
        answer = sign_in(group.director).post(
            "/admin/disponibilite/maintenances", data=self.in_days(2) | {field: typed}
        )
        assert answer.status_code == 422
        assert rows(MaintenanceWindow) == []

    def test_that_began_is_not_withdrawn(self, group: Group) -> None:
        maintenance(0, 10)
        (window,) = rows(MaintenanceWindow)
        with prepared(), pytest.raises(TooLate):
            availability.withdraw(window.id)

    def test_is_left_to_those_who_administer_every_hospital(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        assert browser.post("/admin/disponibilite/maintenances", data=self.in_days(2)).status_code == 403
        assert "Declare maintenance" not in browser.get("/admin/disponibilite?lang=en").text


def test_nobody_but_administrators_sees_outages(group: Group, sign_in: SignIn) -> None:
    look([0, 10])
    assert sign_in(group.clerk).get("/admin/disponibilite").status_code == 403
    with db.transaction(db.Actor("staff", rights={"billing": frozenset({group.north.id})})):
        assert not db.session.query(Outage).count()
    shown = sign_in(group.administrator).get("/admin/disponibilite?lang=en").text
    assert "Nobody looked" in shown
