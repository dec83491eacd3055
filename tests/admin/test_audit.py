"""The journal: an auditor searches what was done at their hospitals, and their reading is written down too."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from admin import queries_audit
from admin.queries_audit import PAGE, Search
from auth.models import Account, Patient
from portal import db
from portal.audit import AuditEvent
from tests.admin.conftest import Group
from tests.factories import people
from tests.ground import audited, prepared, today
from tests.pages import parsed
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]


def happened(action: str, place: UUID, *, days_ago: float = 0, who: str = "Clara Clerc", times: int = 1,
             patient: Patient | None = None, **details: Any) -> None:  # fmt: skip
    with prepared():
        row = {"actor": "system:tests", "actor_name": who, "action": action, "establishment_id": place,
               "object_kind": "", "patient_id": patient.id if patient else None, "details": details,
               "at": datetime.now(UTC) - timedelta(days=days_ago)}  # fmt: skip
        db.session.execute(insert(AuditEvent).inline(), [row] * times)


def lines(page: str) -> list[str]:
    """The rows of the journal, their words only."""
    rows = parsed(page).iterfind(".//table[@id='journal']/tbody/tr")
    return [re.sub(r"\s+", " ", " ".join(row.itertext())).strip() for row in rows]


def journal(browser: FlaskClient, query: str = "") -> list[str]:
    answer = browser.get(f"/admin/journal?lang=en&{query}")
    assert answer.status_code == 200
    return lines(answer.text)


class TestWhoReads:
    def test_an_auditor_reads_their_hospital_only(self, group: Group, sign_in: SignIn) -> None:
        happened("document.opened", group.north.id)
        happened("bill.opened", group.south.id)
        found = journal(sign_in(group.auditor))
        assert any("document.opened" in line for line in found)
        assert not any("bill.opened" in line for line in found)
        assert sum("opened" in line for line in journal(sign_in(group.director))) >= 2

    def test_naming_another_hospital_finds_nothing(self, group: Group, sign_in: SignIn) -> None:
        path = f"/admin/journal?establishment={group.south.finess}"
        assert sign_in(group.auditor).get(path).status_code == 404

    @pytest.mark.parametrize("who", ["administrator", "clerk"])
    def test_administration_is_not_audit(self, group: Group, sign_in: SignIn, who: str) -> None:
        assert sign_in(getattr(group, who)).get("/admin/journal").status_code == 403

    def test_reading_it_leaves_a_trace_at_each_hospital(self, group: Group, sign_in: SignIn) -> None:
        journal(sign_in(group.auditor))
        assert audited() == ["journal.opened"]
        journal(sign_in(group.director))
        assert audited() == ["journal.opened"] * 3

    def test_the_patient_is_named_to_those_who_may_know_them(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            known, unknown = people.patient("CONNUE", ("JEANNE",)), people.patient("INCONNUE", ("LUCIE",))
            people.known_at(known, group.north.id)
        for patient in (known, unknown):
            happened("document.opened", group.north.id, patient=patient)
        found = "\n".join(journal(sign_in(group.auditor)))
        assert "JEANNE CONNUE" in found
        assert "INCONNUE" not in found
        assert "a person you may not see" in found


class TestSearch:
    def test_by_day(self, group: Group, sign_in: SignIn) -> None:
        happened("document.opened", group.north.id, days_ago=20)
        auditor = sign_in(group.auditor)
        assert not any("document.opened" in line for line in journal(auditor))
        day = (datetime.now(UTC) - timedelta(days=20)).date()
        assert len(journal(auditor, f"from={day - timedelta(days=1)}&to={day + timedelta(days=1)}")) == 1
        assert journal(auditor, f"from={day - timedelta(days=9)}&to={day - timedelta(days=5)}") == []

    def test_the_day_is_that_of_the_hospital(self, app: Flask, group: Group) -> None:
        moments = {
            "before": datetime(2026, 3, 1, 19, 59, 59, tzinfo=UTC),
            "within": datetime(2026, 3, 1, 20, 0, tzinfo=UTC),
            "after": datetime(2026, 3, 2, 20, 0, tzinfo=UTC),
        }
        with prepared():
            group.north.time_zone = "Indian/Reunion"
            db.session.execute(insert(AuditEvent).inline(), [
                {"actor": "system:tests", "actor_name": "", "action": name, "establishment_id": group.north.id,
                 "object_kind": "", "at": at} for name, at in moments.items()])  # fmt: skip
        search = Search(frozenset([group.north.id]), date(2026, 3, 2), date(2026, 3, 2), group.north.tz)
        with db.transaction(people.as_agent(group.auditor, group.north.id, "audit")):
            assert [line.event.action for line in queries_audit.events(search).lines] == ["within"]

    def test_by_action_or_by_its_beginning(self, group: Group, sign_in: SignIn) -> None:
        for action in ("document.opened", "document.filed", "documents.opened", "bill.opened"):
            happened(action, group.north.id)
        auditor = sign_in(group.auditor)
        assert len(journal(auditor, "action=document.opened")) == 1
        assert len(journal(auditor, "action=document")) == 2
        assert journal(auditor, "action=nothing.done") == []

    def test_by_who_acted_whatever_the_case(self, group: Group, sign_in: SignIn) -> None:
        happened("bill.opened", group.north.id, who="Nadège FORVIL")
        happened("bill.opened", group.north.id, who="Bruno Castelain")
        auditor = sign_in(group.auditor)
        assert len(journal(auditor, "actor=nadège")) == 1
        assert len(journal(auditor, "actor=CAST")) == 1

    @pytest.mark.parametrize("text", ["%25", "_", "'", "\\", "%00", "<script>alert(1)</script>", "x" * 100])
    def test_a_hostile_name_finds_nothing_and_breaks_nothing(self, group: Group, sign_in: SignIn, text: str) -> None:
        happened("bill.opened", group.north.id, who="Clara Clerc")
        found = journal(sign_in(group.auditor), f"actor={text}")
        assert found == [] or text == "%00"

    @pytest.mark.parametrize(
        "query", ["from=hier", "from=2026-11-20&to=2026-11-01", "action=1;drop", f"actor={'x' * 101}"]
    )
    def test_a_search_that_makes_no_sense_is_explained_and_shows_nothing(
        self, group: Group, sign_in: SignIn, query: str
    ) -> None:
        happened("bill.opened", group.north.id)
        answer = sign_in(group.auditor).get(f"/admin/journal?{query}")
        assert answer.status_code == 422
        assert lines(answer.text) == []
        assert "journal.opened" not in audited()

    @pytest.mark.parametrize("before", ["0", "-1", "x", "9" * 30, "%00"])
    def test_an_odd_place_to_go_on_from_is_ignored_or_empty(self, group: Group, sign_in: SignIn, before: str) -> None:
        assert sign_in(group.auditor).get(f"/admin/journal?before={before}").status_code == 200

    def test_details_are_shown_as_text(self, group: Group, sign_in: SignIn) -> None:
        happened("bill.opened", group.north.id, reason="<b>bold</b>", amount_cents=1200)
        assert any("reason : <b>bold</b> amount in cents : 1200" in line for line in journal(sign_in(group.auditor)))


class TestPages:
    def test_every_line_is_on_one_page_even_at_the_same_moment(self, group: Group, sign_in: SignIn) -> None:
        for batch in range(3):
            happened("document.opened", group.north.id, times=40, days_ago=batch / 10, number=batch)
        auditor, path, seen = sign_in(group.auditor), "/admin/journal?lang=en&action=document", []
        for _page in range(4):
            page = auditor.get(path).text
            seen.append(len(lines(page)))
            following = re.search(r'rel="next" href="([^"]+)"', page)
            if not following:
                break
            path = following[1].replace("&amp;", "&")
        assert seen == [PAGE, PAGE, 20]

    def test_what_is_written_meanwhile_moves_nothing(self, app: Flask, group: Group) -> None:
        happened("document.opened", group.north.id, times=PAGE + 5)
        this_day = today()
        search = Search(
            frozenset([group.north.id]), this_day - timedelta(days=1), this_day + timedelta(days=1), group.north.tz
        )
        reader = people.as_agent(group.auditor, group.north.id, "audit")
        with db.transaction(reader):
            first = queries_audit.events(search)
        happened("bill.opened", group.north.id, times=7)
        with db.transaction(reader):
            second = queries_audit.events(Search(*_fields(search), before=first.older))
        assert len(second.lines) == 5
        assert {line.event.id for line in first.lines}.isdisjoint(line.event.id for line in second.lines)

    def test_a_page_takes_few_statements(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        happened("document.opened", group.north.id, times=PAGE * 2)
        director = sign_in(group.director)
        with executed(app) as statements:
            journal(director)
        assert len(statements) <= 12


def _fields(search: Search) -> tuple[Any, ...]:
    return search.establishment_ids, search.first, search.last, search.zone
