"""A hospital joins the group from the screen, presents itself, wears its colour and logo, and is told what it lacks."""

from collections.abc import Callable
from io import BytesIO
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from admin.forms_hospitals import has_key
from auth.models import StaffRight
from portal.establishments import Establishment, EstablishmentLogo
from tests.admin.conftest import Group
from tests.english import in_english as in_english
from tests.factories import people
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
BASE = "/admin/hopitaux"
NORTH = f"{BASE}/990000017"


def _png(width: int = 600, height: int = 300) -> BytesIO:
    drawn = BytesIO()
    Image.new("RGBA", (width, height), (31, 92, 99, 200)).save(drawn, "PNG")
    drawn.seek(0)
    return drawn


def _new(**other: str) -> dict[str, str]:
    said = {
        "finess": "750712184", "name": "Hôpital des Trois Rivières", "short_name": "H3R", "address": "1 place Haute",
        "phone": "01 99 00 00 00", "email": "accueil@trois-rivieres.example", "time_zone": "Indian/Reunion",
        "holidays": "", "school_zone": "reunion", "once": str(uuid4()),
    }  # fmt: skip
    return said | other


class TestOpening:
    def test_whoever_administers_the_group_adds_a_hospital_and_administers_it(
        self, group: Group, sign_in: SignIn
    ) -> None:
        browser = sign_in(group.director)
        answer = browser.post(f"{BASE}/ouvrir", data=_new())
        assert (answer.status_code, answer.location) == (303, f"{BASE}/750712184")
        (made,) = [each for each in rows(Establishment) if each.finess == "750712184"]
        assert (made.time_zone, made.school_zone, made.short_name) == ("Indian/Reunion", "reunion", "H3R")
        held = [each for each in rows(StaffRight) if each.establishment_id == made.id]
        assert [(each.account_id, each.right) for each in held] == [(group.director.id, "administration")]
        assert [each for each in audited() if each.startswith(("establishment", "right"))] == [
            "establishment.created", "right.granted",
        ]  # fmt: skip
        page = browser.get(f"{BASE}/750712184").text
        assert "7 things are missing before it receives anybody" in page
        assert f'href="{BASE}/750712184/reglages/data_protection_email"' in page, "not to a list of fifty settings"

    def test_the_others_who_administer_the_group_still_do(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            other = people.agent(group.north.id, "administration", name="Omar Autre")
            people.grant(other, group.south.id, "administration")
        assert sign_in(group.director).post(f"{BASE}/ouvrir", data=_new()).status_code == 303
        (made,) = [each for each in rows(Establishment) if each.finess == "750712184"]
        held = {each.account_id for each in rows(StaffRight) if each.establishment_id == made.id}
        assert held == {group.director.id, other.id}
        assert sign_in(other).get(f"{BASE}/ouvrir").status_code == 200
        assert audited().count("right.granted") == 2

    def test_whoever_administers_a_part_of_it_adds_none(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        assert "Only somebody who administers every hospital" in browser.get(BASE).text
        assert browser.get(f"{BASE}/ouvrir").status_code == 403
        assert browser.post(f"{BASE}/ouvrir", data=_new()).status_code == 403
        assert count(Establishment) == 2

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"finess": "750712185"}, "typing error"),
            ({"finess": "75071218"}, "nine digits"),
            ({"finess": "990000017"}, "has this number already"),
            ({"name": " "}, "Write the name"),
            ({"email": "nobody"}, "e-mail address"),
            ({"time_zone": "Mars/Base"}, "Not a valid choice"),
        ],
    )
    def test_what_makes_no_sense_is_told_and_kept(
        self, group: Group, sign_in: SignIn, wrong: dict[str, str], told: str
    ) -> None:
        answer = sign_in(group.director).post(f"{BASE}/ouvrir", data=_new(**wrong))
        assert answer.status_code == 422
        assert told in answer.text
        assert "1 place Haute" in answer.text
        assert count(Establishment) == 2

    def test_the_same_post_twice_adds_one(self, group: Group, sign_in: SignIn) -> None:
        browser, said = sign_in(group.director), _new(finess="990000033")
        assert [browser.post(f"{BASE}/ouvrir", data=said).status_code for _time in range(2)] == [303, 303]
        assert count(Establishment) == 3

    @pytest.mark.parametrize(("number", "holds"), [("750712184", True), ("750712183", False), ("310781406", True)])
    def test_the_key_of_a_finess_number_is_luhns(self, number: str, holds: bool) -> None:
        assert has_key(number) is holds


