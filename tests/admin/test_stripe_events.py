"""What Stripe told, as the billing agents see it: what is wrong is said in words, and asked again with one gesture."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from auth.models import Account
from portal import db
from services.billing.stripe_events.models import StripeEvent, StripeSweep
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital

SignIn = Callable[[Account | UUID], FlaskClient]
PAGE = "/admin/factures/stripe"


@pytest.fixture
def place(app: Flask) -> Hospital:
    with db.transaction(db.system("tests")):
        return hospitals.hospital()


@pytest.fixture
def browser(place: Hospital, sign_in: SignIn) -> FlaskClient:
    with db.transaction(db.system("tests")):
        agent = people.agent(place.establishment.id, "billing")
    return sign_in(agent)


def told(place: Hospital, state: str = "done", note: str = "", minutes_ago: int = 0) -> UUID:
    at = db.now() - timedelta(minutes=minutes_ago)
    with db.transaction(db.system("tests")) as current:
        made = StripeEvent(
            id=uuid4(), establishment_id=place.establishment.id, event_id=f"evt_{uuid4().hex}", live=False,
            type="charge.dispute.created", object_id="du_of_somebody", came_by="webhook", state=state, note=note,
            happened_at=at, received_at=at,
        )  # fmt: skip
        current.add(made)
        return made.id


def test_nothing_heard_is_said(browser: FlaskClient) -> None:
    assert "No news from Stripe" in browser.get(PAGE).text


def test_what_went_wrong_is_said_in_words(browser: FlaskClient, place: Hospital) -> None:
    told(place, "to_review", "permission")
    page = browser.get(f"{PAGE}?state=to_review").text
    assert "may not read this" in page
    assert "du_of_somebody" in page
    assert "du_of_somebody" not in browser.get(f"{PAGE}?state=ignored").text


def test_a_reading_that_failed_is_told_above(browser: FlaskClient, place: Hospital) -> None:
    with db.transaction(db.system("tests")) as current:
        current.add(StripeSweep(establishment_id=place.establishment.id, trouble="api_key"))
    assert "Stripe does not know the hospital’s key" in browser.get(PAGE).text


def test_stripe_is_asked_again_and_the_journal_knows_by_whom(browser: FlaskClient, place: Hospital) -> None:
    event_id = told(place, "to_review", "api_key")
    assert browser.post(f"{PAGE}/{event_id}/reprendre").status_code == 303
    with db.transaction(db.system("tests")) as current:
        assert current.scalar(select(StripeEvent.state)) == "waiting"
        assert current.scalar(text("select count(*) from audit_event where action = 'stripe_event.asked_again'")) == 1
        assert current.scalar(text("select task_name from procrastinate_jobs")) == "billing.act_on_stripe_event"


def test_what_waits_for_nobody_is_not_asked_again(browser: FlaskClient, place: Hospital) -> None:
    assert browser.post(f"{PAGE}/{told(place)}/reprendre").status_code == 404
    assert browser.post(f"{PAGE}/{uuid4()}/reprendre").status_code == 404


def test_another_hospitals_agents_see_and_do_nothing(place: Hospital, sign_in: SignIn) -> None:
    event_id = told(place, "to_review", "api_key")
    with db.transaction(db.system("tests")):
        other = hospitals.hospital("990000025", "Hôpital d’à côté")
        agent = people.agent(other.establishment.id, "billing")
    stranger = sign_in(agent)
    assert "du_of_somebody" not in stranger.get(PAGE).text
    assert stranger.post(f"{PAGE}/{event_id}/reprendre").status_code == 404


def test_hostile_filters_show_the_plain_list(browser: FlaskClient, place: Hospital) -> None:
    told(place)
    for query in ("state='--", "page=-1", "page=x", "page=999999999999", "state=%00"):
        assert browser.get(f"{PAGE}?{query}").status_code == 200


def test_a_page_of_news_is_twelve_statements_at_most(
    browser: FlaskClient, place: Hospital, statements: Callable[[], object]
) -> None:
    for minutes in range(60):
        told(place, minutes_ago=minutes)
    browser.get(PAGE)
    with statements() as seen:  # type: ignore[attr-defined]  # the fixture's own
        assert browser.get(PAGE).status_code == 200
    assert len(seen) <= 12
