"""What is of the whole group is changed in the database by those who administer all of it, and by nobody else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from admin import machinery_keeping
from admin.availability import MaintenanceWindow, Outage
from auth.models import Account
from portal import db, retention
from portal.catalog.legal import actions as legal
from portal.catalog.legal.models import AccessibilityReport
from portal.db import Actor, Base, session
from portal.gateways.board import DoorPause, DoorTest
from portal.jobs import JobSettled
from portal.kpi import GROUP_WIDE, KpiTarget
from portal.kpi.hospital_totals import HospitalTotal
from tests.admin.conftest import Group
from tests.ground import prepared, rows, today

SignIn = Callable[[Account], FlaskClient]
NORTH_ONLY = "administrator"
EVERYWHERE = "director"


def acting(group: Group, who: str) -> Actor:
    places = {group.north.id} if who == NORTH_ONLY else {group.north.id, group.south.id}
    account = getattr(group, who)
    return Actor("staff", who, account_id=account.id, rights={"administration": frozenset(places)})


def target(place: UUID) -> KpiTarget:
    return KpiTarget(
        code="R2a", establishment_id=place, value=0.5, from_on=today(), set_by="x", set_by_name="x", set_at=db.now()
    )


def pause(place: UUID | None = None) -> DoorPause:
    return DoorPause(
        door="mail" if place is None else "his 990000017", establishment_id=place, reason="x", paused_by="x"
    )


def tried() -> DoorTest:
    return DoorTest(door="mail", asked_by="x")


def settled() -> JobSettled:
    return JobSettled(job_id=7, reason="x", settled_by="x", settled_at=db.now())


def window() -> MaintenanceWindow:
    ahead = db.now() + timedelta(hours=1)
    return MaintenanceWindow(from_at=ahead, until_at=ahead + timedelta(hours=1), reason="x", declared_by="x")


def write(group: Group, who: str, row: Base) -> None:
    with db.transaction(acting(group, who)):
        session.add(row)


OF_THE_GROUP: list[Callable[[], Base]] = [lambda: target(GROUP_WIDE), pause, tried, settled, window]
NAMES = ["target", "pause", "try", "settled job", "maintenance"]


@pytest.mark.parametrize("make", OF_THE_GROUP, ids=NAMES)
def test_one_hospital_does_not_speak_for_the_group(group: Group, make: Callable[..., Base]) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"):
        write(group, NORTH_ONLY, make())
    write(group, EVERYWHERE, make())


@pytest.mark.parametrize("make", [target, pause], ids=["target", "pause"])
def test_each_hospital_speaks_for_itself(group: Group, make: Callable[..., Base]) -> None:
    write(group, NORTH_ONLY, make(group.north.id))
    with pytest.raises(ProgrammingError, match="row-level security"):
        write(group, NORTH_ONLY, make(group.south.id))


CHANGES = [
    (pause, "update door_pause set reason = 'y'"),
    (settled, "update job_settled set reason = 'y'"),
    (settled, "delete from job_settled"),
    (window, "update maintenance_window set reason = 'y'"),
]


def touched(group: Group, who: str, statement: str) -> int:
    with db.transaction(acting(group, who)) as current:
        return len(current.execute(text(f"{statement} returning 1")).all())


@pytest.mark.parametrize(("make", "statement"), CHANGES, ids=[words for _make, words in CHANGES])
def test_what_stands_is_not_changed_by_one_hospital(group: Group, make: Callable[..., Base], statement: str) -> None:
    with prepared():
        session.add(make())
    assert (touched(group, NORTH_ONLY, statement), touched(group, EVERYWHERE, statement)) == (0, 1)


def test_a_report_about_accessibility_is_answered_for_the_group(group: Group, sign_in: SignIn) -> None:
    with prepared():
        report = legal.report("/factures", "Le bouton ne dit rien")
    assert touched(group, NORTH_ONLY, "update accessibility_report set state = 'in_progress'") == 0
    page = f"/admin/accessibilite/signalements/{report}"
    browser: FlaskClient = sign_in(group.administrator)
    shown = browser.get(f"{page}?lang=en").text
    assert "Whoever administers every hospital answers" in shown
    assert "Answer and close" not in shown
    assert browser.post(page, data={"words": "C’est corrigé."}).status_code == 403
    assert browser.post(f"{page}/prendre").status_code == 403
    assert rows(AccessibilityReport)[0].state == "received"


class TestATotalThatWasSaid:
    @pytest.fixture
    def said(self, group: Group) -> UUID:
        with prepared():
            total = HospitalTotal(
                id=uuid4(), establishment_id=group.north.id, code="bills_issued", day=today() - timedelta(days=2),
                grain="day", value=12, source="screen", by="x",
            )  # fmt: skip
            session.add(total)
        return total.id

    @pytest.mark.parametrize("change", ["value = 13", "by = 'y'", "value = 13, replaced_at = now()"])
    def test_is_never_rewritten(self, group: Group, said: UUID, change: str) -> None:
        for actor in (acting(group, EVERYWHERE), db.system("tests")):
            with pytest.raises(IntegrityError, match="only replaced"), db.transaction(actor) as current:
                current.execute(text(f"update kpi_hospital_total set {change}"))

    def test_is_replaced_once(self, group: Group, said: UUID) -> None:
        replaced = "update kpi_hospital_total set replaced_at = {}"
        assert touched(group, NORTH_ONLY, replaced.format("now()")) == 1
        for again in ("now() + interval '1 day'", "null"):
            with pytest.raises(IntegrityError, match="only replaced"):
                touched(group, EVERYWHERE, replaced.format(again))


class TestWhatTheMachineryLeft:
    def purge(self, code: str) -> int:
        rule = retention.rule(code)
        with prepared():
            before = db.now() - timedelta(days=rule.days)
            return sum(rule.purge(each.id, before) for each in rule.due(None, before, 100))

    def test_goes_in_time_and_what_goes_on_stays(self, group: Group) -> None:
        machinery_keeping.declare()
        old, young = db.now() - timedelta(days=800), db.now() - timedelta(days=2)
        with prepared():
            for moment in (old, young):
                session.add(DoorTest(door="mail", asked_by="x", asked_at=moment))
                session.add(_paused(moment, moment))
                session.add(Outage(cause="queue", began_at=moment, last_at=moment, ended_at=moment))
            session.add(_paused(old, None))
            session.add(Outage(cause="silence", began_at=old, last_at=old))
        assert [self.purge(code) for code in ("door_test", "door_pause", "outage")] == [1, 1, 1]
        assert [len(rows(model)) for model in _kept()] == [1, 2, 2]


def _kept() -> tuple[type[Base], ...]:
    return DoorTest, DoorPause, Outage


def _paused(paused_at: datetime, resumed_at: datetime | None) -> DoorPause:
    return DoorPause(door="mail", reason="x", paused_by="x", paused_at=paused_at, resumed_at=resumed_at)
