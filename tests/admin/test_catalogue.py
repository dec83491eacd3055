"""A hospital says on screen which services it offers, in which words and since when; nothing is lost of what was."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.catalog import CatalogChange, LinkHost, PublishedService, ServiceLink
from tests.admin.conftest import Group
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows, today
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
PAGE = "/admin/services"


def typed(day: date, prefix: str) -> dict[str, str]:
    return {f"{prefix}-day": str(day.day), f"{prefix}-month": str(day.month), f"{prefix}-year": str(day.year)}


@pytest.fixture
def where(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital(open_services=("appointments", "preadmission"))


@pytest.fixture
def browser(where: Hospital, sign_in: SignIn) -> FlaskClient:
    with prepared():
        administrator = people.agent(where.establishment.id, "administration", name="Adam")
    return sign_in(administrator)


def published(code: str) -> PublishedService | None:
    return next((row for row in rows(PublishedService) if row.code == code), None)


class TestAService:
    def test_is_opened_with_words_of_its_own_in_several_languages(self, browser: FlaskClient) -> None:
        said = typed(today(), "opened_on") | {
            "position": "-3", "fr-title": "Mes factures", "fr-lead": "Payer en ligne", "ar-title": "الفواتير",
        }  # fmt: skip
        assert browser.post(f"{PAGE}/990000017/billing", data=said).status_code == 303
        found = published("billing")
        assert found is not None
        assert found.texts == {"fr": {"title": "Mes factures", "lead": "Payer en ligne"}, "ar": {"title": "الفواتير"}}
        assert (found.opened_on, found.position) == (today(), -3)
        assert "service.changed" in audited()
        french = browser.application.test_client().get("/", headers={"Accept-Language": "fr"}).text
        assert "Mes factures" in french
        assert french.index("Mes factures") < french.index("appointments/ouvrir")

    def test_keeps_the_usual_words_for_readers_of_a_language_that_nobody_wrote(self, browser: FlaskClient) -> None:
        browser.post(f"{PAGE}/990000017/billing", data=typed(today(), "opened_on") | {"fr-title": "Mes factures"})
        page = browser.application.test_client().get("/", headers={"Accept-Language": "en"}).text
        assert "Mes factures" not in page

    def test_shows_whom_its_closing_touches_before_it_closes(self, where: Hospital, browser: FlaskClient) -> None:
        self._one_draft(where)
        before = published("preadmission")
        assert before is not None
        closing = typed(before.opened_on, "opened_on") | typed(today(), "closed_on")
        first = browser.post(f"{PAGE}/990000017/preadmission", data=closing)
        assert first.status_code == 422
        assert "<strong>1</strong> files that patients have begun" in first.text
        assert (published("preadmission") or before).closed_on is None
        assert browser.post(f"{PAGE}/990000017/preadmission", data=closing | {"sure": "y"}).status_code == 303
        assert (published("preadmission") or before).closed_on == today()
        assert "Prepare my stay</a></h3>" not in browser.application.test_client().get("/").text

    @staticmethod
    def _one_draft(where: Hospital) -> None:
        from tests.factories import preadmission

        with prepared():
            _account, patient = people.patient_with_account()
            preadmission.preadmission(patient, where.unit)

    def test_closes_at_once_when_it_touches_nobody(self, browser: FlaskClient) -> None:
        closing = typed(date(2026, 1, 1), "opened_on") | typed(today(), "closed_on")
        assert browser.post(f"{PAGE}/990000017/appointments", data=closing).status_code == 303

    def test_goes_back_to_what_it_was(self, browser: FlaskClient) -> None:
        closing = typed(date(2026, 1, 1), "opened_on") | typed(today(), "closed_on")
        browser.post(f"{PAGE}/990000017/appointments", data=closing)
        (change,) = rows(CatalogChange)
        assert "Adam" in browser.get(f"{PAGE}/990000017/appointments").text
        assert browser.get(f"{PAGE}/changements/{change.id}/annuler").status_code == 200
        assert browser.post(f"{PAGE}/changements/{change.id}/annuler").status_code == 303
        assert (found := published("appointments")) is not None
        assert found.closed_on is None
        assert [each.latter["closed_on"] for each in rows(CatalogChange)] == [today().isoformat(), None]

    def test_has_only_its_last_change_undone(self, browser: FlaskClient) -> None:
        for rank in ("1", "2"):
            browser.post(
                f"{PAGE}/990000017/appointments", data=typed(date(2026, 1, 1), "opened_on") | {"position": rank}
            )
        first = min(rows(CatalogChange), key=lambda each: each.at)
        browser.post(f"{PAGE}/changements/{first.id}/annuler")
        assert (found := published("appointments")) is not None
        assert found.position == 2

    def test_that_was_not_changed_leaves_no_history(self, browser: FlaskClient) -> None:
        same = typed(date(2026, 1, 1), "opened_on") | {"position": "0"}
        browser.post(f"{PAGE}/990000017/appointments", data=same)
        assert rows(CatalogChange) == []

    @pytest.mark.parametrize("last", [date(2025, 12, 31), date(2020, 1, 1)], ids=str)
    def test_does_not_close_before_it_opens(self, browser: FlaskClient, last: date) -> None:
        wrong = typed(date(2026, 1, 1), "opened_on") | typed(last, "closed_on")
        assert browser.post(f"{PAGE}/990000017/appointments", data=wrong).status_code == 422

    def test_of_another_hospital_is_not_found(self, browser: FlaskClient) -> None:
        with prepared():
            hospitals.hospital("990000025", "Hôpital du Sud")
        assert "Hôpital du Sud" not in browser.get(PAGE).text
        assert browser.get(f"{PAGE}/990000025/appointments").status_code == 404
        assert browser.get(f"{PAGE}/990000017/nothing").status_code == 404


LINK = {
    "where": "group", "url": "https://www.monespacesante.fr/", "code": "mon-espace-sante", "reach": "national",
    "audience": "patient", "icon": "heart-pulse", "fr-title": "Mon espace santé", "fr-lead": "Votre carnet de santé",
    "en-title": "My health space", "once": "1b671a64-40d5-491e-99b0-da01ff1f3341",
}  # fmt: skip


def add_link(browser: FlaskClient, **facts: str) -> int:
    return browser.post(f"{PAGE}/liens/ajouter", data=LINK | typed(today(), "opened_on") | facts).status_code


class TestALink:
    def test_is_on_the_home_page_in_the_readers_language(self, browser: FlaskClient) -> None:
        assert add_link(browser) == 303
        visitor = browser.application.test_client()
        assert "My health space" in visitor.get("/", headers={"Accept-Language": "en"}).text
        assert "Mon espace santé" in visitor.get("/", headers={"Accept-Language": "fr"}).text
        opened = visitor.get("/services/mon-espace-sante/ouvrir")
        assert (opened.status_code, opened.location) == (303, "https://www.monespacesante.fr/")

    @pytest.mark.parametrize(
        "url",
        ["http://www.ameli.fr/", "https://evil.example/", "https://ameli.fr.evil.example/", "javascript:alert(1)",
         "https://www.ameli.fr@evil.example/", "https://evil.example\\@www.ameli.fr/", "//www.ameli.fr/",
         "https://xameli.fr/", "https://www.ameli.fr:8443/"],
    )  # fmt: skip
    def test_leads_to_agreed_sites_only(self, browser: FlaskClient, url: str) -> None:
        assert add_link(browser, url=url) == 422
        assert rows(ServiceLink) == []

    def test_leads_to_a_site_that_an_administrator_allowed(self, browser: FlaskClient) -> None:
        host = {"where": "group", "host": "imagerie.exemple.fr", "reason": "La visionneuse du GHT",
                "once": "1b671a64-40d5-491e-99b0-da01ff1f3342"}  # fmt: skip
        assert browser.post(f"{PAGE}/adresses", data=host).status_code == 303
        assert add_link(browser, url="https://pacs.imagerie.exemple.fr/") == 303
        (known,) = rows(LinkHost)
        browser.post(f"{PAGE}/adresses/{known.id}/retirer")
        assert len(rows(LinkHost)) == 1, "a link still leads there"

    def test_is_no_longer_followed_once_its_site_is_not_allowed(self, browser: FlaskClient) -> None:
        add_link(browser)
        with prepared():
            link = db.session.get(ServiceLink, rows(ServiceLink)[0].id)
            assert link is not None
            link.url = "https://evil.example/"
        assert browser.get("/services/mon-espace-sante/ouvrir").status_code == 404

    def test_that_is_over_leads_nowhere(self, browser: FlaskClient) -> None:
        add_link(browser)
        (link,) = rows(ServiceLink)
        over = LINK | typed(today() - timedelta(days=3), "opened_on") | typed(today(), "closed_on")
        over["once"] = "1b671a64-40d5-491e-99b0-da01ff1f3343"
        assert browser.post(f"{PAGE}/liens/{link.id}", data=over).status_code == 303
        assert browser.get("/services/mon-espace-sante/ouvrir").status_code == 404
        assert "My health space" not in browser.get("/services").text

    def test_has_a_name_of_its_own_in_addresses(self, browser: FlaskClient) -> None:
        assert add_link(browser, code="appointments") == 422
        assert add_link(browser, code="Pas Bon") == 422

    def test_of_the_group_is_for_whoever_administers_all_of_it(self, group: Group, sign_in: SignIn) -> None:
        north = sign_in(group.administrator)
        assert add_link(north) == 422, "the group is not offered to them"
        assert add_link(north, where="990000017") == 303
        assert add_link(sign_in(group.director), code="ameli", url="https://www.ameli.fr/") == 303
        (of_group,) = [row for row in rows(ServiceLink) if row.establishment_id is None]
        assert north.get(f"{PAGE}/liens/{of_group.id}").status_code == 403


def test_the_database_lets_nobody_write_for_the_group_but_those_who_administer_all_of_it(group: Group) -> None:
    one = db.Actor("staff", "Adam", group.administrator.id, rights={"administration": frozenset({group.north.id})})
    with pytest.raises(Exception, match="row-level security"), db.transaction(one) as current:
        current.add(ServiceLink(code="x", url="https://www.ameli.fr/", audience="patient", reach="national",
                                icon="globe", opened_on=date(2026, 1, 1)))  # fmt: skip


def test_the_history_of_another_hospital_is_not_seen(group: Group, sign_in: SignIn) -> None:
    sign_in(group.director).post(f"{PAGE}/990000025/appointments", data={"position": "4"})
    assert len(rows(CatalogChange)) == 1
    one = db.Actor("staff", "Adam", group.administrator.id, rights={"administration": frozenset({group.north.id})})
    with db.transaction(one) as current:
        assert current.query(CatalogChange).all() == []
    (change,) = rows(CatalogChange)
    assert sign_in(group.administrator).get(f"{PAGE}/changements/{change.id}/annuler").status_code == 404


def test_others_are_not_let_in(group: Group, sign_in: SignIn) -> None:
    clerk = sign_in(group.clerk)
    for page in (PAGE, "/admin/annonces", "/admin/pages-legales", "/admin/registre-des-traitements"):
        assert clerk.get(page).status_code == 403


def test_the_page_asks_few_questions(app: Flask, group: Group, sign_in: SignIn) -> None:
    browser = sign_in(group.director)
    browser.get(PAGE)
    with executed(app) as seen:
        assert browser.get(PAGE).status_code == 200
    assert len(seen) <= 12
    with executed(app) as seen:
        assert app.test_client().get("/").status_code == 200
    assert len(seen) <= 12


def test_what_is_opened_and_reached_is_counted(where: Hospital, app: Flask) -> None:
    from portal.kpi import KpiEvent

    visitor = app.test_client()
    answer = visitor.get("/services/appointments/ouvrir")
    assert (answer.status_code, answer.location) == (303, "/rendez-vous?depuis=accueil")
    visitor.get(answer.location)
    found = {(each.event, each.dimension) for each in rows(KpiEvent)}
    assert ("service_opened", "appointments") in found
    assert (("service_arrived", "appointments") in found) == (visitor.get(answer.location).status_code == 200)
    assert visitor.get("/services/nothing/ouvrir").status_code == 404
