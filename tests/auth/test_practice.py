"""Practitioners at work: the site of the day, and acting in somebody's stead while they allow it, never longer."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

from auth.models import Account, Delegation, Identity, Professional, WebSession
from auth.practice import actions, activities, queries
from auth.practice.models import DelegationCode
from portal import db
from portal.audit import AuditEvent
from portal.db import Actor
from portal.notifications import Notification
from services.documents.exchanges.models import Exchange
from tests.auth.trip import Trip
from tests.english import in_english as in_english
from tests.factories import documents, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account | UUID], FlaskClient]
Trips = Callable[..., Trip]


def signed_in(visitor: Trip, person: str) -> FlaskClient:
    """Past the texts that a new account agrees to, which have their own tests."""
    assert visitor.sign_in(person).headers["Location"] == "/pro"
    with visitor.browser.session_transaction() as cookie:
        cookie.pop("texts_due", None)
    return visitor.browser


def lines(action: str) -> list[AuditEvent]:
    return [line for line in rows(AuditEvent) if line.action == action]


# -- where one works today -----------------------------------------------------------------------------------------


def sites_page(browser: FlaskClient) -> Any:
    return browser.get("/pro/lieu")


def the_session() -> WebSession:
    (found,) = rows(WebSession)
    return found


class TestSeveralSites:
    @pytest.fixture
    def locum(self, trip: Trips) -> FlaskClient:
        return signed_in(trip("prosanteconnect"), "vauquelin")

    def test_are_chosen_from_before_anything_else(self, locum: FlaskClient) -> None:
        for path in ("/pro", "/pro/envoyer"):
            answer = locum.get(path)
            assert answer.status_code == 303
            asked = urlsplit(answer.headers["Location"])
            assert (asked.path, parse_qs(asked.query)["next"]) == ("/pro/lieu", [path])

    def test_are_all_offered_and_none_is_chosen_beforehand(self, locum: FlaskClient) -> None:
        page = sites_page(locum).text
        assert "CABINET DU DR ROUMILLAC" in page
        assert "MAISON DE SANTÉ DES ÉCLUSES" in page
        assert page.count('type="radio"') == 3
        assert "checked" not in page
        assert the_session().activity is None

    def test_lead_where_one_wanted_to_go_and_show_on_every_page(self, locum: FlaskClient) -> None:
        chosen = rows(Professional)[0].activities[1]
        answer = locum.post("/pro/lieu?next=/pro/envoyer", data={"site": activities.key(chosen)})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/pro/envoyer")
        assert the_session().activity == chosen
        for path in ("/pro", "/pro/envoyer", "/pro/delegations"):
            assert "MAISON DE SANTÉ DES ÉCLUSES" in locum.get(path).text

    def test_the_choice_is_in_the_audit_with_its_number(self, locum: FlaskClient) -> None:
        chosen = rows(Professional)[0].activities[0]
        locum.post("/pro/lieu", data={"site": activities.key(chosen)})
        (line,) = lines("activity.chosen")
        assert line.object_id == the_session().id
        assert line.details["site"] == activities.number(chosen) != ""

    def test_may_be_changed_during_the_day(self, locum: FlaskClient) -> None:
        first, second, _third = rows(Professional)[0].activities
        for chosen in (first, second):
            locum.post("/pro/lieu", data={"site": activities.key(chosen)})
            assert the_session().activity == chosen
        assert len(lines("activity.chosen")) == 2

    @pytest.mark.parametrize("posted", ["", "0" * 16, "' or 1=1 --", "é" * 3000])
    def test_of_nobody_are_refused(self, locum: FlaskClient, posted: str) -> None:
        answer = locum.post("/pro/lieu", data={"site": posted})
        assert answer.status_code == 422
        assert "Choose where you work today." in answer.text
        assert the_session().activity is None

    def test_never_send_elsewhere_than_the_portal(self, locum: FlaskClient) -> None:
        chosen = rows(Professional)[0].activities[0]
        answer = locum.post("/pro/lieu?next=//exemple.test/", data={"site": activities.key(chosen)})
        assert answer.headers["Location"] == "/pro"

    def test_are_asked_again_at_the_next_sign_in(self, trip: Trips, locum: FlaskClient) -> None:
        locum.post("/pro/lieu", data={"site": activities.key(rows(Professional)[0].activities[0])})
        again = signed_in(trip("prosanteconnect"), "vauquelin")
        assert again.get("/pro").status_code == 303


class TestOneSiteOrNone:
    def test_one_is_chosen_by_itself(self, trip: Trips) -> None:
        visitor = signed_in(trip("prosanteconnect"), "roumillac")
        home = visitor.get("/pro")
        assert home.status_code == 200
        assert "CABINET DU DR ROUMILLAC" in home.text
        assert [line.details["profession"] for line in lines("activity.chosen")] == ["10"]

    def test_a_practice_without_a_place_has_a_plain_name(self, trip: Trips) -> None:
        visitor = signed_in(trip("prosanteconnect"), "abrial")
        assert "Place not named" in visitor.get("/pro").text

    def test_a_secretary_works_without_any(self, trip: Trips) -> None:
        visitor = signed_in(trip("prosanteconnect"), "quesnoy")
        assert the_session().activity == {}
        home = visitor.get("/pro")
        assert home.status_code == 200
        assert "You work without a declared site" in home.text
        assert "No site of yours is known" in sites_page(visitor).text


class TestTheNames:
    def test_of_the_exercise_is_shown_at_work_and_the_civil_one_beside(self, trip: Trips) -> None:
        visitor = signed_in(trip("prosanteconnect"), "vauquelin")
        (someone,) = rows(Professional)
        assert (someone.civil_name, someone.full_name) == ("Joséphine DELORMEAU", "Joséphine VAUQUELIN")
        assert someone.titled_name == "Dr Joséphine VAUQUELIN"
        page = sites_page(visitor).text
        assert "Joséphine DELORMEAU" in page
        assert [account.name for account in rows(Account)] == ["Joséphine VAUQUELIN"]

    def test_without_one_the_civil_name_serves(self) -> None:
        assert Professional(given_name="Maud", family_name="QUESNOY", activities=[]).titled_name == "Maud QUESNOY"
        assert Professional(given_name="Maud", family_name="QUESNOY").full_name == "Maud QUESNOY"


def test_relinking_by_the_national_number_keeps_the_sites_and_refuses_two_people(trip: Trips) -> None:
    """Told at length in test_sign_in; here: the same person, under a new `sub`, chooses again from the same sites."""
    signed_in(trip("prosanteconnect"), "vauquelin")
    with prepared():
        db.session.execute(update(WebSession).values(ended_at=db.now()))
        db.session.execute(update(Identity).values(subject="f:changed:another"))
    again = signed_in(trip("prosanteconnect"), "vauquelin")
    assert (count(Professional), count(Account)) == (1, 1)
    assert again.get("/pro").status_code == 303


# -- who may act in whose stead ------------------------------------------------------------------------------------


@pytest.fixture
def doctor(app: Flask) -> Professional:
    with prepared():
        made = people.professional()
        made.activities = [
            {"profession": "10", "civility": "DR", "finess_site": "990000102", "raison_sociale": "CABINET"}
        ]
        made.profession = "10"
    return made


@pytest.fixture
def secretary(app: Flask) -> Professional:
    with prepared():
        made = people.professional("", "QUESNOY", "Maud")
        made.subject_name_id = "3990000011/SEC0042"
    return made


def acting(someone: Professional) -> Actor:
    return people.as_professional(someone)


def code_of(someone: Professional) -> str:
    with db.transaction(acting(someone)):
        return actions.make_code()


def delegated(doctor: Professional, secretary: Professional, **until: Any) -> Delegation:
    with db.transaction(acting(doctor)):
        return actions.allow(code_of_later(secretary), until.get("ends_on"))


def code_of_later(someone: Professional) -> str:
    """A code written by the system: another unit of work is open."""
    code = "BCDFGHJK"
    former = db.current_actor()
    db.act_as(db.system("tests"))
    db.session.execute(
        insert(DelegationCode).values(
            id=uuid4(), account_id=someone.account_id, professional_id=someone.id, digest=actions.digest(code),
            created_at=db.now(), expires_at=db.now() + timedelta(minutes=5),
        )
    )  # fmt: skip
    db.act_as(former)
    return code


def exchange_of(doctor: Professional, hospital: Hospital) -> Exchange:
    with prepared():
        return documents.exchange(
            hospital.unit, doctor, ("unit", "Inès Tavernoy", "Bonjour"), subject="Avis pour le docteur"
        )


class TestADelegation:
    def test_is_given_with_the_code_read_out(
        self, sign_in: SignIn, doctor: Professional, secretary: Professional
    ) -> None:
        theirs, mine = sign_in(secretary.account_id), sign_in(doctor.account_id)
        assert theirs.post("/pro/delegations/code").status_code == 303
        page = theirs.get("/pro/delegations").text
        (code,) = rows(DelegationCode)
        shown = next(word for word in _codes(page) if actions.digest(word) == code.digest)
        answer = mine.post("/pro/delegations/nouvelle", data={"once": str(uuid4()), "code": f" {shown.lower()} "})
        assert answer.status_code == 303
        (delegation,) = rows(Delegation)
        assert (delegation.professional_id, delegation.delegate_id) == (doctor.id, secretary.id)
        assert (delegation.professional_name, delegation.delegate_name) == ("Dr Paul LEROY", "Maud QUESNOY")
        assert "Maud QUESNOY" in mine.get("/pro/delegations").text
        assert "Act for Dr Paul LEROY" in theirs.get("/pro/delegations").text

    def test_tells_both_of_them(
        self, sign_in: SignIn, doctor: Professional, secretary: Professional, work_jobs: Callable[[], None]
    ) -> None:
        with prepared():
            db.session.execute(update(Account).values(email="pro@exemple.test"))
        delegation = delegated(doctor, secretary)
        work_jobs()
        assert {each.account_id for each in rows(Notification)} == {doctor.account_id, secretary.account_id}
        theirs = sign_in(secretary.account_id)
        assert "lets you act in their stead" in theirs.get("/pro").text
        theirs.post(f"/pro/delegations/{delegation.id}/vu")
        assert "lets you act in their stead" not in theirs.get("/pro").text
        with db.transaction(acting(doctor)):
            actions.withdraw(queries.given_by(doctor.id)[0])
        assert "no longer lets you act" in theirs.get("/pro").text

    def test_works_once_per_code_and_for_a_quarter_of_an_hour(
        self, doctor: Professional, secretary: Professional
    ) -> None:
        code = code_of(secretary)
        with db.transaction(acting(doctor)):
            actions.allow(code, None)
        with pytest.raises(actions.CodeRefused), db.transaction(acting(doctor)):
            actions.allow(code, None)
        late = code_of(secretary)
        with prepared():
            db.session.execute(update(DelegationCode).values(expires_at=db.now() - timedelta(seconds=1)))
        with pytest.raises(actions.CodeRefused), db.transaction(acting(doctor)):
            actions.allow(late, None)

    def test_to_oneself_or_into_the_past_or_by_a_secretary_is_refused(
        self, doctor: Professional, secretary: Professional
    ) -> None:
        own = code_of(doctor)
        with pytest.raises(actions.CodeRefused), db.transaction(acting(doctor)):
            actions.allow(own, None)
        with pytest.raises(actions.MayNotDelegate), db.transaction(acting(secretary)):
            actions.allow(own, None)
        code = code_of(secretary)
        with pytest.raises(actions.EndsInThePast), db.transaction(acting(doctor)):
            actions.allow(code, queries.today() - timedelta(days=1))

    def test_cannot_be_guessed(self, sign_in: SignIn, doctor: Professional, secretary: Professional) -> None:
        code = code_of(secretary)
        browser = sign_in(doctor.account_id)

        def posted(text: str) -> Any:
            return browser.post("/pro/delegations/nouvelle", data={"once": str(uuid4()), "code": text})

        for _ in range(10):
            assert "This code does not work" in posted("ZZZZZZZZ").text
        answer = posted(code)
        assert answer.status_code == 422
        assert "Too many wrong codes" in answer.text
        assert count(Delegation) == 0

    def test_given_twice_is_one_with_its_last_day_changed(self, doctor: Professional, secretary: Professional) -> None:
        until = queries.today() + timedelta(days=30)
        for ends_on in (None, until):
            code = code_of(secretary)
            with db.transaction(acting(doctor)):
                actions.allow(code, ends_on)
        assert [each.ends_on for each in rows(Delegation)] == [until]


def _codes(page: str) -> list[str]:
    return [f"{first}{second}" for first, second in re.findall(r"([B-Z2-9]{4}) ([B-Z2-9]{4})", page)]


class TestActingInSomebodysStead:
    @pytest.fixture
    def delegation(self, doctor: Professional, secretary: Professional) -> Delegation:
        return delegated(doctor, secretary)

    @pytest.fixture
    def browser(self, sign_in: SignIn, secretary: Professional, delegation: Delegation) -> FlaskClient:
        return sign_in(secretary.account_id)

    def test_shows_the_doctors_exchanges_only_meanwhile(
        self, browser: FlaskClient, delegation: Delegation, doctor: Professional, north: Hospital
    ) -> None:
        thread = exchange_of(doctor, north)
        assert "Avis pour le docteur" not in browser.get("/pro").text
        assert browser.get(f"/pro/echanges/{thread.id}").status_code == 404
        assert browser.post(f"/pro/delegations/{delegation.id}/agir").status_code == 303
        assert "Avis pour le docteur" in browser.get("/pro").text
        assert browser.get(f"/pro/echanges/{thread.id}").status_code == 200
        browser.post("/pro/delegations/en-mon-nom")
        assert browser.get(f"/pro/echanges/{thread.id}").status_code == 404

    def test_says_so_on_every_page(self, browser: FlaskClient, delegation: Delegation) -> None:
        browser.post(f"/pro/delegations/{delegation.id}/agir")
        for path in ("/pro", "/pro/envoyer", "/pro/delegations", "/"):
            assert "You act for Dr Paul LEROY" in browser.get(path).text

    def test_is_written_down_under_both_names(
        self, browser: FlaskClient, delegation: Delegation, doctor: Professional, north: Hospital
    ) -> None:
        thread = exchange_of(doctor, north)
        browser.post(f"/pro/delegations/{delegation.id}/agir")
        browser.get(f"/pro/echanges/{thread.id}")
        (line,) = lines("exchange.opened")
        assert line.actor_name == "Maud QUESNOY"
        assert line.details["on_behalf_of"] == str(doctor.id)

    def test_ends_at_once_when_withdrawn_and_sends_nothing_under_ones_own_name(
        self, browser: FlaskClient, delegation: Delegation, doctor: Professional, north: Hospital
    ) -> None:
        browser.post(f"/pro/delegations/{delegation.id}/agir")
        with db.transaction(acting(doctor)):
            actions.withdraw(queries.given_by(doctor.id)[0])
        answer = browser.post(
            f"/pro/envoyer/{north.unit.id}",
            data={"once": str(uuid4()), "subject": "x", "birth_name": "x", "first_name": "x", "text": "x"},
        )
        assert (answer.status_code, answer.headers["Location"]) == (303, "/pro/delegations")
        assert "You may no longer act for this practitioner" in browser.get("/pro/delegations").text
        assert count(Exchange) == 0
        assert "You act for" not in browser.get("/pro").text

    def test_ends_after_its_last_day(self, browser: FlaskClient, delegation: Delegation) -> None:
        browser.post(f"/pro/delegations/{delegation.id}/agir")
        with prepared():
            db.session.execute(update(Delegation).values(ends_on=queries.today() - timedelta(days=1)))
        assert "You act for" not in browser.get("/pro").text
        assert browser.post(f"/pro/delegations/{delegation.id}/agir").status_code == 404

    def test_may_be_given_back(
        self, browser: FlaskClient, delegation: Delegation, sign_in: SignIn, doctor: Professional
    ) -> None:
        browser.post(f"/pro/delegations/{delegation.id}/agir")
        browser.post(f"/pro/delegations/{delegation.id}/rendre")
        assert "You act for" not in browser.get("/pro").text
        assert "no longer acts in your stead" in sign_in(doctor.account_id).get("/pro").text

    def test_cannot_be_passed_on_nor_withdrawn_by_whoever_received_it(
        self, browser: FlaskClient, delegation: Delegation, doctor: Professional, app: Flask
    ) -> None:
        browser.post(f"/pro/delegations/{delegation.id}/agir")
        assert browser.get("/pro/delegations/nouvelle").status_code == 403
        assert browser.post(f"/pro/delegations/{delegation.id}/retirer").status_code == 404
        assert rows(Delegation)[0].revoked_at is None

    def test_is_not_for_somebody_else(self, delegation: Delegation, sign_in: SignIn, app: Flask) -> None:
        with prepared():
            stranger = people.professional("10000000025", "AUTRE", "Anne")
        browser = sign_in(stranger.account_id)
        for what in ("agir", "retirer", "rendre", "vu"):
            assert browser.post(f"/pro/delegations/{delegation.id}/{what}").status_code == 404

    def test_costs_few_statements(self, app: Flask, browser: FlaskClient, delegation: Delegation) -> None:
        browser.post(f"/pro/delegations/{delegation.id}/agir")
        for path in ("/pro", "/pro/delegations", "/pro/lieu"):
            with executed(app) as said:
                browser.get(path)
            assert len(said) <= 12, said


class TestNobodyElse:
    """Row-level security: what the pages check, the database checks again."""

    def test_sees_delegations_or_codes(self, doctor: Professional, secretary: Professional) -> None:
        delegated(doctor, secretary)
        with prepared():
            stranger = people.professional("10000000025", "AUTRE", "Anne")
        for who in (acting(stranger), db.ANONYMOUS):
            with db.transaction(who):
                assert db.session.scalars(select(Delegation)).all() == []
                assert db.session.scalars(select(DelegationCode)).all() == []
        with db.transaction(acting(doctor)):
            assert len(db.session.scalars(select(Delegation)).all()) == 1
            assert db.session.scalars(select(DelegationCode)).all() == []

    def test_gives_a_delegation_of_somebody_elses_even_in_their_stead(
        self, doctor: Professional, secretary: Professional
    ) -> None:
        in_their_stead = replace(acting(secretary), professional_id=doctor.id, on_behalf_of=doctor.id)
        with prepared():
            friend = people.professional("10000000025", "AUTRE", "Anne")
        for who in (in_their_stead, acting(friend), db.ANONYMOUS):
            with pytest.raises(DBAPIError, match="row-level security"), db.transaction(who):
                db.session.execute(
                    insert(Delegation).values(
                        id=uuid4(), professional_id=doctor.id, delegate_id=friend.id, created_at=db.now()
                    )
                )

    def test_makes_a_code_of_somebody_elses(self, doctor: Professional, secretary: Professional) -> None:
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(acting(doctor)):
            db.session.execute(
                insert(DelegationCode).values(
                    id=uuid4(), account_id=secretary.account_id, professional_id=secretary.id, digest=b"x",
                    created_at=db.now(), expires_at=db.now(),
                )
            )  # fmt: skip


def test_the_audit_tells_the_whole_story(doctor: Professional, secretary: Professional) -> None:
    delegation = delegated(doctor, secretary)
    with db.transaction(acting(doctor)):
        actions.withdraw(db.session.get_one(Delegation, delegation.id))
    assert audited() == ["delegation.given", "delegation.withdrawn"]
