"""Which language a page speaks, and how one changes it."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from sqlalchemy import update

from auth.models import Account
from portal import db
from portal.web import i18n, ui
from tests.factories import people
from tests.ground import prepared


def spoken(browser: FlaskClient, path: str = "/mentions-legales", **headers: str) -> str:
    return re.findall(r'<html lang="([a-zA-Z-]+)"', browser.get(path, headers=headers).text)[0]


def english(browser: FlaskClient) -> FlaskClient:
    browser.set_cookie("parvis_lang", "en")
    return browser


class TestTheOrder:
    def test_is_french_when_nobody_says_anything(self, client: FlaskClient) -> None:
        assert spoken(client) == "fr"

    @pytest.mark.parametrize(("header", "expected"), [
        ("en", "en"), ("en-GB,en;q=0.9,fr;q=0.8", "en"), ("fr-BE,en;q=0.5", "fr"), ("de,nl", "fr"),
        ("de,en;q=0.3", "en"), ("EN-us", "en"), ("en;q=0,de", "fr"), ("*", "fr"),
    ])  # fmt: skip
    def test_then_what_the_browser_prefers(self, client: FlaskClient, header: str, expected: str) -> None:
        assert spoken(client, **{"Accept-Language": header}) == expected

    def test_then_what_was_chosen_before(self, client: FlaskClient) -> None:
        assert spoken(english(client), **{"Accept-Language": "fr"}) == "en"

    def test_then_the_account_s_own(self, sign_in: Any) -> None:
        with prepared():
            account, _ = people.patient_with_account()
            db.session.execute(update(Account).values(locale="fr"))
        browser = english(sign_in(account))
        for path in ("/mon-compte", "/mentions-legales", "/", "/nothing-here"):
            assert spoken(browser, path) == "fr"

    def test_then_what_is_asked_now(self, sign_in: Any) -> None:
        with prepared():
            account, _ = people.patient_with_account()
            db.session.execute(update(Account).values(locale="fr"))
        assert spoken(sign_in(account), "/mon-compte?lang=en") == "en"

    @pytest.mark.parametrize("asked", ["zz", "", "EN", "../../etc/passwd", "en\x00", "fr_FR", "<script>"])
    def test_ignores_a_language_we_do_not_speak(self, client: FlaskClient, asked: str) -> None:
        answer = client.get("/mentions-legales", query_string={"lang": asked})
        assert '<html lang="fr"' in answer.text
        assert not [each for each in answer.headers.getlist("Set-Cookie") if "parvis_lang" in each]


class TestTheSwitch:
    def test_is_remembered(self, client: FlaskClient) -> None:
        client.get("/?lang=en")
        assert spoken(client) == "en"

    def test_keeps_what_the_page_was_about(self, client: FlaskClient) -> None:
        page = client.get("/recherche?q=l%27%C5%93il&page=2").text
        links = re.findall(r'href="(/recherche\?[^"]*lang=en)"', page)
        assert links == ["/recherche?q=l%27%C5%93il&amp;page=2&amp;lang=en"]

    def test_names_each_language_in_itself(self, client: FlaskClient) -> None:
        page = client.get("/").text
        for code, name in i18n.LANGUAGES.items():
            assert f'hreflang="{code}"' in page
            assert name in page

    def test_cannot_be_made_to_lead_elsewhere(self, client: FlaskClient) -> None:
        page = client.get("//evil.exemple.test/?lang=en").text
        assert 'href="//evil' not in page


def test_a_message_sent_by_a_job_speaks_the_language_it_is_told(app: Any, work_jobs: Callable[[], None]) -> None:
    from flask_babel import force_locale, gettext

    with app.app_context():
        with force_locale("en"):
            assert gettext("Sign in") == "Sign in"
        assert i18n.choose() == "fr"


@pytest.mark.parametrize(("locale", "day", "words"), [
    ("fr", date(2026, 12, 1), "mardi 1er décembre 2026"),
    ("fr", date(2026, 12, 11), "vendredi 11 décembre 2026"),
    ("fr", date(2001, 1, 31), "mercredi 31 janvier 2001"),
    ("en", date(2026, 12, 1), "Tuesday, December 1, 2026"),
])  # fmt: skip
def test_the_first_of_the_month_is_written_as_french_books_do(app: Flask, locale: str, day: date, words: str) -> None:
    with app.test_request_context(), force_locale(locale):
        assert ui.long_day(day) == words
