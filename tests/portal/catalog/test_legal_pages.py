"""Legal pages are made from what hospitals fill in; each version stays readable; whoever cannot use a page says so."""

import csv
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db, retention
from portal.catalog.legal import actions
from portal.catalog.legal.content import Accessibility, PersonalData, plain, read
from portal.catalog.legal.models import AccessibilityAction, AccessibilityReport, LegalPage
from portal.catalog.legal.processings import REGISTER
from portal.notifications import Notification
from tests.admin.conftest import Group, group
from tests.english import in_english as in_english
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
ADMIN = "/admin/pages-legales"
__all__ = ["group"]


@pytest.fixture
def director(group: Group, sign_in: SignIn) -> FlaskClient:
    return sign_in(group.director)


class TestTheStatementOfAccessibility:
    @pytest.mark.parametrize(("rate", "words"), [("100", "fully"), ("50", "partially"), ("49,9", "not"), ("", "not")])
    def test_says_what_the_rate_means_on_every_page(self, director: FlaskClient, rate: str, words: str) -> None:
        day = {"audited_on-day": "1", "audited_on-month": "10", "audited_on-year": "2026"} if rate else {}
        assert director.post(f"{ADMIN}/accessibilite", data={"rate": rate, "rgaa": "4.1.2", **day}).status_code == 303
        visitor = director.application.test_client()
        assert f"Accessibility: {words}" in visitor.get("/connexion").text
        assert f"<title>Accessibility: {words}" in visitor.get("/accessibilite").text

    def test_holds_what_the_law_wants(self, director: FlaskClient) -> None:
        said = {
            "rate": "87.5", "audited_on-day": "1", "audited_on-month": "10", "audited_on-year": "2026",
            "auditor": "Atelier d’audit", "rgaa": "4.1.2", "non_compliances": "Critère 3.2 : contraste\nCritère 8.9",
            "derogations": "Plans anciens", "environments": "NVDA et Firefox", "email": "access@exemple.test",
        }  # fmt: skip
        director.post(f"{ADMIN}/accessibilite", data=said)
        page = director.get("/accessibilite").text
        for words in ("87.5 %", "October 1, 2026", "Atelier d’audit", "<li>Critère 8.9</li>", "NVDA et Firefox",
                      "access@exemple.test", "Défenseur des droits"):  # fmt: skip
            assert words in page

    @pytest.mark.parametrize("rate", ["101", "-1", "many", "100.5", "87.55"])
    def test_takes_no_rate_that_is_not_one(self, director: FlaskClient, rate: str) -> None:
        day = {"audited_on-day": "1", "audited_on-month": "10", "audited_on-year": "2026"}
        assert director.post(f"{ADMIN}/accessibilite", data={"rate": rate, **day}).status_code == 422

    def test_wants_the_day_of_the_audit(self, director: FlaskClient) -> None:
        assert director.post(f"{ADMIN}/accessibilite", data={"rate": "87"}).status_code == 422

    def test_keeps_its_former_versions(self, director: FlaskClient) -> None:
        for auditor in ("Premier", "Second", "Second"):
            director.post(f"{ADMIN}/accessibilite", data={"auditor": auditor})
        assert [row.version for row in rows(LegalPage)] == [1, 2]
        assert "former version" in director.get("/accessibilite?version=1").text
        assert "former version" not in director.get("/accessibilite?version=2").text
        assert director.get("/accessibilite?version=3").status_code == 404
        assert audited().count("legal_page.published") == 2

    def test_is_the_groups(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        assert browser.post(f"{ADMIN}/accessibilite", data={"auditor": "Moi"}).status_code == 403
        assert browser.post(f"{ADMIN}/mentions", data={"director": "Moi", "host_name": "Moi"}).status_code == 403
        assert browser.get(ADMIN).status_code == 200

    def test_shows_the_plan_of_each_year(self, director: FlaskClient) -> None:
        said = {"year": "2027", "title": "Reprendre les PDF", "once": "1b671a64-40d5-491e-99b0-da01ff1f3301"}
        assert director.post("/admin/accessibilite/plan", data=said).status_code == 303
        (line,) = rows(AccessibilityAction)
        assert director.post(f"/admin/accessibilite/plan/{line.id}", data={"state": "done"}).status_code == 303
        assert director.post(f"/admin/accessibilite/plan/{line.id}", data={"state": "magic"}).status_code == 422
        page = director.get("/accessibilite").text
        assert "Plan for 2027" in page
        assert "Reprendre les PDF" in page
        assert "Done" in page


class TestAPageThatCannotBeUsed:
    SAID = {"page": "/factures", "words": "Le bouton ne dit rien", "email": "lea@exemple.test",
            "once": "1b671a64-40d5-491e-99b0-da01ff1f3302"}  # fmt: skip

    def test_is_reported_without_an_account_and_answered(self, app: Flask, director: FlaskClient) -> None:
        visitor = app.test_client()
        assert visitor.post("/accessibilite/signaler", data=self.SAID).status_code == 303
        (report,) = rows(AccessibilityReport)
        tray = "/admin/accessibilite/signalements"
        assert "Le bouton ne dit rien" in director.get(tray).text
        assert director.post(f"{tray}/{report.id}/prendre").status_code == 303
        assert director.post(f"{tray}/{report.id}", data={"words": ""}).status_code == 422
        assert director.post(f"{tray}/{report.id}", data={"words": "C’est corrigé."}).status_code == 303
        (told,) = rows(Notification)
        assert (told.recipient, "C’est corrigé." in told.body) == ("lea@exemple.test", True)
        director.post(f"{tray}/{report.id}", data={"words": "Encore"})
        assert len(rows(Notification)) == 1, "answered once"
        assert "C’est corrigé." in director.get(f"{tray}/{report.id}").text

    def test_needs_words(self, client: FlaskClient) -> None:
        assert client.post("/accessibilite/signaler", data=self.SAID | {"words": " "}).status_code == 422
        assert client.post("/accessibilite/signaler", data=self.SAID | {"email": "x"}).status_code == 422

    def test_is_read_by_administrators_alone(self, client: FlaskClient) -> None:
        client.post("/accessibilite/signaler", data=self.SAID)
        for actor in (db.ANONYMOUS, db.Actor("staff", "Clara", rights={"preadmission": frozenset()})):
            with db.transaction(actor) as current:
                assert current.query(AccessibilityReport).all() == []

    def test_is_forgotten_a_year_after_the_answer(self, app: Flask) -> None:
        with prepared():
            found = db.session.get(AccessibilityReport, actions.report("/", "Rien ne marche"))
            assert found is not None
            actions.answer(found, "Corrigé")
            found.ended_at = db.now() - timedelta(days=400)
        rule = retention.rule("accessibility_report")
        with prepared():
            before = db.now() - timedelta(days=rule.days)
            (due,) = rule.due(None, before, 10)
            assert rule.purge(due.id, before)
        assert rows(AccessibilityReport) == []


def test_the_legal_notice_names_director_and_host(director: FlaskClient) -> None:
    assert director.post(f"{ADMIN}/mentions", data={"director": "Mme Duval"}).status_code == 422
    said = {"director": "Mme Duval", "host_name": "GIP Hébergeur", "host_certificate": "HDS 2027-01"}
    assert director.post(f"{ADMIN}/mentions", data=said).status_code == 303
    page = director.get("/mentions-legales").text
    assert all(words in page for words in ("Mme Duval", "GIP Hébergeur", "HDS 2027-01"))


def test_each_hospital_names_who_answers_for_data(group: Group, sign_in: SignIn) -> None:
    browser = sign_in(group.administrator)
    said = {"controller": "CH du Nord", "dpo_name": "M. Duc", "dpo_email": "dpo@exemple.test"}
    assert browser.post(f"{ADMIN}/donnees/990000017", data=said).status_code == 303
    assert browser.post(f"{ADMIN}/donnees/990000025", data=said).status_code == 404
    page = browser.application.test_client().get("/donnees-personnelles").text
    assert "M. Duc" in page
    assert "dpo@exemple.test" in page


def test_personal_data_says_how_long_by_hospital_in_few_questions(app: Flask, group: Group) -> None:
    with prepared():
        retention.change_life(retention.rule("preadmission_draft"), group.north.id, 17)
    visitor = app.test_client()
    with executed(app) as seen:
        page = visitor.get("/donnees-personnelles?establishment=990000017").text
    assert "Drafts of pre-admissions: 17 days" in page
    assert len(seen) <= 12
    assert "Drafts of pre-admissions: 30 days" in visitor.get("/donnees-personnelles").text


def test_the_register_is_taken_away(director: FlaskClient) -> None:
    page = director.get("/admin/registre-des-traitements/990000017/registre.csv")
    lines = list(csv.reader(StringIO(page.text.removeprefix("\ufeff")), delimiter=";"))
    assert len(lines) == len(REGISTER) + 1
    assert "register.exported" in audited()
    assert director.get("/admin/registre-des-traitements/990000017").status_code == 200
    assert director.get("/admin/registre-des-traitements/990009999").status_code == 404


def test_every_rule_of_the_register_exists(app: Flask) -> None:
    known = {each.code for each in retention.rules()}
    assert {code for each in REGISTER for code in each.rules} <= known


def test_what_a_former_release_kept_is_read(app: Flask) -> None:
    assert read(PersonalData, {"dpo_name": "M. Duc", "gone": "x"}) == PersonalData(dpo_name="M. Duc")
    assert read(Accessibility, plain(Accessibility(875))).status == "partly"
