"""One tray of everything with a date: late first, each thing for those who may answer it, without anybody's name."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from admin import deadline_words, queries_deadlines
from admin.queries_deadlines import SOURCES, Deadline, Wanted
from auth.account.models import DataRequest
from auth.models import Account
from auth.oversight import actions as oversight
from auth.oversight.actions import Report
from portal import db
from portal.catalog.legal import actions as legal
from portal.catalog.legal.models import AccessibilityReport
from portal.db import session
from services.documents.requests.models import RecordRequest
from services.satisfaction.models import OpinionComment
from tests.english import in_english as in_english
from tests.factories import people, record_requests
from tests.ground import prepared, today
from tests.services.satisfaction.conftest import Ground
from tests.services.satisfaction.conftest import ground as ground
from tests.services.satisfaction.test_opinions import says
from tests.statements import executed

pytestmark = pytest.mark.usefixtures("in_english")
SignIn = Callable[[Account], FlaskClient]
TRAY = "/admin/echeances"
EVERY_RIGHT = ("administration", "documents", "identity", "audit")


@pytest.fixture
def agent(ground: Ground) -> Account:
    """Who may answer everything in the north, and what is of the whole group."""
    with prepared():
        made = people.agent(ground.north.establishment.id, *EVERY_RIGHT, name="Tania Toutdroit")
        people.grant(made, ground.south.establishment.id, "administration")
        return made


@pytest.fixture
def everything(ground: Ground) -> Ground:
    """One thing of each kind in the north; the complaint is two days late."""
    place = ground.north.establishment
    says(ground, 2, "Mon cancer attend")
    with prepared():
        record_requests.sent(ground.patient, ground.account, place)
        complaint = record_requests.sent(ground.patient, ground.account, place, "complaint")
        session.execute(
            update(RecordRequest).where(RecordRequest.id == complaint.id).values(due_on=today() - timedelta(days=2))
        )
        session.add(
            DataRequest(
                id=uuid4(), number="D-2026-1", account_id=ground.account.id, patient_id=ground.patient.id,
                establishment_id=place.id, kind="deletion", what="x", asked_by="Jeanne", due_on=today(),
            )
        )  # fmt: skip
        oversight.open_review(place)
        legal.report("/rendez-vous", "Je ne vois pas le bouton")
        oversight.open_incident(
            place, Report("sending", "Lettre partie ailleurs", "Une lettre", db.now() - timedelta(hours=70), "some", 1)
        )
    return ground


def kinds(page: str) -> list[str]:
    """What the lines of the tray are, in their order."""
    body = page.partition("<tbody")[2].partition("</tbody>")[0]
    with force_locale("en"):
        words = {kind: str(each) for kind, each in deadline_words.KINDS.items()}
    return [kind for line in body.split("<tr")[1:] for kind, each in words.items() if f">{each}" in line]


class TestTray:
    def test_everything_in_the_order_of_dates_and_each_leads_to_its_page(
        self, everything: Ground, agent: Account, sign_in: SignIn
    ) -> None:
        browser = sign_in(agent)
        page = browser.get(TRAY).text
        found = kinds(page)
        assert sorted(found) == sorted(SOURCES)
        assert found[0] == "complaint"
        assert {"incident", "data_request"} == set(found[1:3])
        assert "2 days late" in page
        assert "1 hour left" in page
        assert ">today<" in page
        body = page.partition("<tbody")[2].partition("</tbody>")[0]
        links = re.findall(r'href="(/admin/[^"]+)"', body)
        assert len(links) == len(SOURCES)
        assert {browser.get(link).status_code for link in links} == {200}

    def test_nobody_is_named_and_no_comment_is_read_there(
        self, everything: Ground, agent: Account, sign_in: SignIn
    ) -> None:
        page = sign_in(agent).get(TRAY).text
        for words in (everything.patient.birth_name, "cancer", "bouton"):
            assert words not in page

    @pytest.mark.parametrize(
        ("rights", "shown"),
        [
            (("administration",), {"complaint", "comment", "review"}),
            (("documents",), {"record"}),
            (("identity",), {"data_request"}),
            (("audit",), {"incident"}),
            (("billing",), set()),
        ],
        ids=lambda each: "-".join(sorted(each)) or "nothing",
    )
    def test_each_sees_what_they_may_answer(
        self, everything: Ground, sign_in: SignIn, rights: tuple[str, ...], shown: set[str]
    ) -> None:
        with prepared():
            one = people.agent(everything.north.establishment.id, *rights, name="Un Agent")
        page = sign_in(one).get(TRAY).text
        assert set(kinds(page)) == shown
        assert ("None of your rights has deadlines" in page) == (not shown)

    def test_another_hospital_sees_none_of_it(self, everything: Ground, sign_in: SignIn) -> None:
        with prepared():
            other = people.agent(everything.south.establishment.id, *EVERY_RIGHT, name="Sud Toutdroit")
        browser = sign_in(other)
        assert kinds(browser.get(TRAY).text) == []
        assert kinds(browser.get(f"{TRAY}?hopital={everything.north.establishment.id}").text) == []

    def test_filters(self, everything: Ground, agent: Account, sign_in: SignIn) -> None:
        browser = sign_in(agent)
        assert kinds(browser.get(f"{TRAY}?delai=late").text) == ["complaint"]
        assert kinds(browser.get(f"{TRAY}?nature=comment").text) == ["comment"]
        assert "accessibility" not in kinds(browser.get(f"{TRAY}?hopital={everything.north.establishment.id}").text)
        assert "complaint" not in kinds(browser.get(f"{TRAY}?delai=soon").text)
        assert kinds(browser.get(f"{TRAY}?nature=nonsense&delai=%00&hopital=x&page=-4").text)

    def test_what_is_answered_leaves(self, everything: Ground, agent: Account, sign_in: SignIn) -> None:
        with prepared():
            session.execute(update(DataRequest).values(state="accepted"))
            session.execute(update(OpinionComment).values(decision="removed", decided_at=db.now()))
            session.execute(update(AccessibilityReport).values(state="answered"))
        found = kinds(sign_in(agent).get(TRAY).text)
        assert not {"data_request", "comment", "accessibility"} & set(found)

    def test_few_statements_and_no_more_for_more_things(
        self, everything: Ground, agent: Account, sign_in: SignIn, app: Flask
    ) -> None:
        browser = sign_in(agent)
        browser.get(TRAY)
        with executed(app) as few:
            browser.get(TRAY)
        for _n in range(3):
            says(everything, 2, "lent")
        with executed(app) as more:
            browser.get(TRAY)
        assert len(more) == len(few) <= 12

    def test_the_dashboard_says_what_is_late(self, everything: Ground, agent: Account, sign_in: SignIn) -> None:
        page = sign_in(agent).get("/admin/").text
        assert "One answer is late" in page
        assert f"{TRAY}?delai=late" in page

    def test_pages(self, everything: Ground, agent: Account, sign_in: SignIn, monkeypatch: Any) -> None:
        monkeypatch.setattr(queries_deadlines, "PAGE_SIZE", 3)
        monkeypatch.setattr("admin.routes_deadlines.PAGE_SIZE", 3)
        browser = sign_in(agent)
        found = [kind for page in (1, 2, 3) for kind in kinds(browser.get(f"{TRAY}?page={page}").text)]
        assert sorted(found) == sorted(SOURCES)


class TestNumbers:
    def test_parts_and_whole_agree(self, everything: Ground) -> None:
        rights = dict.fromkeys(EVERY_RIGHT, frozenset({everything.north.establishment.id}))
        with prepared():
            numbers = queries_deadlines.numbers(rights)
            assert sum(each.everything for each in numbers.values()) == len(
                queries_deadlines.deadlines(rights, Wanted())
            )
            for urgency in ("late", "soon"):
                assert sum(getattr(each, urgency) for each in numbers.values()) == len(
                    queries_deadlines.deadlines(rights, Wanted(urgency=urgency))
                )


@given(
    due=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    zone=st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/Martinique", "UTC"]),
)
def test_days_left_never_lie(due: datetime, now: datetime, zone: str) -> None:
    each = Deadline("record", uuid4(), None, "", "", due, zone)
    left = deadline_words.days_left(each, now)
    if due <= now:
        assert left <= 0
    assert abs(left - (due - now) / timedelta(days=1)) <= 1.1
    assert (deadline_words.tone(each, now) == "danger") == (due < now)
