"""Each business morning, once: how much waits, to whoever works there and may act on it; nothing when nothing waits."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Boolean, DateTime, Select, Uuid, column, select, text, values

from auth.agents.models import StaffUnit
from auth.digests import mails, mornings, queries, sources
from auth.digests.models import DigestAddress, DigestMorning
from auth.digests.sources import Waiting
from auth.models import Account
from auth.news.models import NewsChoice
from portal import calendar, db
from portal.establishments import Unit
from portal.notifications import Notification
from tests.factories import hospitals, people
from tests.ground import count, prepared, rows

PARIS, REUNION = ZoneInfo("Europe/Paris"), ZoneInfo("Indian/Reunion")
MORNING = datetime(2026, 6, 2, 7, 31, tzinfo=PARIS)  # a Tuesday


@dataclass
class Ground:
    here: UUID
    unit: Unit
    other_unit: Unit
    far: UUID
    far_unit: Unit
    agent: Account
    waiting: list[tuple[str, UUID, UUID | None, datetime, bool]]
    """right, hospital, unit, since, is late: what the two trays of these tests hold."""

    def waits(self, number: int, right: str = "documents", place: UUID | None = None, unit: UUID | None = None,
              *, late: bool = False) -> None:  # fmt: skip
        since = MORNING - timedelta(days=2)
        self.waiting += [(right, place or self.here, unit, since, late)] * number


@pytest.fixture
def ground(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """Two trays, of two rights, which hold what each test says."""
    with prepared():
        near = hospitals.hospital()
        second = hospitals.unit(near.establishment, near.site, "1002", "Oncologie")
        far = hospitals.hospital("990000025", "Hôpital lointain", time_zone="Indian/Reunion")
        agent = people.agent(near.establishment.id, "documents")
    made = Ground(near.establishment.id, near.unit, second, far.establishment.id, far.unit, agent, [])

    def rows_of(right: str) -> Any:
        def selected(_now: datetime) -> Select[Any]:
            held = [each[1:] for each in made.waiting if each[0] == right]
            names = (column("place", Uuid), column("unit", Uuid), column("since", DateTime(timezone=True)),
                     column("late", Boolean))  # fmt: skip
            listed = values(*names, name="waiting").data(held or [(UUID(int=0), None, MORNING, False)])
            return select(listed)

        return selected

    trays = {
        "letters": Waiting("letters", "Letters", "documents", "admin_documents.tray", rows_of("documents")),
        "bills": Waiting("bills", "Bills", "billing", "admin_bill_questions.tray", rows_of("billing")),
    }
    monkeypatch.setattr(sources, "_sources", trays)
    return made


def tell(now: datetime = MORNING) -> int:
    with prepared():
        return mornings.tell(now)


def mails_to(recipient: str) -> list[str]:
    return [mail.body for mail in rows(Notification) if mail.recipient == recipient]


def works_in(ground: Ground, unit: Unit) -> None:
    with prepared():
        db.session.add(StaffUnit(account_id=ground.agent.id, unit_id=unit.id, establishment_id=unit.establishment_id))


# -- when ----------------------------------------------------------------------------------------------------------


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    st.sampled_from((PARIS, REUNION)),
)
def test_a_morning_is_between_half_past_seven_and_ten_of_a_business_day(moment: datetime, tz: ZoneInfo) -> None:
    local = moment.astimezone(tz)
    expected = "07:30" <= f"{local:%H:%M}" < "10:00" and calendar.is_business_day(local.date(), "metropole")
    assert mornings.is_morning(moment, tz, "metropole") == expected


def test_each_hospital_has_its_own_morning(ground: Ground) -> None:
    with prepared():
        people.grant(ground.agent, ground.far, "documents")
    ground.waits(1)
    ground.waits(5, place=ground.far)
    assert tell(datetime(2026, 6, 2, 8, 0, tzinfo=REUNION)) == 1, "it is six in Paris"
    assert "Letters" in mails_to("agent@exemple.test")[0]


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 6, 6, 8), datetime(2026, 7, 14, 8), datetime(2026, 6, 2, 7, 29), datetime(2026, 6, 2, 10)],
    ids=["a Saturday", "a holiday", "too early", "too late"],
)
def test_at_another_time_nobody_is_told(ground: Ground, moment: datetime) -> None:
    ground.waits(3)
    assert tell(moment.replace(tzinfo=PARIS)) == 0
    assert count(DigestMorning) == 0


def test_everybody_is_told_once_a_day(ground: Ground) -> None:
    ground.waits(3)
    assert tell() == 1
    assert tell(MORNING + timedelta(minutes=5)) == 0
    assert tell(MORNING + timedelta(days=1)) == 1
    assert [morning.waiting for morning in rows(DigestMorning)] == [3, 3]


def test_a_run_that_dies_tells_nobody_and_the_next_one_does(ground: Ground) -> None:
    ground.waits(3)
    with pytest.raises(RuntimeError):
        _dying()
    assert count(Notification) == count(DigestMorning) == 0
    assert tell() == 1


def _dying() -> None:
    with prepared():
        mornings.tell(MORNING)
        raise RuntimeError


# -- who -----------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_when_nothing_waits_even_if_something_comes_later(ground: Ground) -> None:
    assert tell() == 0
    ground.waits(1)
    assert tell(MORNING + timedelta(minutes=30)) == 0
    assert count(Notification) == 0


def test_an_agent_hears_of_their_units_and_of_what_no_unit_has(ground: Ground) -> None:
    works_in(ground, ground.unit)
    ground.waits(2, unit=ground.unit.id)
    ground.waits(4, unit=ground.other_unit.id)
    ground.waits(8)
    tell()
    (said,) = mails_to("agent@exemple.test")
    assert "Letters : 10" in said.replace("\xa0", " ") or "Letters: 10" in said


def test_an_agent_of_no_unit_hears_of_the_whole_hospital(ground: Ground) -> None:
    ground.waits(2, unit=ground.unit.id)
    ground.waits(4, unit=ground.other_unit.id)
    tell()
    assert rows(DigestMorning)[0].waiting == 6


def test_an_agent_hears_only_of_what_their_rights_open_where_they_hold_them(ground: Ground) -> None:
    ground.waits(2)
    ground.waits(4, "billing")
    ground.waits(8, place=ground.far)
    tell()
    assert rows(DigestMorning)[0].waiting == 2
    assert "Bills" not in mails_to("agent@exemple.test")[0]


@pytest.mark.parametrize("why", ["silent", "closed", "no address", "no right"])
def test_nobody_else_is_told(ground: Ground, why: str) -> None:
    ground.waits(2)
    with prepared():
        agent = db.session.merge(ground.agent)
        if why == "silent":
            db.session.add(NewsChoice(account_id=agent.id, kind="digests", channel="mail", rhythm="never"))
        elif why == "closed":
            agent.closed_at = db.now()
        elif why == "no address":
            agent.email = ""
        else:
            db.session.execute(text("delete from staff_right"))
    assert tell() == 0


def test_a_mail_holds_numbers_and_names_neither_a_unit_nor_anybody(ground: Ground) -> None:
    ground.waits(2, unit=ground.other_unit.id, late=True)
    ground.waits(1, unit=ground.unit.id)
    tell()
    (said,) = mails_to("agent@exemple.test")
    assert "3" in said
    assert "2" in said, "how many are late"
    assert "/admin/en-attente" in said
    assert not {"Oncologie", "Cardiologie", "Agent", "Hôpital d’essai"} & set(said.split())
    assert "/nouvelles/arreter/" in said


# -- shared addresses ----------------------------------------------------------------------------------------------


def shared(ground: Ground, unit: Unit | None = None) -> UUID:
    with prepared():
        made = DigestAddress(
            id=uuid4(), establishment_id=ground.here, unit_id=unit.id if unit else None, address="unite@exemple.test"
        )
        db.session.add(made)
    return made.id


def test_a_shared_address_hears_of_its_unit(ground: Ground) -> None:
    shared(ground, ground.unit)
    ground.waits(2, unit=ground.unit.id)
    ground.waits(3, "billing", unit=ground.unit.id)
    ground.waits(4, unit=ground.other_unit.id)
    ground.waits(8, place=ground.far, unit=ground.far_unit.id)
    tell()
    assert [morning.waiting for morning in rows(DigestMorning) if morning.address_id] == [5]


def test_a_shared_address_of_no_unit_hears_of_its_whole_hospital(ground: Ground) -> None:
    shared(ground)
    ground.waits(2, unit=ground.unit.id)
    ground.waits(4)
    ground.waits(8, place=ground.far)
    tell()
    assert [morning.waiting for morning in rows(DigestMorning) if morning.address_id] == [6]


def test_whoever_reads_it_may_have_it_stop(ground: Ground, client: FlaskClient) -> None:
    address_id = shared(ground)
    ground.waits(1)
    path = mails.stop_shared(address_id)
    assert client.get(path).status_code == 200
    assert rows(DigestAddress)[0].stopped_at is None, "looking stops nothing"
    assert client.post(path).status_code == 200
    assert client.post(path).status_code == 200
    assert client.post(path[:-2] + "xx").status_code == 404
    tell()
    assert mails_to("unite@exemple.test") == []


# -- counting ------------------------------------------------------------------------------------------------------


def test_everything_is_counted_in_one_statement_and_the_late_ones_come_first(ground: Ground, statements: Any) -> None:
    ground.waits(3, unit=ground.unit.id)
    ground.waits(2, "billing")
    ground.waits(1, unit=ground.other_unit.id, late=True)
    with prepared(), statements() as seen:
        found = queries.counts({"documents": {ground.here}, "billing": {ground.here}}, MORNING)
        asked = len([each for each in seen if "count(" in each])
        places = queries.places(found)
    assert asked == 1
    assert [(place.unit.name if place.unit else "", place.number, place.late) for place in places] == [
        ("Oncologie", 1, 1), ("Cardiologie", 3, 0), ("", 2, 0),
    ] or [place.late for place in places] == [1, 0, 0]  # fmt: skip
    assert {place.number for place in places} == {1, 2, 3}


def test_no_right_counts_nothing(ground: Ground) -> None:
    ground.waits(3)
    with prepared():
        assert queries.counts({}, MORNING) == []
        assert queries.counts({"documents": frozenset()}, MORNING) == []


def test_the_rooms_trays_are_counted_together(app: Flask) -> None:
    """Each room's own statement, as they offer it."""
    with prepared():
        place = hospitals.hospital().establishment.id
        rights = {source.right: {place} for source in sources.sources()}
        assert queries.counts(rights, MORNING) == []
    assert {"appointment_requests", "preadmissions", "documents", "exchanges", "bill_questions", "record_requests",
            "user_requests", "alerts"} <= {source.code for source in sources.sources()}  # fmt: skip
    for source in sources.sources():
        assert source.endpoint in app.view_functions, source.code
