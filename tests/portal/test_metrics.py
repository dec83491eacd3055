"""What `/status/metrics` says: true, of every process of the machine, without an address or a person, and for free."""

import os
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import audit, kpi
from portal.web import counting
from portal.web.counting import Counts
from tests.ground import prepared
from tests.writers import all_rolled_up, all_sealed


def told(client: FlaskClient) -> dict[str, float]:
    """Every sample: `name{labels}` → value."""
    answer = client.get("/status/metrics")
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if line.startswith("parvis_")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def requests_of(samples: dict[str, float], route: str) -> dict[tuple[str, str], float]:
    """(method, status) → how many."""
    found = {}
    for name, value in samples.items():
        if name.startswith("parvis_requests_total{") and f'route="{route}"' in name:
            method, status = re.search(r'method="(\w+)"', name), re.search(r'status="(\w+)"', name)
            assert method
            assert status
            found[method[1], status[1]] = value
    return found


def more(before: dict[str, float], after: dict[str, float], route: str) -> dict[tuple[str, str], float]:
    """What came meanwhile."""
    former = requests_of(before, route)
    grown = {key: value - former.get(key, 0) for key, value in requests_of(after, route).items()}
    return {key: value for key, value in grown.items() if value}


class TestRequests:
    def test_are_counted_by_rule_method_and_status(self, client: FlaskClient) -> None:
        before = told(client)
        for _turn in range(3):
            client.get("/status/live")
        client.head("/status/live")
        client.post("/status/live")
        after = told(client)
        assert more(before, after, "/status/live") == {("GET", "200"): 4}
        assert more(before, after, "(none)") == {("ANY", "405"): 1}

    def test_of_paths_that_lead_nowhere_never_show_the_path(self, client: FlaskClient) -> None:
        before = told(client)
        client.get("/nothing/Clara-Clerc?q=Clara-Clerc", check=False)  # type: ignore[call-arg]  # our own client
        answer = client.get("/status/metrics").text
        assert "Clerc" not in answer
        assert more(before, told(client), "(none)") == {("ANY", "404"): 1}

    def test_of_a_thing_are_counted_by_its_rule(self, client: FlaskClient) -> None:
        thing = uuid4()
        client.get(f"/rendez-vous/{thing}", check=False)  # type: ignore[call-arg]  # our own client
        assert str(thing) not in client.get("/status/metrics").text

    def test_have_durations_that_add_up(self, client: FlaskClient) -> None:
        client.get("/status/live")
        samples = told(client)
        of_live = 'method="GET",route="/status/live"'
        assert samples[f'parvis_request_seconds_bucket{{le="+Inf",{of_live}}}'] == samples[
            f"parvis_request_seconds_count{{{of_live}}}"
        ] == sum(requests_of(samples, "/status/live").values())  # fmt: skip
        assert samples[f"parvis_request_seconds_sum{{{of_live}}}"] > 0

    def test_cost_no_statement(self, client: FlaskClient, statements: Callable[[], Any]) -> None:
        client.get("/status/live")
        with statements() as seen:
            client.get("/status/live")
        assert seen == []

    def test_that_are_over_are_not_in_progress(self, client: FlaskClient) -> None:
        client.get("/status/live")
        samples = told(client)
        assert samples["parvis_requests_in_progress"] == 1, "the one that asks"
        assert samples["parvis_web_processes"] == 1
        assert samples["parvis_database_connections_most"] >= 5
        assert 0 <= samples["parvis_database_connections_in_use"] <= samples["parvis_database_connections_most"]


