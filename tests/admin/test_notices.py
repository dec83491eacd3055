"""What an administrator announces is on every page, in the reader's language, from its hour to its end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.catalog.notices import SiteNotice
from portal.catalog.notices import queries as notice_queries
from tests.admin.conftest import Group
from tests.english import in_english as in_english
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
PAGE = "/admin/annonces"
PARIS = ZoneInfo("Europe/Paris")
ONCE = "1b671a64-40d5-491e-99b0-da01ff1f33{:02d}"


def moment(prefix: str, at: datetime) -> dict[str, str]:
    local = at.astimezone(PARIS)
    return {
        f"{prefix}_day-day": str(local.day), f"{prefix}_day-month": str(local.month),
        f"{prefix}_day-year": str(local.year), f"{prefix}_hour": f"{local:%H:%M}",
    }  # fmt: skip


def announce(browser: FlaskClient, number: int = 1, /, **facts: str) -> int:
    said = {"where": "group", "level": "info", "fr-title": "Parking fermé", "once": ONCE.format(number)} | facts
    return browser.post(f"{PAGE}/ajouter", data=said).status_code


@pytest.fixture
def director(group: Group, sign_in: SignIn) -> FlaskClient:
    return sign_in(group.director)


def test_it_is_on_every_page_and_in_the_readers_language(app: Flask, director: FlaskClient) -> None:
    words = {"fr-text": "Garez-vous rue du Port.", "en-title": "Car park closed", "ar-title": "موقف السيارات مغلق"}
    assert announce(director, **words) == 303
    assert audited().count("notice.announced") == 1
    visitor = app.test_client()
    for page in ("/", "/connexion", "/mentions-legales", "/nulle-part"):
        assert "Car park closed" in visitor.get(page).text
    told = visitor.get("/").text
    assert '<p class="app-notice__text" lang="fr" dir="ltr">Garez-vous rue du Port.</p>' in told
    assert "Parking fermé" in visitor.get("/", headers={"Accept-Language": "fr"}).text


def test_it_comes_and_goes_at_its_hours(app: Flask, director: FlaskClient) -> None:
    now = db.now()
    announce(director, 1, **{"fr-title": "Demain"}, **moment("from", now + timedelta(days=1)))
    announce(director, 2, **{"fr-title": "Maintenant"}, **moment("until", now + timedelta(days=1)))
    page = app.test_client().get("/").text
    assert ("Demain" in page, "Maintenant" in page) == (False, True)
    with prepared():
        for each in db.session.query(SiteNotice):
            each.shown_from, each.shown_until = now - timedelta(days=2), now - timedelta(minutes=1)
    notice_queries.forget()
    assert "Maintenant" not in app.test_client().get("/").text


def test_a_maintenance_says_when_the_service_stops_by_the_hospitals_clock(app: Flask, director: FlaskClient) -> None:
    assert announce(director, 1, level="maintenance") == 422
    start = datetime(2026, 12, 5, 21, tzinfo=UTC)
    window = moment("stop", start) | moment("back", start + timedelta(hours=4))
    assert announce(director, 2, level="maintenance", **window) == 303
    (row,) = rows(SiteNotice)
    assert (row.window_from, row.window_until) == (start, start + timedelta(hours=4))
    page = app.test_client().get("/").text
    assert "Saturday, December 5, 2026 at 10:00" in page
    assert "Sunday, December 6, 2026 at 2:00" in page


def test_the_gravest_comes_first(app: Flask, director: FlaskClient) -> None:
    announce(director, 1, **{"fr-title": "Un mot"})
    announce(director, 2, level="closure", **{"fr-title": "Urgences fermées"})
    page = app.test_client().get("/").text
    assert page.index("Urgences fermées") < page.index("Un mot")


def test_it_is_looked_at_before_it_is_published(director: FlaskClient) -> None:
    answer = director.post(
        f"{PAGE}/ajouter",
        data={"where": "group", "level": "warning", "fr-title": "Panne", "ar-title": "عطل", "look": "1",
              "once": ONCE.format(9)},
    )  # fmt: skip
    assert answer.status_code == 200
    assert '<span lang="ar" dir="rtl">عطل</span>' in answer.text
    assert rows(SiteNotice) == []


def test_it_is_corrected_then_taken_back(app: Flask, director: FlaskClient) -> None:
    announce(director)
    (row,) = rows(SiteNotice)
    assert "Parking fermé" in director.get(f"{PAGE}/{row.id}").text
    changed = {"where": "group", "level": "info", "fr-title": "Parking rouvert", "once": ONCE.format(7)}
    changed |= moment("from", row.shown_from)
    assert director.post(f"{PAGE}/{row.id}", data=changed).status_code == 303
    assert "Parking rouvert" in app.test_client().get("/").text
    (again,) = rows(SiteNotice)
    assert again.shown_from == row.shown_from
    assert director.post(f"{PAGE}/{row.id}/retirer").status_code == 303
    assert "Parking rouvert" not in app.test_client().get("/").text
    director.post(f"{PAGE}/{row.id}/retirer")
    assert audited().count("notice.withdrawn") == 1


def test_an_administrator_of_one_hospital_speaks_for_it_alone(group: Group, sign_in: SignIn) -> None:
    browser = sign_in(group.administrator)
    assert announce(browser, 1) == 422
    assert announce(browser, 2, where="990000025") == 422
    assert announce(browser, 3, where="990000017") == 303
    (row,) = rows(SiteNotice)
    assert row.establishment_id == group.north.id


def test_pages_of_another_hospital_do_not_show_it(group: Group, director: FlaskClient) -> None:
    announce(director, where="990000017")
    with prepared():
        assert len(notice_queries.shown(group.north.id)) == 1
        assert notice_queries.shown(group.south.id) == []
        assert len(notice_queries.shown()) == 1
    for finess, told in (("990000017", True), ("990000025", False)):
        assert ("Parking fermé" in director.get(f"/?establishment={finess}").text) == told, finess
        assert ("Parking fermé" in director.get(f"/admin/hopitaux/{finess}").text) == told, finess


@pytest.mark.parametrize("hour", ["25:00", "midi", "9:60", "22"])
def test_an_hour_is_an_hour(director: FlaskClient, hour: str) -> None:
    stop = moment("from", datetime(2026, 12, 5, 21, tzinfo=UTC)) | {"from_hour": hour}
    assert announce(director, **stop) == 422


def test_an_end_comes_after_its_beginning(director: FlaskClient) -> None:
    start = datetime(2026, 12, 5, 21, tzinfo=UTC)
    assert announce(director, **moment("from", start), **moment("until", start)) == 422


def test_pages_do_not_ask_the_database_each_time(app: Flask, director: FlaskClient) -> None:
    announce(director)
    app.test_client().get("/connexion")
    with executed(app) as seen:
        app.test_client().get("/connexion")
    assert [each for each in seen if "site_notice" in each] == []


def test_a_page_of_errors_shows_when_the_database_is_away(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    def away() -> None:
        raise OperationalError("select", {}, Exception("away"))

    notice_queries.forget()
    monkeypatch.setattr(notice_queries, "_read", away)
    assert app.test_client().get("/connexion").status_code == 200
    notice_queries.suppose_none()