class TestWhoSees:
    @pytest.mark.parametrize("page", ["", "/identite", "/apparence", "/structure", "/reglages"])
    def test_another_hospital_is_not_there(self, group: Group, sign_in: SignIn, page: str) -> None:
        browser = sign_in(group.administrator)
        assert browser.get(f"{NORTH}{page}").status_code == 200
        assert browser.get(f"{BASE}/990000025{page}").status_code == 404

    def test_it_takes_the_right_to_administer(self, group: Group, sign_in: SignIn) -> None:
        assert sign_in(group.clerk).get(BASE).status_code == 403

    @pytest.mark.parametrize("page", ["", "/990000017", "/990000017/structure", "/990000017/reglages"])
    def test_a_page_takes_few_statements(self, app: Flask, group: Group, sign_in: SignIn, page: str) -> None:
        browser = sign_in(group.director)
        browser.get(f"{BASE}{page}")
        with executed(app) as statements:
            assert browser.get(f"{BASE}{page}").status_code == 200
        assert len(statements) <= 12, statements


class TestIdentity:
    def test_it_is_changed_and_the_journal_says_what(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        said = {"name": "Hôpital du Grand Nord", "short_name": "HGN", "address": "", "phone": "", "email": ""}
        assert browser.post(f"{NORTH}/identite", data=said).status_code == 303
        assert {each.name for each in rows(Establishment)} == {"Hôpital du Grand Nord", "Hôpital du Sud"}
        assert "establishment.described" in audited()
        assert "Hôpital du Grand Nord" in browser.get(f"{NORTH}/identite").text


class TestLooks:
    def test_a_colour_is_tried_with_its_contrasts_then_kept(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        tried = browser.post(f"{NORTH}/apparence", data={"brand_colour": "#ffd500", "try": "1"})
        assert tried.status_code == 200
        assert "Too pale" in tried.text
        assert "1.4 : 1" in tried.text
        assert {each.brand_colour for each in rows(Establishment)} == {"#1f5c63"}
        assert browser.post(f"{NORTH}/apparence", data={"brand_colour": "FD0"}).status_code == 303
        assert sorted(each.brand_colour for each in rows(Establishment)) == ["#1f5c63", "#ffdd00"]

    def test_a_colour_that_is_none_is_refused(self, group: Group, sign_in: SignIn) -> None:
        answer = sign_in(group.administrator).post(f"{NORTH}/apparence", data={"brand_colour": "red"})
        assert answer.status_code == 422
        assert "Write a colour such as #1f5c63" in answer.text

    def test_a_logo_is_drawn_again_shown_for_ever_and_removed(
        self, group: Group, sign_in: SignIn, client: FlaskClient
    ) -> None:
        browser = sign_in(group.administrator)
        sent = {"brand_colour": "#1f5c63", "picture": (_png(), "logo.png")}
        assert browser.post(f"{NORTH}/apparence", data=sent).status_code == 303
        (logo,) = rows(EstablishmentLogo)
        assert (logo.width, logo.height) == (160, 80)
        address = f"/logo/990000017.{logo.digest}.png"
        assert address in browser.get(NORTH).text
        shown = client.get(address)
        assert (shown.mimetype, shown.data) == ("image/png", logo.picture)
        assert "immutable" in shown.headers["Cache-Control"]
        assert client.get("/logo/990000017.0123456789ab.png").status_code == 404
        assert client.get(f"/logo/990000099.{logo.digest}.png").status_code == 404
        assert browser.post(f"{NORTH}/logo/retirer").status_code == 303
        assert client.get(address).status_code == 404
        assert audited()[-2:] == ["establishment_logo.changed", "establishment_logo.removed"]

    def test_what_is_no_picture_is_refused(self, group: Group, sign_in: SignIn) -> None:
        sent = {"brand_colour": "#1f5c63", "picture": (BytesIO(b"<svg onload=alert(1)/>"), "logo.png")}
        answer = sign_in(group.administrator).post(f"{NORTH}/apparence", data=sent)
        assert answer.status_code == 422
        assert "choose a PNG or a JPEG" in answer.text
        assert count(EstablishmentLogo) == 0

    def test_a_text_in_the_place_of_a_picture_is_no_picture(self, group: Group, sign_in: SignIn) -> None:
        sent = {"brand_colour": "#1f5c63", "picture": "logo.png"}
        assert sign_in(group.administrator).post(f"{NORTH}/apparence", data=sent).status_code == 303
        assert count(EstablishmentLogo) == 0
