"""The connectors page: doors, queue and ledgers as they are."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from admin import queries_connectors
from auth.models import Account
from portal import audit, db, kpi
from portal.config import ProviderSettings
from portal.gateways import Refused, Unavailable
from portal.gateways.door import Door
from tests.admin.conftest import Group
from tests.ground import prepared, today
from tests.statements import executed
from tests.writers import all_rolled_up, all_sealed

SignIn = Callable[[Account], FlaskClient]


def page(browser: FlaskClient) -> str:
    answer = browser.get("/admin/connecteurs?lang=en")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def fail(door: Door, times: int) -> None:
    for _time in range(times):
        with pytest.raises(Unavailable), door.passage("try"):
            raise Unavailable("connection refused")


class TestWhoReads:
    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_only_administrators_come_in(self, group: Group, sign_in: SignIn, who: str) -> None:
        assert sign_in(getattr(group, who)).get("/admin/connecteurs").status_code == 403

    def test_it_takes_few_statements(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        administrator = sign_in(group.administrator)
        with executed(app) as statements:
            page(administrator)
        assert len(statements) <= 12


class TestDoors:
    def test_each_door_says_how_it_is(self, group: Group, sign_in: SignIn) -> None:
        doors = [Door(f"test.{name}", open_after=3) for name in ("unused", "works", "limps", "broken")]
        _unused, works, limps, broken = doors
        with works.passage("call"):
            pass
        with pytest.raises(Refused), works.passage("call"):
            raise Refused("P5", "no such bill")
        fail(limps, 1)
        fail(broken, 3)
        shown = page(sign_in(group.administrator))
        assert re.search(r"Not used yet: .*test\.unused", shown)
        assert re.search(r"test\.works Working", shown)
        assert re.search(r"test\.limps Last call failed", shown)
        assert re.search(r"test\.broken Out of order – .*Unavailable: connection refused 0 3", shown)


class TestQueue:
    def test_jobs_are_counted_by_state(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            for status, at in (("todo", "null"), ("todo", "now() + interval '1 day'"), ("doing", "null"),
                               ("failed", "null"), ("failed", "null"), ("succeeded", "null")):  # fmt: skip
                db.session.execute(text(
                    "insert into procrastinate_jobs (queue_name, task_name, status, scheduled_at)"
                    f" values ('default', 'billing.try', '{status}', {at})"))  # fmt: skip
            assert queries_connectors.queue() == queries_connectors.Queue(1, 1, 1, 2, 0)
        assert re.search(r"Jobs that failed 2", page(sign_in(group.administrator)))

    def test_it_says_when_no_worker_is_alive(self, group: Group, sign_in: SignIn) -> None:
        administrator = sign_in(group.administrator)
        assert "No worker gives any sign of life" in page(administrator)
        with prepared():
            db.session.execute(text("insert into procrastinate_workers default values"))
        assert "No worker gives any sign of life" not in page(administrator)


class TestLedgers:
    def test_what_waits_for_its_seal_and_for_its_count_is_said(self, app: Flask) -> None:
        for _time in range(3):
            with prepared():
                audit.record("bill.opened")
                kpi.count("visit_started")
        all_sealed()
        all_rolled_up()
        with prepared():
            audit.record("bill.opened")
            kpi.count("visit_started")
        found = queries_connectors.ledgers()
        assert (found.sealed, found.to_seal, found.to_count) == (3, 1, 1)
        assert not found.figures_are_late

    def test_a_late_roll_up_is_a_warning(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            db.session.execute(text("insert into procrastinate_workers default values"))
            db.session.execute(text("update kpi_watermark set rolled_up_at = now() - interval '3 minutes'"))
        assert "The figures are late" in page(sign_in(group.administrator))


class TestTheEndOfPlainFranceConnect:
    @pytest.fixture
    def ending(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """FranceConnect is set up, and ends for health services in so many days."""

        def end_in(days: int, *, used: bool = True) -> None:
            day = today() + timedelta(days=days)
            known = (
                ProviderSettings(client_id="ours", discovery_url="https://fc.exemple.test")
                if used
                else ProviderSettings()
            )
            changed = {"franceconnect_ends_on": day, "providers": {"franceconnect": known}}
            monkeypatch.setitem(app.config, "SETTINGS", app.config["SETTINGS"].model_copy(update=changed))

        return end_in

    @pytest.mark.parametrize("days", [365, 1, 0, -400])
    def test_is_told_a_year_ahead_and_ever_after(
        self, group: Group, sign_in: SignIn, ending: Callable[..., None], days: int
    ) -> None:
        ending(days)
        assert "Plain FranceConnect ends" in page(sign_in(group.administrator))

    def test_is_not_told_before(self, group: Group, sign_in: SignIn, ending: Callable[..., None]) -> None:
        ending(367)
        assert "Plain FranceConnect ends" not in page(sign_in(group.administrator))

    def test_is_not_told_where_it_is_not_used(self, group: Group, sign_in: SignIn, ending: Callable[..., None]) -> None:
        ending(1, used=False)
        assert "Plain FranceConnect ends" not in page(sign_in(group.administrator))
