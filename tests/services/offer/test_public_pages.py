"""The directory as everybody reads it: found by words, true, and silent about what is for professionals."""

import json
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.english import in_english as in_english
from tests.factories import offer as offers
from tests.ground import audited, count, prepared, rows
from tests.pages import parsed
from tests.services.offer.conftest import PRIVATE_NUMBER, Ground
from tests.statements import executed

from services.offer.models import ErrorReport  # isort: skip

UNIT = "/offre-de-soins/unites/cardiologie-990000017-1001"
PAGES = (
    "/offre-de-soins/etablissements/hopital-du-nord-990000017",
    "/offre-de-soins/sites/site-principal-arceau-990000017",
    UNIT,
    "/offre-de-soins/activites/consultation-de-cardiologie-coeur001",
)


class TestPages:
    @pytest.mark.parametrize("path", PAGES)
    def test_everybody_reads_them(self, client: FlaskClient, ground: Ground, path: str) -> None:
        page = client.get(path)
        assert page.status_code == 200
        head = parsed(page.text)
        assert head.xpath("//link[@rel='canonical']/@href")[0].endswith(path)
        assert len(head.xpath("//meta[@name='description']/@content")[0]) > 20

    @pytest.mark.parametrize("path", PAGES)
    def test_never_show_what_is_for_professionals(self, client: FlaskClient, ground: Ground, path: str) -> None:
        page = client.get(path).text
        assert PRIVATE_NUMBER not in page
        assert "Avis rapide" not in page

    def test_an_activity_for_professionals_is_not_there(self, client: FlaskClient, ground: Ground) -> None:
        assert client.get("/offre-de-soins/activites/avis-rapide-avis0001").status_code == 404

    def test_what_engines_read_says_what_the_page_says(self, client: FlaskClient, ground: Ground) -> None:
        script = parsed(client.get(UNIT).text).xpath("//script[@type='application/ld+json']")[0]
        told = json.loads(script.text)
        assert told["@type"] == "MedicalClinic"
        assert told["telephone"] == "01 99 00 12 10"
        assert {each["dayOfWeek"].rpartition("/")[2] for each in told["openingHoursSpecification"]} == {
            "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
        }  # fmt: skip
        assert PRIVATE_NUMBER not in script.text

    def test_an_address_with_former_words_leads_to_the_page(self, client: FlaskClient, ground: Ground) -> None:
        former = client.get("/offre-de-soins/unites/ancien-nom-990000017-1001")
        assert (former.status_code, former.headers["Location"]) == (301, UNIT)

    def test_a_practitioner_s_address_does_not_name_them(self, client: FlaskClient, ground: Ground) -> None:
        links = parsed(client.get("/offre-de-soins/unites/ophtalmologie-990000017-1204").text).xpath("//a/@href")
        address = next(each for each in links if "/praticiens/" in each)
        assert "belkacem" not in address.lower()
        assert "10000000033" not in address
        page = client.get(address)
        assert "Nora BELKACEM" in page.text
        assert "Arabic" in page.text

    @pytest.mark.parametrize(
        "path",
        [
            "unites/x", "unites/cardiologie-990000017-9999", "sites/990000000", "activites/zzzz", "praticiens/abc",
            f"praticiens/x-{'a' * 26}", "unites/%00-990000017-1001", "etablissements/../990000017", "autres/x",
            f"unites/{'9' * 3000}",
        ],
    )  # fmt: skip
    def test_what_does_not_exist_is_not_found(self, client: FlaskClient, ground: Ground, path: str) -> None:
        assert client.get(f"/offre-de-soins/{path}").status_code == 404

    def test_hostile_words_of_a_name_stay_words(self, client: FlaskClient, ground: Ground) -> None:
        with prepared():
            made = offers.activity(ground.eyes, "</script><script>alert(1)</script>", code="hostile1")
        page = client.get(f"/offre-de-soins/activites/script-script-alert-1-script-{made.code}")
        assert page.status_code == 200
        assert "<script>alert" not in page.text

    def test_a_page_asks_the_database_few_questions(self, app: Flask, client: FlaskClient, ground: Ground) -> None:
        for path in (*PAGES, "/offre-de-soins"):
            client.get(path)
            with executed(app) as seen:
                client.get(path)
            assert len(seen) <= 12, (path, seen)

    def test_engines_are_told_every_public_page(self, client: FlaskClient, ground: Ground) -> None:
        sitemap = client.get("/sitemap.xml").text
        assert all(path in sitemap for path in PAGES)
        assert "avis0001" not in sitemap
        robots = client.get("/robots.txt").text
        assert "Disallow: /pro" in robots
        assert "/sitemap.xml" in robots


