"""A person proves to be the one the hospital knows; everybody else gets one answer, whatever they type."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from auth.enrolment import actions
from auth.enrolment.models import Link, LinkCode, LinkRequest, LinkTry
from auth.models import Account, Patient
from portal import db
from portal.db import session
from tests.auth.enrolment.conftest import IPP, Ground
from tests.factories import billing, people
from tests.ground import audited, count, prepared, rows

SignIn = Callable[[Account | UUID], FlaskClient]


@pytest.fixture
def code(ground: Ground) -> str:
    with db.transaction(ground.unit):
        return actions.make_code(ground.here, session.get_one(Patient, ground.known.id))


def page_of(ground: Ground) -> str:
    return f"/mon-compte/hopitaux/{ground.finess}"


def typed(browser: FlaskClient, ground: Ground, proof: str) -> int:
    return browser.post(page_of(ground), data={"proof": proof}).status_code


class TestACode:
    def test_links_the_person_it_was_given_to(self, ground: Ground, code: str, sign_in: SignIn) -> None:
        assert typed(sign_in(ground.account), ground, code) == 303
        (link,) = rows(Link)
        assert (link.patient_id, link.ipp, link.proof) == (ground.patient.id, IPP, "letter")

    def test_may_be_typed_as_people_type(self, ground: Ground, code: str, sign_in: SignIn) -> None:
        assert typed(sign_in(ground.account), ground, f" {code.lower().replace('-', ' ')} ") == 303

    def test_serves_once(self, ground: Ground, code: str, sign_in: SignIn) -> None:
        typed(sign_in(ground.account), ground, code)
        with db.transaction(ground.unit):
            actions.undo_link(rows(Link)[0].id, "test")
        assert typed(sign_in(ground.account), ground, code) == 422

    def test_ends_after_thirty_days(self, ground: Ground, code: str, sign_in: SignIn) -> None:
        with prepared():
            for each in session.query(LinkCode):
                each.expires_at = each.made_at + timedelta(seconds=-1)
        assert typed(sign_in(ground.account), ground, code) == 422

    def test_is_replaced_by_the_next_one(self, ground: Ground, code: str, sign_in: SignIn) -> None:
        with db.transaction(ground.unit):
            newer = actions.make_code(ground.here, session.get_one(Patient, ground.known.id))
        assert typed(sign_in(ground.account), ground, code) == 422
        assert typed(sign_in(ground.account), ground, newer) == 303

    def test_is_kept_nowhere_in_clear(self, ground: Ground, code: str) -> None:
        (kept,) = rows(LinkCode)
        assert code.replace("-", "").encode() not in kept.digest
        assert re.fullmatch(r"(?:[BCDFGHJKLMNPQRSTVWXZ2-9]{4}-?){3}", code)

    def test_of_one_hospital_opens_nothing_at_another(self, ground: Ground, code: str, sign_in: SignIn) -> None:
        elsewhere = ground.other_hospital.establishment.finess
        answer = sign_in(ground.account).post(f"/mon-compte/hopitaux/{elsewhere}", data={"proof": code})
        assert answer.status_code == 422

    def test_found_by_somebody_else_gives_them_nothing(self, ground: Ground, code: str, sign_in: SignIn) -> None:
        assert typed(sign_in(ground.other_account), ground, code) == 422
        assert count(Link) == 0
        assert typed(sign_in(ground.account), ground, code) == 303, "and it still serves its own person"


class TestANumberOnPaper:
    def test_of_a_bill_links_its_person(self, ground: Ground, sign_in: SignIn) -> None:
        assert typed(sign_in(ground.account), ground, "F2026001") == 303
        assert rows(Link)[0].proof == "number"

    def test_of_a_bill_that_only_bears_the_number_does_too(self, ground: Ground, sign_in: SignIn) -> None:
        assert typed(sign_in(ground.account), ground, "F2026002") == 303

    def test_of_somebody_else_does_not(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            stranger = people.patient("AUTRE", ("ZOÉ",))
            people.known_at(stranger, ground.here, "7")
            billing.bill(ground.hospital.establishment, stranger, reference="F7")
        assert typed(sign_in(ground.account), ground, "F7") == 422


class TestOneAnswer:
    def test_to_whatever_proves_nothing(self, ground: Ground, code: str, sign_in: SignIn) -> None:
        """A number nobody bears, somebody else's, one that differs by a trait, one already linked: same words."""
        with prepared():
            nearly_account, nearly = people.patient_with_account(
                birth_name="LE GOFF",
                first_names=("ANNE-MARIE",),
                birth_on=ground.patient.birth_on + timedelta(days=1),
                birthplace_insee="2A004",
            )
        answers = {
            self._words(sign_in(account), ground, proof)
            for account, proof in (
                (ground.account, "F9999999"),
                (ground.other_account, "F2026001"),
                (nearly_account, "F2026001"),
                (nearly_account, code),
            )
        }
        assert len(answers) == 1
        assert nearly.id in {request.patient_id for request in rows(LinkRequest)}, "the doubtful one waits, unsaid"

    @staticmethod
    def _words(browser: FlaskClient, ground: Ground, proof: str) -> str:
        answer = browser.post(page_of(ground), data={"proof": proof})
        assert answer.status_code == 422
        main = answer.text.split("<main", 1)[1].split("</main>", 1)[0]
        return re.sub(r'value="[^"]*"', "", main).replace(proof, "")

    def test_and_a_doubt_that_nobody_asked_about_is_not_shown(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            account, _nearly = people.patient_with_account(
                birth_name="LE GOFFE",
                first_names=("ANNE-MARIE",),
                birth_on=ground.patient.birth_on,
                birthplace_insee="",
            )
        browser = sign_in(account)
        typed(browser, ground, "F2026001")
        (request,) = rows(LinkRequest)
        assert (request.doubt, request.differs) == ("traits_differ", "birth_name")
        assert "The hospital is looking" not in browser.get("/mon-compte/hopitaux").text

    def test_a_number_of_another_account_waits_for_the_unit(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            twin_account, twin = people.patient_with_account(
                birth_name="LE GOFF",
                first_names=("ANNE-MARIE",),
                birth_on=ground.patient.birth_on,
                birthplace_insee="2A004",
            )
        typed(sign_in(ground.account), ground, "F2026001")
        assert typed(sign_in(twin_account), ground, "F2026001") == 422
        (request,) = rows(LinkRequest)
        assert (request.patient_id, request.doubt) == (twin.id, "already_linked")

    def test_nobody_tries_them_all(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.account)
        assert [typed(browser, ground, f"F{n}") for n in range(7)] == [422] * 5 + [429] * 2
        assert typed(browser, ground, "F2026001") == 429, "even the right one, until later"
        two_hours_ago = db.now() - timedelta(hours=2)
        with prepared():
            tries = session.query(LinkTry).delete()
            for _try in range(tries):
                session.add(LinkTry(account_id=ground.account.id, establishment_id=ground.here, at=two_hours_ago))
        assert typed(browser, ground, "F2026001") == 303


class TestAsking:
    def test_waits_for_the_hospital(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.account)
        assert browser.post(f"{page_of(ground)}/demander").status_code == 303
        assert "The hospital is looking" in browser.get("/mon-compte/hopitaux").text
        assert audited()[-1:] == ["link.asked"]

    def test_twice_is_asking_once(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.account)
        for _time in range(2):
            browser.post(f"{page_of(ground)}/demander")
        assert count(LinkRequest) == 1

    def test_shows_who_asks_to_the_units_of_that_hospital_only(self, ground: Ground, sign_in: SignIn) -> None:
        sign_in(ground.account).post(f"{page_of(ground)}/demander")
        elsewhere = people.as_agent(ground.other_agent, ground.other_hospital.establishment.id, "identity")
        for actor, expected in ((ground.unit, 1), (elsewhere, 0), (ground.other, 0)):
            with db.transaction(actor):
                assert session.query(LinkRequest).count() == expected


def test_pages_of_a_linked_hospital_offer_no_form(ground: Ground, sign_in: SignIn) -> None:
    browser = sign_in(ground.account)
    typed(browser, ground, "F2026001")
    assert "<form" not in browser.get(page_of(ground)).text.split("<main", 1)[1].split("</main>", 1)[0]
    assert "Linked" in browser.get("/mon-compte/hopitaux").text


def test_an_unknown_hospital_is_not_found(ground: Ground, sign_in: SignIn) -> None:
    assert sign_in(ground.account).get("/mon-compte/hopitaux/123456789").status_code == 404
