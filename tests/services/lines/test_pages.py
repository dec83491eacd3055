"""The practitioner's pages of direct lines: one to call from, and what they asked to be called back about."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from auth.models import Account, Professional
from portal import db
from portal.establishments import Establishment
from services.lines import actions
from services.lines.models import Callback, FavouriteLine, Line
from tests import ground
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.factories import lines as factory
from tests.factories.hospitals import Hospital
from tests.ground import prepared

SignIn = Callable[[Account | UUID], FlaskClient]
ADDRESS = "/pro/lignes-directes"


@pytest.fixture
def hospital(app: object) -> Hospital:
    with prepared():
        return hospitals.hospital(phone="01 99 00 10 00")


@pytest.fixture
def line(hospital: Hospital) -> Line:
    with prepared():
        return factory.line(hospital.unit)


@pytest.fixture
def gp(app: object) -> Professional:
    with prepared():
        return people.professional()


@pytest.fixture
def phone(sign_in: SignIn, gp: Professional) -> FlaskClient:
    return sign_in(gp.account_id)


def form(browser: FlaskClient, line: Line, **answers: str) -> object:
    told = {"about": "INR à 5", "number": "06 12 34 56 78", "useful": "week", "once": str(uuid4())} | answers
    return browser.post(f"{ADDRESS}/{line.id}/rappel", data=told)


class TestSheet:
    def test_one_page_calls_what_is_open_and_says_who_answers(self, phone: FlaskClient, line: Line) -> None:
        with prepared():
            factory.duty(
                db.session.get_one(Line, line.id).unit, db.now() - timedelta(hours=1), name="Dr Antoine LEFÈVRE"
            )
        page = phone.get(ADDRESS).text
        assert 'href="tel:0199001211"' in page
        assert "Dr Antoine LEFÈVRE" in page
        assert "Open now" in page
        assert 'href="tel:15"' in page

    def test_a_closed_line_says_what_to_call_instead(self, phone: FlaskClient, hospital: Hospital, line: Line) -> None:
        with prepared():
            closed = factory.line(hospital.unit, label="Rythmologie", number="0199001212", alternative_id=line.id)
            actions.close_line(closed, "Fermé jusqu’à lundi")
        page = phone.get(f"{ADDRESS}/{closed.id}").text
        assert "Fermé jusqu’à lundi" in page
        assert "Avis cardiologique" in page
        assert 'href="tel:0199001000"' in page
        assert "Ask to be called back" not in page

    @pytest.mark.parametrize(
        ("words", "found"), [("cardio", True), ("CARDIOLOGÍE avis", True), ("rein", False), ("<b>%", False)]
    )
    def test_is_searched_by_words_without_accents_nor_capitals(
        self, phone: FlaskClient, line: Line, words: str, found: bool
    ) -> None:
        page = phone.get(ADDRESS, query_string={"q": words}).text
        assert ("Avis cardiologique" in page) == found
        assert ("No line matches" in page) != found

    def test_is_narrowed_to_a_hospital(self, phone: FlaskClient, line: Line) -> None:
        assert "Avis cardiologique" not in phone.get(ADDRESS, query_string={"establishment": "990000025"}).text

    def test_lines_kept_at_hand_come_first_and_are_let_go(self, phone: FlaskClient, line: Line) -> None:
        phone.post(f"{ADDRESS}/{line.id}/garder")
        phone.post(f"{ADDRESS}/{line.id}/garder")
        assert ground.count(FavouriteLine) == 1
        assert "At hand" in phone.get(ADDRESS).text
        phone.post(f"{ADDRESS}/{line.id}/ne-plus-garder")
        assert ground.count(FavouriteLine) == 0

    def test_says_when_there_is_nothing(self, phone: FlaskClient) -> None:
        assert "No direct line yet" in phone.get(ADDRESS).text

    def test_a_line_that_was_removed_is_gone(self, phone: FlaskClient, line: Line) -> None:
        with prepared():
            actions.remove_line(db.session.get_one(Line, line.id))
        assert phone.get(f"{ADDRESS}/{line.id}").status_code == 404
        assert "Avis cardiologique" not in phone.get(ADDRESS).text

    def test_asks_the_database_few_questions(
        self, phone: FlaskClient, hospital: Hospital, statements: Callable[[], AbstractContextManager[list[str]]]
    ) -> None:
        with prepared():
            for number in range(30):
                factory.line(hospital.unit, label=f"Ligne {number}")
        phone.get(ADDRESS)
        with statements() as seen:
            phone.get(ADDRESS)
        assert len(seen) <= 12

    def test_is_for_practitioners_alone(
        self, client: FlaskClient, sign_in: SignIn, hospital: Hospital, line: Line
    ) -> None:
        with prepared():
            own, _person = people.patient_with_account()
            agent = people.agent(hospital.establishment.id, "referrals")
        for path in (ADDRESS, f"{ADDRESS}/{line.id}"):
            refused = client.get(path)
            assert refused.status_code == 303
            for account in (own, agent):
                answer = sign_in(account).get(path)
                assert answer.status_code == 403
                assert "0199001211" not in answer.text


class TestCallback:
    def test_is_asked_followed_and_withdrawn(self, phone: FlaskClient, line: Line) -> None:
        sent = form(phone, line)
        assert sent.status_code == 303  # type: ignore[attr-defined]  # what a browser answers
        made = ground.rows(Callback)[0]
        assert made.number == "0612345678"
        page = phone.get(f"{ADDRESS}/rappels/{made.id}").text
        assert "Waits for a call" in page
        assert "INR à 5" in page
        assert "You wait for a call" in phone.get(ADDRESS).text
        assert phone.post(f"{ADDRESS}/rappels/{made.id}/retirer").status_code == 303
        assert phone.post(f"{ADDRESS}/rappels/{made.id}/retirer").status_code == 409
        assert "Withdrawn" in phone.get(f"{ADDRESS}/rappels").text

    def test_the_same_click_twice_asks_once(self, phone: FlaskClient, line: Line) -> None:
        key = str(uuid4())
        assert form(phone, line, once=key).location == form(phone, line, once=key).location  # type: ignore[attr-defined]  # what a browser answers
        assert ground.count(Callback) == 1

    @pytest.mark.parametrize(
        ("answers", "said"),
        [
            ({"about": ""}, "Say in a few words"),
            ({"about": "x" * 301}, "300 characters"),
            ({"number": ""}, "Give the number"),
            ({"number": "javascript:alert(1)"}, "Write a telephone number"),
            ({"useful": "for ever"}, ""),
            (
                {"patient_born_on-day": "31", "patient_born_on-month": "2", "patient_born_on-year": "1980"},
                "does not exist",
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_cannot_be_is_said_in_the_page(
        self, phone: FlaskClient, line: Line, answers: dict[str, str], said: str
    ) -> None:
        refused = form(phone, line, **answers)
        assert refused.status_code == 422  # type: ignore[attr-defined]  # what a browser answers
        assert said in refused.text  # type: ignore[attr-defined]  # what a browser answers
        assert ground.count(Callback) == 0

    def test_a_line_closed_meanwhile_says_so(self, phone: FlaskClient, line: Line) -> None:
        with prepared():
            actions.close_line(db.session.get_one(Line, line.id))
        refused = form(phone, line)
        assert refused.status_code == 409  # type: ignore[attr-defined]  # what a browser answers
        assert "calls nobody back now" in refused.text  # type: ignore[attr-defined]  # what a browser answers

    def test_a_colleague_s_request_is_nobody_else_s(self, sign_in: SignIn, phone: FlaskClient, line: Line) -> None:
        form(phone, line)
        made = ground.rows(Callback)[0]
        with prepared():
            other = people.professional("10000000025", "AUTRE", "Alix")
        browser = sign_in(other.account_id)
        assert browser.get(f"{ADDRESS}/rappels/{made.id}").status_code == 404
        assert browser.post(f"{ADDRESS}/rappels/{made.id}/retirer").status_code == 404
        assert "You asked for no call" in browser.get(f"{ADDRESS}/rappels").text

    def test_urgency_is_never_left_to_the_form(self, phone: FlaskClient, line: Line) -> None:
        form(phone, line)
        made = ground.rows(Callback)[0]
        with prepared():
            switchboard = db.session.scalars(db.session.query(Establishment.phone).statement).first()
        for path in (f"{ADDRESS}/{line.id}/rappel", f"{ADDRESS}/rappels/{made.id}", f"{ADDRESS}/rappels"):
            assert 'href="tel:15"' in phone.get(path).text, path
        assert str(switchboard) in phone.get(f"{ADDRESS}/{line.id}/rappel").text
