"""Administrators keep the directory of their own hospitals true, and answer those who report errors."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from portal.establishments import Site
from portal.notifications import Notification
from services.offer.models import (
    Activity,
    Contact,
    ErrorReport,
    ErrorReportChange,
    OpeningException,
    OpeningHours,
    SitePlan,
)
from tests.english import in_english as in_english
from tests.factories import hospitals, offer, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows, today
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
BASE = "/admin/offre-de-soins"


@pytest.fixture
def where(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital(phone="01 99 00 10 00")


@pytest.fixture
def browser(where: Hospital, sign_in: SignIn) -> FlaskClient:
    with prepared():
        administrator = people.agent(where.establishment.id, "administration")
    return sign_in(administrator)


def _unit(where: Hospital, rest: str = "") -> str:
    return f"{BASE}/unites/{where.unit.id}{rest}"


class TestWhatIsSaid:
    def test_a_unit_is_described_and_shown(self, where: Hospital, browser: FlaskClient, client: FlaskClient) -> None:
        said = {
            "presentation": "Le cœur et les vaisseaux.",
            "phone": "01 99 00 12 10",
            "floor": "2e étage",
            "ror": "R1",
        }
        assert browser.post(_unit(where, "/decrire"), data=said).status_code == 303
        page = client.get(f"/offre-de-soins/unites/cardiologie-{where.establishment.finess}-1001").text
        assert all(words in page for words in ("Le cœur et les vaisseaux.", "01 99 00 12 10", "2e étage"))
        assert audited().count("offer_unit.described") == 1
        assert browser.get(_unit(where, "/decrire")).status_code == 200

    @pytest.mark.parametrize("given", ["48.5962, 2.2471", "48.5962;2.2471", " 48.5962 2.2471 "])
    def test_a_site_is_placed_on_the_plan(self, where: Hospital, browser: FlaskClient, given: str) -> None:
        page = f"{BASE}/sites/{where.site.id}/decrire"
        assert browser.post(page, data={"coordinates": given}).status_code == 303
        (site,) = rows(Site)
        assert (site.latitude, site.longitude) == (48.5962, 2.2471)
        assert "48.5962" in browser.get(page).text

    @pytest.mark.parametrize("wrong", ["91, 2", "48", "x, y", "48,5962, 2,2471", "0, 181", "1e3, 2"])
    def test_a_place_that_is_nowhere_is_refused(self, where: Hospital, browser: FlaskClient, wrong: str) -> None:
        answer = browser.post(f"{BASE}/sites/{where.site.id}/decrire", data={"coordinates": wrong})
        assert answer.status_code == 422
        assert rows(Site)[0].latitude is None

    def test_an_activity_is_added_once_then_changed(self, where: Hospital, browser: FlaskClient) -> None:
        said = {
            "name": "IRM", "kind": "examination", "speciality": "SM74", "equipment": "IRM 1,5 T\r\n\r\nInjecteur",
            "languages": ["en", "ar"], "age_from": "6", "is_public": "y", "once": str(uuid4()),
        }  # fmt: skip
        for _time in range(2):
            assert browser.post(_unit(where, "/activites/ajouter"), data=said).status_code == 303
        (made,) = rows(Activity)
        assert (made.equipment, made.languages, made.age_from) == (["IRM 1,5 T", "Injecteur"], ["ar", "en"], 6)
        page = f"{BASE}/activites/{made.id}"
        assert "Injecteur" in browser.get(f"{page}/decrire").text
        assert browser.post(f"{page}/decrire", data=said | {"is_public": ""}).status_code == 303
        assert [each.is_public for each in rows(Activity)] == [False]
        assert browser.get(page).status_code == 200

    @pytest.mark.parametrize(
        "wrong",
        [
            {"name": ""}, {"kind": "x"}, {"speciality": "SM99"}, {"languages": ["xx"]},
            {"age_from": "9", "age_to": "3"},
            {"age_from": "-1"}, {"name": "a\x00b"},
            {"opens_on-day": "2", "opens_on-month": "2", "opens_on-year": "2027", "closes_on-day": "1",
             "closes_on-month": "2", "closes_on-year": "2027"},
        ],
    )  # fmt: skip
    def test_an_activity_that_makes_no_sense_is_refused(
        self, where: Hospital, browser: FlaskClient, wrong: dict[str, object]
    ) -> None:
        said = {"name": "IRM", "kind": "examination", "speciality": "", "once": str(uuid4())} | wrong
        assert browser.post(_unit(where, "/activites/ajouter"), data=said).status_code == 422
        assert count(Activity) == 0


class TestHoursAndContacts:
    def test_a_week_is_written_as_people_write_it(self, where: Hospital, browser: FlaskClient) -> None:
        page = _unit(where, "/horaires/ouverture")
        said = {"day_0": "8h30-12h30, 13:30–17:00", "day_5": "24/24", "on_holidays": "y"}
        assert browser.post(page, data=said).status_code == 303
        found = sorted((row.weekday, f"{row.opens:%H:%M}", f"{row.closes:%H:%M}") for row in rows(OpeningHours))
        assert found == [(0, "08:30", "12:30"), (0, "13:30", "17:00"), (5, "00:00", "00:00")]
        assert "08:30-12:30, 13:30-17:00" in browser.get(page).text
        assert browser.post(page, data={"day_0": "9-12", "day_5": ""}).status_code == 303
        assert len(rows(OpeningHours)) == 1

    @pytest.mark.parametrize("wrong", ["8", "8-12-13", "25:00-26:00", "8-12, 11-13", "midi", "8:3-9"])
    def test_hours_that_are_none_are_refused(self, where: Hospital, browser: FlaskClient, wrong: str) -> None:
        assert browser.post(_unit(where, "/horaires/ouverture"), data={"day_2": wrong}).status_code == 422
        assert count(OpeningHours) == 0

    def test_a_closure_is_announced_and_taken_back(
        self, where: Hospital, browser: FlaskClient, client: FlaskClient
    ) -> None:
        day = today() + timedelta(days=3)
        said = {
            "starts_on-day": str(day.day), "starts_on-month": str(day.month), "starts_on-year": str(day.year),
            "reason": "Travaux", "once": str(uuid4()),
        }  # fmt: skip
        assert browser.post(_unit(where, "/jours-particuliers/ajouter"), data=said).status_code == 303
        public = f"/offre-de-soins/unites/cardiologie-{where.establishment.finess}-1001"
        assert "Travaux" in client.get(public).text
        assert "Travaux" in browser.get(_unit(where)).text
        (made,) = rows(OpeningException)
        assert (made.starts_on, made.ends_on, made.opens) == (day, day, None)
        assert browser.post(_unit(where, f"/jours-particuliers/{made.id}/retirer")).status_code == 303
        assert "Travaux" not in client.get(public).text

    def test_a_contact_is_written_changed_and_removed(self, where: Hospital, browser: FlaskClient) -> None:
        said = {"audience": "professional", "kind": "phone", "value": "01 99 00 12 99", "label": "Senior"}
        add = _unit(where, "/contacts/ajouter")
        assert browser.post(add, data=said | {"once": str(uuid4())}).status_code == 303
        (made,) = rows(Contact)
        page = _unit(where, f"/contacts/{made.id}")
        assert "01 99 00 12 99" in browser.get(page).text
        changed = said | {"value": "01 99 00 12 98", "once": str(uuid4())}
        assert browser.post(page, data=changed).status_code == 303
        assert [each.value for each in rows(Contact)] == ["01 99 00 12 98"]
        assert browser.post(f"{page}/retirer").status_code == 303
        assert rows(Contact) == []
        assert audited()[-3:] == ["offer_contact.written", "offer_contact.written", "offer_contact.removed"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"audience": ""}, {"kind": "mssante"}, {"kind": "mail"}, {"kind": "url", "value": "javascript:alert(1)"},
            {"value": "+33 <script>"}, {"kind": "url", "value": "https://a b"}, {"value": ""},
        ],
    )  # fmt: skip
    def test_a_contact_that_makes_no_sense_is_refused(
        self, where: Hospital, browser: FlaskClient, wrong: dict[str, str]
    ) -> None:
        said = {"audience": "patient", "kind": "phone", "value": "01 99 00 12 99", "once": str(uuid4())} | wrong
        assert browser.post(_unit(where, "/contacts/ajouter"), data=said).status_code == 422
        assert count(Contact) == 0


def _picture(form: str = "PNG") -> BytesIO:
    made = BytesIO()
    Image.new("RGB", (60, 40), "white").save(made, form)
    made.seek(0)
    return made


class TestPlan:
    def test_a_picture_is_drawn_again_and_shown_to_everybody(
        self, where: Hospital, browser: FlaskClient, client: FlaskClient
    ) -> None:
        page = f"{BASE}/sites/{where.site.id}/plan"
        said = {
            "picture": (_picture(), "plan.png"),
            "text": "Entrée B, puis à gauche.",
            "csrf_token": browser.csrf_token(),
        }
        assert browser.post(page, data=said, content_type="multipart/form-data").status_code == 303
        (made,) = rows(SitePlan)
        assert made.picture.startswith(b"\xff\xd8")
        shown = client.get(f"/offre-de-soins/plans/{where.site.id}.jpg")
        assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
        assert browser.get(page).status_code == 200
        assert browser.post(f"{page}/retirer").status_code == 303
        assert client.get(f"/offre-de-soins/plans/{where.site.id}.jpg").status_code == 404

    @pytest.mark.parametrize(
        ("name", "content", "text"),
        [
            ("plan.png", b"<svg onload=alert(1)>", "x"), ("plan.svg", b"<svg/>", "x"), ("plan.png", None, ""),
            ("", b"", "x"),
        ],
    )  # fmt: skip
    def test_what_is_no_picture_is_refused(
        self, where: Hospital, browser: FlaskClient, name: str, content: bytes | None, text: str
    ) -> None:
        sent = BytesIO(content) if content is not None else _picture()
        said = {"picture": (sent, name), "text": text, "csrf_token": browser.csrf_token()}
        answer = browser.post(f"{BASE}/sites/{where.site.id}/plan", data=said, content_type="multipart/form-data")
        assert answer.status_code == 422
        assert count(SitePlan) == 0


class TestReports:
    def test_a_report_is_answered_and_its_author_is_told(self, where: Hospital, browser: FlaskClient) -> None:
        with prepared():
            made = offer.report(where.unit, "Numéro faux", email="lectrice@exemple.test", locale="en")
        tray = browser.get(f"{BASE}/signalements").text
        assert "Numéro faux" in tray
        page = f"{BASE}/signalements/{made.id}"
        assert "lectrice@exemple.test" in browser.get(page).text
        assert browser.post(f"{page}/corriger", data={"words": "Corrigé, merci."}).status_code == 303
        assert [each.state for each in rows(ErrorReport)] == ["corrected"]
        assert [(each.from_state, each.to_state) for each in rows(ErrorReportChange)] == [("received", "corrected")]
        (told,) = rows(Notification)
        assert (told.recipient, "Corrigé, merci." in told.body) == ("lectrice@exemple.test", True)
        assert "/offre-de-soins/unites/" in told.body
        assert "Numéro faux" not in told.body
        browser.post(f"{page}/classer", data={})
        assert [each.state for each in rows(ErrorReport)] == ["corrected"]
        assert "Numéro faux" in browser.get(f"{BASE}/signalements?state=corrected").text

    def test_who_left_no_address_is_not_written_to(self, where: Hospital, browser: FlaskClient) -> None:
        with prepared():
            made = offer.report(where.unit)
        assert browser.post(f"{BASE}/signalements/{made.id}/classer", data={}).status_code == 303
        assert rows(Notification) == []


class TestWhoMay:
    @pytest.mark.parametrize("right", ["appointments", "documents", "audit"])
    def test_another_right_opens_nothing(self, where: Hospital, sign_in: SignIn, right: str) -> None:
        with prepared():
            agent = people.agent(where.establishment.id, right)
        assert sign_in(agent).get(BASE).status_code == 403

    def test_an_administrator_of_elsewhere_finds_nothing(self, where: Hospital, sign_in: SignIn) -> None:
        with prepared():
            far = hospitals.hospital("990000025", "Ailleurs")
            report = offer.report(where.unit)
            contact = offer.contact(where.unit, "01 99 00 12 99")
            stranger = people.agent(far.establishment.id, "administration")
        browser = sign_in(stranger)
        assert "Cardiologie" not in browser.get(f"{BASE}/signalements").text
        for path in ("", "/decrire", "/horaires/ouverture", "/contacts/ajouter", f"/contacts/{contact.id}"):
            assert browser.get(_unit(where, path)).status_code == 404
        assert browser.get(f"{BASE}/signalements/{report.id}").status_code == 404
        assert browser.post(f"{BASE}/signalements/{report.id}/corriger", data={}).status_code == 404
        assert browser.post(_unit(where, f"/contacts/{contact.id}/retirer")).status_code == 404
        # A contact is reached through what it belongs to: not through a unit of one's own.
        assert browser.get(f"{BASE}/unites/{far.unit.id}/contacts/{contact.id}").status_code == 404

    def test_a_page_asks_the_database_few_questions(self, app: Flask, where: Hospital, browser: FlaskClient) -> None:
        with prepared():
            for number in range(15):
                unit = hospitals.unit(where.establishment, where.site, f"20{number:02d}")
                offer.hours(unit, "08:00", "12:00")
                offer.activity(unit)
        for path in (BASE, _unit(where), f"{BASE}/signalements"):
            browser.get(path)
            with executed(app) as seen:
                browser.get(path)
            assert len(seen) <= 12, (path, len(seen), seen)