class TestSearch:
    @pytest.mark.parametrize("words", ["cardiologie", "CARDIO", "cardiolgie", "cœur", "electrocardiogramme", "mercier"])
    def test_words_find_a_unit_with_typos_and_other_words(
        self, client: FlaskClient, ground: Ground, words: str
    ) -> None:
        page = client.get("/offre-de-soins", query_string={"q": words, "establishment": "990000017"}).text
        assert UNIT in page
        assert "1204" not in page

    def test_a_name_of_nobody_finds_nothing(self, client: FlaskClient, ground: Ground) -> None:
        assert "Nothing matches" in client.get("/offre-de-soins?q=zzzzzz").text

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"establishment": "990000025"}, {"990000025-1001"}),
            ({"town": "Arceau"}, {"990000017-1001", "990000017-1204"}),
            ({"wheelchair": "1"}, {"990000017-1001", "990000017-1204"}),
            ({"speciality": "SM38"}, {"990000017-1204"}),
            ({"language": "ar"}, {"990000017-1204"}),
            ({"age": "40"}, {"990000017-1001"}),
            ({"age": "15"}, set()),
            ({"age": "-4", "page": "x", "speciality": "drop table"}, {
                "990000017-1001", "990000017-1204", "990000025-1001"}),
        ],
    )  # fmt: skip
    def test_filters(self, client: FlaskClient, ground: Ground, asked: dict[str, str], found: set[str]) -> None:
        links = parsed(client.get("/offre-de-soins", query_string=asked).text).xpath("//a/@href")
        units = {each[each.index("9900") :] for each in links if "/unites/" in each}
        assert units == found


class TestReports:
    def test_everybody_may_report_an_error_and_nobody_reads_it_there(self, client: FlaskClient, ground: Ground) -> None:
        sent = {"mistake": "phone", "words": "Le numéro a changé", "email": "a@exemple.test", "once": str(uuid4())}
        done = client.post(f"{UNIT}/signaler-une-erreur", data=sent)
        assert (done.status_code, done.headers["Location"]) == (303, UNIT)
        (made,) = rows(ErrorReport)
        assert (made.kind, made.about_id, made.words, made.state) == (
            "unit", ground.north.unit.id, "Le numéro a changé", "received",
        )  # fmt: skip
        assert "offer_report.received" in audited()
        assert "Le numéro a changé" not in client.get(UNIT).text

    def test_the_same_post_twice_is_one_report(self, client: FlaskClient, ground: Ground) -> None:
        sent = {"mistake": "phone", "words": "Deux fois", "once": str(uuid4())}
        for _time in range(2):
            assert client.post(f"{UNIT}/signaler-une-erreur", data=sent).status_code == 303
        assert count(ErrorReport) == 1

    def test_a_robot_is_thanked_and_forgotten(self, client: FlaskClient, ground: Ground) -> None:
        sent = {"mistake": "phone", "words": "Achetez", "website": "https://x.test", "once": str(uuid4())}
        assert client.post(f"{UNIT}/signaler-une-erreur", data=sent).status_code == 303
        assert count(ErrorReport) == 0

    @pytest.mark.parametrize(
        "wrong",
        [{"words": ""}, {"mistake": "x"}, {"email": "no"}, {"words": "a\x00b"}, {"words": "a" * 1001}],
    )
    def test_what_cannot_be_sent_is_said(self, client: FlaskClient, ground: Ground, wrong: dict[str, str]) -> None:
        sent = {"mistake": "phone", "words": "Bonjour", "once": str(uuid4())} | wrong
        assert client.post(f"{UNIT}/signaler-une-erreur", data=sent).status_code == 422
        assert count(ErrorReport) == 0
