"""The identity unit's tray of mandates: compared, accepted or refused, taken back; each hospital its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.mandates import ages
from auth.mandates.models import Mandate, MandateChange
from auth.models import Account, Patient, PatientAccess
from portal import db
from portal.db import SCOPES
from portal.notifications import Notification
from tests.factories import hospitals, people
from tests.factories.mandates import mandate, proof
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account | UUID], FlaskClient]
TRAY = "/admin/identites/mandats"
TODAY = ages.today_in("Europe/Paris", db.now())


@pytest.fixture
def sign_in(sign_in: SignIn) -> SignIn:
    """A browser that reads English, whatever the catalogues hold."""

    def in_english(account: Account | UUID) -> FlaskClient:
        browser = sign_in(account)
        browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return browser

    return in_english


@dataclass
class Ground:
    """A mother has asked; Irène checks in the north, Sam in the south."""

    north: UUID
    mother: Account
    herself: Patient
    child: Patient
    irene: Account
    sam: Account
    asked: UUID

    @property
    def page(self) -> str:
        return f"{TRAY}/{self.asked}"


def ask(own: Account, establishment_id: UUID, kind: str = "parent", **facts: object) -> UUID:
    made = Mandate(id=uuid4(), kind=kind, state="requested", account_id=own.id, establishment_id=establishment_id,
                   proxy_name=own.name, proof_kind="family_book" if kind == "parent" else "judgement",
                   proof_file_id=proof(own, establishment_id).id,
                   **{"asked_birth_name": "LORMEVAL", "asked_first_names": "Zoé"} | facts)  # fmt: skip
    db.session.add(made)
    db.session.flush()
    return made.id


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord").establishment
        south = hospitals.hospital("990000025", "Hôpital du Sud").establishment
        mother, herself = people.patient_with_account(birth_name="LORMEVAL", first_names=("Camille",))
        mother.email = "camille@exemple.test"
        child = people.patient("LORMEVAL", ("Zoé", "Anna"), date(TODAY.year - 7, 3, 8))
        people.known_at(child, north.id, "8001")
        asked = ask(mother, north.id, asked_birth_on=child.birth_on)
        return Ground(
            north.id,
            mother,
            herself,
            child,
            people.agent(north.id, "identity", name="Irène Identité"),
            people.agent(south.id, "identity", name="Sam Sud"),
            asked,
        )


def accepting(ground: Ground, **answers: object) -> dict[str, object]:
    return {"patient_id": str(ground.child.id), "scopes": list(SCOPES)} | answers


def state_of(mandate_id: UUID) -> str:
    return next(each.state for each in rows(Mandate) if each.id == mandate_id)


class TestTheTray:
    def test_shows_what_waits_at_ones_own_hospitals(self, ground: Ground, sign_in: SignIn) -> None:
        assert "Zoé LORMEVAL" in sign_in(ground.irene).get(TRAY).text
        page = sign_in(ground.sam).get(TRAY).text
        assert "Zoé" not in page
        assert "Nothing to check" in page

    @pytest.mark.parametrize("group", ["requested", "active", "over", "nonsense"])
    def test_has_three_views(self, ground: Ground, sign_in: SignIn, group: str) -> None:
        assert sign_in(ground.irene).get(f"{TRAY}?groupe={group}").status_code == 200

    def test_is_not_for_another_right(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            other = people.agent(ground.north, "documents", "administration", "billing")
        for path in (TRAY, ground.page, f"{ground.page}/justificatif"):
            assert sign_in(other).get(path).status_code == 403

    def test_opens_nothing_of_another_hospital(self, ground: Ground, sign_in: SignIn) -> None:
        sam = sign_in(ground.sam)
        assert sam.get(ground.page).status_code == 404
        assert sam.get(f"{ground.page}/justificatif").status_code == 404
        for act in ("accepter", "refuser", "retirer", "rechercher", "creer-le-dossier"):
            assert sam.post(f"{ground.page}/{act}", data=accepting(ground)).status_code == 404, act
        assert state_of(ground.asked) == "requested"

    def test_pages_cost_few_statements(self, app: Flask, ground: Ground, sign_in: SignIn) -> None:
        irene = sign_in(ground.irene)
        for path in (TRAY, ground.page):
            with executed(app) as statements:
                irene.get(path)
            assert len(statements) <= 12, path


class TestARequest:
    def test_is_compared_with_the_records_and_opening_it_is_written_down(self, ground: Ground, sign_in: SignIn) -> None:
        irene = sign_in(ground.irene)
        page = irene.get(ground.page).text
        assert "same birth name and date" in page
        assert "IPP 8001" in page
        answer = irene.get(f"{ground.page}/justificatif")
        assert (answer.status_code, answer.mimetype) == (200, "image/png")
        assert audited()[-2:] == ["mandate.opened", "mandate.proof_opened"]

    def test_accepted_opens_the_child_s_file_to_the_parent_and_tells_them(
        self, ground: Ground, sign_in: SignIn
    ) -> None:
        answer = sign_in(ground.irene).post(f"{ground.page}/accepter", data=accepting(ground))
        assert answer.status_code == 303
        (given,) = [each for each in rows(PatientAccess) if each.relation == "parent"]
        assert (given.account_id, given.patient_id) == (ground.mother.id, ground.child.id)
        assert given.ends_on == ages.last_day_of_minority(ground.child.birth_on)
        (made,) = rows(Mandate)
        assert (made.state, made.checked_by_name) == ("active", "Irène Identité")
        assert [(each.to_state, each.actor_name) for each in rows(MandateChange)] == [("active", "Irène Identité")]
        assert [each.recipient for each in rows(Notification)] == ["camille@exemple.test"]
        assert "mandate.checked" in audited()

    def test_accepted_with_sole_authority_says_so(self, ground: Ground, sign_in: SignIn) -> None:
        sign_in(ground.irene).post(f"{ground.page}/accepter", data=accepting(ground, sole_authority="y"))
        assert [each.sole_authority for each in rows(Mandate)] == [True]

    @pytest.mark.parametrize(
        ("answers", "told"),
        [
            ({"patient_id": ""}, ""),
            ({"patient_id": str(uuid4())}, ""),
            ({"scopes": []}, "Tick at least one box"),
            ({"scopes": ["everything"]}, ""),
        ],
    )
    def test_is_not_accepted_on_a_bad_answer(
        self, ground: Ground, sign_in: SignIn, answers: dict[str, object], told: str
    ) -> None:
        answer = sign_in(ground.irene).post(f"{ground.page}/accepter", data=accepting(ground, **answers))
        assert answer.status_code == 422
        assert told in answer.text
        assert state_of(ground.asked) == "requested"

    def test_is_not_accepted_for_a_patient_of_age(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            grown = people.patient("LORMEVAL", ("Ana",), date(1990, 1, 1))
            people.known_at(grown, ground.north, "8002")
        answer = sign_in(ground.irene).post(f"{ground.page}/accepter", data=accepting(ground, patient_id=str(grown.id)))
        assert answer.status_code == 422
        assert "is of age" in answer.text

    def test_is_not_accepted_for_the_very_person_who_asks(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            db.session.get_one(Patient, ground.herself.id).birth_on = date(TODAY.year - 17, 1, 1)
            people.known_at(ground.herself, ground.north, "8003")
        data = accepting(ground, patient_id=str(ground.herself.id))
        answer = sign_in(ground.irene).post(f"{ground.page}/accepter", data=data)
        assert "the very person who asks" in answer.text
        assert {each.relation for each in rows(PatientAccess)} == {"self"}

    def test_is_refused_with_words_the_person_reads(self, ground: Ground, sign_in: SignIn) -> None:
        irene = sign_in(ground.irene)
        assert irene.post(f"{ground.page}/refuser", data={"refuse-reason": ""}).status_code == 422
        irene.post(f"{ground.page}/refuser", data={"refuse-reason": "unreadable"})
        assert state_of(ground.asked) == "refused"
        page = sign_in(ground.mother).get(f"/mon-compte/mandats/{ground.asked}").text
        assert "send a sharper photo" in page

    def test_is_decided_once(self, ground: Ground, sign_in: SignIn) -> None:
        first, second = sign_in(ground.irene), sign_in(ground.irene)
        first.post(f"{ground.page}/refuser", data={"refuse-reason": "other"})
        second.post(f"{ground.page}/accepter", data=accepting(ground))
        assert state_of(ground.asked) == "refused"
        assert {each.relation for each in rows(PatientAccess)} == {"self"}

    def test_of_somebody_unknown_here_opens_a_record(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            asked = ask(ground.mother, ground.north, asked_birth_name="NOUVEAU", asked_first_names="Eden",
                        asked_birth_on=date(TODAY.year - 1, 5, 5))  # fmt: skip
        irene = sign_in(ground.irene)
        assert "No record bears this name" in irene.get(f"{TRAY}/{asked}").text
        irene.post(f"{TRAY}/{asked}/creer-le-dossier")
        made = next(each for each in rows(Patient) if each.birth_name == "NOUVEAU")
        assert made.identity_status == "PROV"
        answer = irene.post(f"{TRAY}/{asked}/accepter", data=accepting(ground, patient_id=str(made.id)))
        assert answer.status_code == 303
        assert state_of(asked) == "active"

    def test_is_searched_otherwise_by_a_post(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            other = people.patient("DUPUIS", ("Léo",), date(TODAY.year - 4, 9, 9), sex="M")
            people.known_at(other, ground.north, "8004")
        irene = sign_in(ground.irene)
        page = irene.post(f"{ground.page}/rechercher", data={"search-name": "dup"}).text
        assert "DUPUIS Léo" in page
        chosen = accepting(ground, patient_id=str(other.id)) | {"search-name": "dup"}
        assert irene.post(f"{ground.page}/accepter", data=chosen).status_code == 303


class TestAJudgement:
    @pytest.fixture
    def asked(self, ground: Ground) -> UUID:
        with prepared():
            old = people.patient("VALMORIN", ("Suzanne",), date(1944, 5, 17))
            people.known_at(old, ground.north, "8005")
            return ask(ground.mother, ground.north, "curator", asked_birth_name="VALMORIN", asked_birth_on=old.birth_on)

    def post(self, ground: Ground, browser: FlaskClient, asked: UUID, ends_on: date, **answers: object) -> object:
        old = next(each for each in rows(Patient) if each.birth_name == "VALMORIN")
        data = accepting(ground, patient_id=str(old.id), scopes=["administrative"]) | answers
        for name, day in (("judged_on", date(2025, 1, 1)), ("ends_on", ends_on)):
            data |= {f"{name}-day": str(day.day), f"{name}-month": str(day.month), f"{name}-year": str(day.year)}
        return browser.post(f"{TRAY}/{asked}/accepter", data=data)

    def test_gives_what_it_says_until_its_last_day(self, ground: Ground, sign_in: SignIn, asked: UUID) -> None:
        last = TODAY + timedelta(days=700)
        assert self.post(ground, sign_in(ground.irene), asked, last).status_code == 303  # type: ignore[attr-defined]  # what a browser answers
        (given,) = [each for each in rows(PatientAccess) if each.relation == "curator"]
        assert (given.scopes, given.ends_on) == (["administrative"], last)

    def test_of_curatorship_never_opens_what_is_medical(self, ground: Ground, sign_in: SignIn, asked: UUID) -> None:
        answer = self.post(ground, sign_in(ground.irene), asked, TODAY + timedelta(days=9), scopes=["medical"])
        assert answer.status_code == 422  # type: ignore[attr-defined]  # what a browser answers
        assert state_of(asked) == "requested"

    def test_without_a_last_day_is_not_accepted(self, ground: Ground, sign_in: SignIn, asked: UUID) -> None:
        old = next(each for each in rows(Patient) if each.birth_name == "VALMORIN")
        data = accepting(ground, patient_id=str(old.id), scopes=["administrative"])
        answer = sign_in(ground.irene).post(f"{TRAY}/{asked}/accepter", data=data)
        assert answer.status_code == 422
        assert "a measure always has one" in answer.text

    def test_that_is_over_is_not_accepted(self, ground: Ground, sign_in: SignIn, asked: UUID) -> None:
        answer = self.post(ground, sign_in(ground.irene), asked, TODAY - timedelta(days=2))
        assert answer.status_code == 422  # type: ignore[attr-defined]  # what a browser answers
        assert "ask for the renewed judgement" in answer.text  # type: ignore[attr-defined]  # what a browser answers

    def test_that_is_renewed_takes_the_place_of_the_former_one(
        self, ground: Ground, sign_in: SignIn, asked: UUID
    ) -> None:
        with prepared():
            old = db.session.get_one(Patient, next(e.id for e in rows(Patient) if e.birth_name == "VALMORIN"))
            former = mandate(ground.mother, old, "curator", establishment_id=ground.north, ends_on=TODAY)
        last = TODAY + timedelta(days=900)
        assert self.post(ground, sign_in(ground.irene), asked, last).status_code == 303  # type: ignore[attr-defined]  # what a browser answers
        assert (state_of(former.id), state_of(asked)) == ("ended", "active")
        (given,) = [each for each in rows(PatientAccess) if each.relation == "curator"]
        assert (given.ends_on, given.revoked_at) == (last, None)


class TestTakingBack:
    def test_ends_it_at_once_in_open_windows_and_tells(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            given = mandate(ground.mother, ground.child, establishment_id=ground.north)
        mother = sign_in(ground.mother)
        mother.post("/mon-compte/mandats/agir", data={"patient_id": str(ground.child.id)})
        assert mother.get("/rendez-vous").status_code == 200
        sign_in(ground.irene).post(f"{TRAY}/{given.id}/retirer")
        assert mother.get("/rendez-vous", follow_redirects=True).status_code == 403
        assert state_of(given.id) == "revoked"
        assert [each.recipient for each in rows(Notification)] == ["camille@exemple.test"]
