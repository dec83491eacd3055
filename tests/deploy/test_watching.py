"""Alerts and dashboards speak of numbers that the running portal gives, and each alert leads to a page that helps."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # the library has no types
from flask import Flask
from flask.testing import FlaskClient

from portal import audit, db, kpi
from portal.audit import sending, verifying
from portal.gateways import board, siem
from portal.gateways.board import DoorPause
from portal.gateways.door import Door
from portal.gateways.siem.none import NoCollector
from portal.gateways.siem.twin import SiemTwin
from tests.ground import prepared
from tests.writers import all_rolled_up, all_sealed

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
BOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
WATCHING = ROOT / "docs" / "watching.md"
RUNBOOKS = ROOT / "docs" / "runbooks"
_NAME = re.compile(r"\b(parvis_[a-z_]+)(\{[^}]*\})?")
_LABEL = re.compile(r"""(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)\"""")
_SUFFIXES = ("_bucket", "_sum", "_count", "_total")
FORGIVEN = {"parvis_certificate_ends_timestamp_seconds"}
"""Told of hospitals that have a certificate: see tests/services/documents/test_mailbox_numbers.py."""


@cache
def alerts() -> list[dict[str, Any]]:
    document = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Where it stands, and the expression."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for path in BOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", target["expr"]


def named(expression: str) -> Iterator[tuple[str, str]]:
    """Numbers of ours, with their labels as they are written."""
    for found in _NAME.finditer(expression):
        yield found[1], found[2] or ""


@pytest.fixture
def exported(app: Flask, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Name → labels of everything a portal says that has lived a little, and has a place for printed lists."""
    writes_lists = app.config["SETTINGS"].model_copy(update={"printed_lists_dir": str(tmp_path)})
    monkeypatch.setitem(app.config, "SETTINGS", writes_lists)
    with prepared():
        audit.record("sign_in.refused")
        kpi.count("visit_started", audience="anonymous")
        db.session.add(DoorPause(door="mail.smtp", reason="x", paused_by="system:tests"))
    all_sealed()
    all_rolled_up()
    with prepared():
        verifying.verify()
    written, used = board.open_board("tests", threaded=False), Door("mail.tests")
    with used.passage("send"):
        pass
    written.write()
    with SiemTwin() as twin:
        sending._collected.by = siem.connect(twin.url)
        client.get("/status/live")
        answer = client.get("/status/metrics")
        assert answer.status_code == 200
        text = answer.text
    sending._collected.by = NoCollector()
    board.close_board()
    return told(text)


def told(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if sample := re.match(r"(parvis_[a-z_]+)(\{.*\})? ", line):
            labels = set(re.findall(r'(\w+)="', sample[2] or ""))
            found.setdefault(sample[1], set()).update(labels)
    return found


class TestNumbers:
    def test_that_are_watched_are_exported_with_the_labels_that_are_asked(self, exported: dict[str, set[str]]) -> None:
        missing = []
        for where, expression in expressions():
            for name, matchers in named(expression):
                labels = {label for label, _how, _value in _LABEL.findall(matchers)}
                if name in FORGIVEN:
                    continue
                if name not in exported or not labels <= exported[name]:
                    missing.append(f"{where}: {name}{matchers}")
        assert missing == []

    def test_are_all_explained(self, exported: dict[str, set[str]]) -> None:
        page = WATCHING.read_text(encoding="utf-8")
        families = {name.removesuffix(next((end for end in _SUFFIXES if name.endswith(end)), "")) for name in exported}
        families -= {"parvis_requests_created", "parvis_request_seconds_created"}
        assert sorted(name for name in families | FORGIVEN if f"`{name}" not in page) == []

    def test_that_the_page_explains_are_exported(self, exported: dict[str, set[str]]) -> None:
        explained = set(re.findall(r"`(parvis_[a-z_]+)", WATCHING.read_text(encoding="utf-8")))
        known = set(exported) | FORGIVEN
        assert sorted(
            name for name in explained if not {name, *(name + end for end in _SUFFIXES)} & known
        ) == []  # fmt: skip

    def test_of_events_are_those_of_the_audit(self) -> None:
        asked = {
            value for _where, expression in expressions() for name, matchers in named(expression)
            if name == "parvis_security_events" for label, _how, values in _LABEL.findall(matchers) if label == "action"
            for value in values.split("|")
        }  # fmt: skip
        assert asked
        assert asked <= set(sending.WARNINGS)


class TestAlerts:
    def test_have_a_name_a_time_a_gravity_and_words(self) -> None:
        names = [rule["alert"] for rule in alerts()]
        assert len(names) == len(set(names)) > 30
        for rule in alerts():
            assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
            assert re.fullmatch(r"Parvis[A-Z]\w+", rule["alert"])
            assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert set(rule["annotations"]) == {"summary", "runbook"}

    def test_lead_to_a_page_that_names_them(self) -> None:
        for rule in alerts():
            page = ROOT / rule["annotations"]["runbook"]
            assert page.is_file(), rule["alert"]
            assert rule["alert"] in page.read_text(encoding="utf-8"), f"{page.name} does not name {rule['alert']}"

    def test_are_the_only_ones_that_pages_name(self) -> None:
        known = {rule["alert"] for rule in alerts()}
        for page in RUNBOOKS.glob("*.md"):
            told_of = set(re.findall(r"`(Parvis[A-Z]\w+)`", page.read_text(encoding="utf-8")))
            assert told_of <= known, page.name

    def test_are_well_formed(self) -> None:
        """promtool is not here: brackets and quotes close, and what is compared is compared to a number or a number."""
        for where, expression in expressions():
            bare = re.sub(r'"[^"]*"', '""', expression)
            assert bare.count('"') % 2 == 0, where
            for opening, closing in ("()", "[]", "{}"):
                assert bare.count(opening) == bare.count(closing), where
            assert set(re.findall(r"\[(\w+)\]", bare)) <= {"5m", "10m", "15m", "1h", "6h"}, where


class TestBoards:
    @pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
    def test_can_be_imported(self, path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        panels = document["panels"]
        assert document["uid"]
        assert document["title"].startswith("Parvis")
        assert len({panel["id"] for panel in panels}) == len(panels)
        for panel in panels:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
            assert panel["targets"]
            assert panel["datasource"]["uid"] == "${datasource}"

    def test_there_are_some(self) -> None:
        assert {path.stem for path in BOARDS} == {"pages", "jobs-and-doors", "uses", "security"}