class TestTheSharedMemory:
    @pytest.fixture
    def counts(self) -> Counts:
        return Counts([("/page", "GET"), ("/page", "POST")])

    def test_holds_what_children_count_even_those_that_are_killed(self, counts: Counts) -> None:
        for _child in range(3):
            pid = os.fork()
            if not pid:
                counts.entered()
                counts.left("/page", "GET", 200, 0.02)
                counts.entered()
                os._exit(9)
            os.waitpid(pid, 0)
        counts.entered()
        counts.left("/page", "POST", 303, 20.0)
        rows = {(rule, method): cells for rule, method, cells in counts.rows()}
        assert sum(rows["/page", "GET"][: len(counting.STATUSES)]) == 3
        assert rows["/page", "POST"][counting.STATUSES.index(303)] == 1
        assert rows["/page", "POST"][-2] == 1, "longer than the last class"
        assert rows["/page", "POST"][-1] == 20.0
        assert counts.gauges()["processes"] == 1
        assert counts.gauges()["answering"] == 0, "what the dead were answering is over"

    def test_serves_more_processes_than_it_has_parts(self, counts: Counts) -> None:
        for _child in range(counting._PARTS + 3):
            pid = os.fork()
            if not pid:
                counts.entered()
                counts.left("/page", "GET", 200, 0.02)
                os._exit(0)
            os.waitpid(pid, 0)
        assert [sum(cells[: len(counting.STATUSES)]) for _rule, _method, cells in counts.rows()] == [67]

    def test_takes_what_it_does_not_know(self, counts: Counts) -> None:
        for rule, method, status in (("/other", "GET", 200), ("/page", "BREW", 418), ("/page", "HEAD", 599)):
            counts.entered()
            counts.left(rule, method, status, 0.0)
        rows = {(rule, method): cells for rule, method, cells in counts.rows()}
        assert rows["(none)", "ANY"][len(counting.STATUSES)] == 1
        assert rows["/page", "GET"][len(counting.STATUSES)] == 1


class TestTheHouse:
    def test_says_how_late_its_ledgers_are(self, client: FlaskClient) -> None:
        with prepared():
            audit.record("bill.opened")
        samples = told(client)
        assert samples["parvis_audit_unsealed"] == 1
        assert 0 <= samples["parvis_audit_seal_lag_seconds"] < 60
        all_sealed()
        samples = told(client)
        assert (samples["parvis_audit_unsealed"], samples["parvis_audit_seal_lag_seconds"]) == (0, 0)
        assert "parvis_figures_lag_seconds" in samples

    def test_says_what_was_refused_lately_and_what_happened_today(self, client: FlaskClient) -> None:
        with prepared():
            audit.record("sign_in.refused")
            kpi.count("visit_started", audience="anonymous")
            kpi.count("callback_asked", unit_id=UUID(int=1))
        all_rolled_up()
        samples = told(client)
        assert samples['parvis_happened_today{event="callback_asked"}'] == 1
        assert not [name for name in samples if 'event="unit.' in name], "each event once"
        assert samples['parvis_security_events{action="sign_in.refused"}'] == 1
        assert samples['parvis_security_events{action="chain.broken"}'] == 0
        assert samples['parvis_happened_today{event="visit_started"}'] == 1

    def test_says_how_the_queue_is(self, client: FlaskClient) -> None:
        samples = told(client)
        assert {name for name in samples if name.startswith("parvis_jobs{")} == {
            f'parvis_jobs{{state="{state}"}}' for state in ("waiting", "later", "doing", "failed")
        }
        assert samples["parvis_jobs_oldest_seconds"] == samples["parvis_workers"] == 0

    def test_says_how_much_space_files_have(self, client: FlaskClient, app: Flask) -> None:
        samples = told(client)
        assert 0 < samples["parvis_storage_free_bytes"] <= samples["parvis_storage_size_bytes"]
        assert samples["parvis_read_only"] == 0

    def test_says_so_when_the_database_is_away(self, make_app: Callable[..., Flask]) -> None:
        from pydantic import SecretStr

        away = make_app(database_url=SecretStr("postgresql://nobody:x@127.0.0.1:9/none")).test_client()
        samples = told(away)
        assert samples["parvis_database_up"] == 0
        assert "parvis_jobs_oldest_seconds" not in samples

    def test_reads_a_few_statements_whatever_there_is(self, client: FlaskClient, statements: Callable[[], Any]) -> None:
        told(client)
        with statements() as seen:
            told(client)
        assert len(seen) <= 40, seen
