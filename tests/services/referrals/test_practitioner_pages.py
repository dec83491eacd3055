"""A practitioner prepares a request step by step, sends it, and follows it; nobody else sees any of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.models import Account
from portal import db
from portal.db import session
from services.referrals.actions import answering
from services.referrals.actions.answering import Outcome
from services.referrals.drafts.models import ReferralDraft
from services.referrals.models import Referral, ReferralOffer, ReferralTarget
from tests.english import in_english as in_english
from tests.factories import people, referrals
from tests.ground import audited, count, prepared, rows
from tests.pages import parsed
from tests.services.referrals.conftest import Ground
from tests.statements import executed

TYPED = {
    "birth_name": "Ferrand", "first_name": "Odile", "birth_on-day": "3", "birth_on-month": "2",
    "birth_on-year": "1951", "sex": "F", "mobile": "06 99 00 10 20", "email": "", "postal_address": "",
    "informed": "yes",
}  # fmt: skip
WISH = {"kind": "consultation", "question": "Dyspnée d’effort depuis trois semaines."}
HOME = "/pro/orientations"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n%%EOF\n"  # noqa: E501 - one small file


@dataclass(frozen=True)
class Practice:
    ground: Ground
    browser: FlaskClient

    def begin(self, **typed: str) -> str:
        """Describe the patient; returns the address of the draft."""
        answer = self.browser.post(f"{HOME}/nouvelle", data=TYPED | {"once": str(uuid4())} | typed)
        assert answer.status_code == 303, answer.text
        return str(answer.location).rsplit("/", 1)[0]

    def want(self, draft: str, **typed: str) -> TestResponse:
        return self.browser.post(f"{draft}/demande", data=WISH | typed)

    def choose(self, draft: str, offer: ReferralOffer, gesture: str = "add") -> TestResponse:
        return self.browser.post(f"{draft}/services", data={"gesture": gesture, "offer": str(offer.id)})

    def tell(self, draft: str, urgency: str = "two_days", **more: Any) -> TestResponse:
        return self.browser.post(f"{draft}/precisions", data={"urgency": urgency} | more)

    def ready(self, *offers: ReferralOffer) -> str:
        draft = self.begin()
        self.want(draft)
        for offer in offers or (self.ground.at_north, self.ground.at_south):
            self.choose(draft, offer)
        assert self.tell(draft).location.endswith("/verifier")
        return draft

    def send(self, draft: str, key: str = "") -> TestResponse:
        return self.browser.post(f"{draft}/envoyer", data={"once": key or str(uuid4())})

    def sent(self) -> tuple[str, Referral]:
        answer = self.send(self.ready())
        assert answer.status_code == 303, answer.text
        return str(answer.location), rows(Referral)[0]


@pytest.fixture
def practice(ground: Ground, sign_in: Callable[[Account | UUID], FlaskClient]) -> Practice:
    return Practice(ground, sign_in(ground.doctor.account_id))


@pytest.fixture
def stranger(ground: Ground, sign_in: Callable[[Account | UUID], FlaskClient]) -> FlaskClient:
    return sign_in(ground.stranger.account_id)


def heading(answer: TestResponse) -> str:
    return str(parsed(answer.text).findtext(".//h1"))


def target_at(ground: Ground, north: bool = True) -> ReferralTarget:
    here = ground.here
    return next(each for each in rows(ReferralTarget) if (each.establishment_id == here) is north)


class TestPreparing:
    def test_goes_from_home_to_a_sent_request(self, practice: Practice, ground: Ground) -> None:
        browser = practice.browser
        assert HOME in browser.get("/pro").text
        assert f"{HOME}/nouvelle" in browser.get(HOME).text
        page, _ = practice.sent()
        shown = browser.get(page)
        assert heading(shown).startswith("Odile FERRAND")
        assert "Answers before" in shown.text
        states = {each.position: each.state for each in rows(ReferralTarget)}
        assert states == {0: "received", 1: "waiting"}
        assert count(ReferralDraft) == 0

    def test_begins_with_the_units_that_take_it(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            referrals.offer(ground.north.unit, "opinion", "Avis écrit")
            referrals.offer(ground.north.unit, name="Pédiatrie", age_to=15)
        draft = practice.begin()
        practice.want(draft)
        page = practice.browser.get(f"{draft}/services").text
        assert "Avis écrit" not in page
        assert "Pédiatrie" not in page
        assert "1 unit does not receive people of this age" in page
        assert ground.north.unit.name in page

    @pytest.mark.parametrize("wish", ["etablissement=990000017", "delai=7", "fauteuil=oui", "ville=Nulle-Part"])
    def test_narrows_the_list(self, practice: Practice, ground: Ground, wish: str) -> None:
        with prepared():
            quick = referrals.offer(ground.north.unit, name="Rapide", usual_days=5)
            session.get_one(type(ground.north.site), ground.north.site.id).for_wheelchairs = True
        draft = practice.begin()
        practice.want(draft)
        page = practice.browser.get(f"{draft}/services?{wish}").text
        assert (quick.name in page) is not wish.startswith("ville")
        assert str(ground.at_south.id) not in page

    def test_takes_no_address_for_more_than_it_says(self, practice: Practice, ground: Ground) -> None:
        draft = practice.begin()
        practice.want(draft)
        hostile = "draft_id=1&_anchor=x&_external=1&delai=99&ville=%00&specialite=" + "x" * 300
        assert practice.browser.get(f"{draft}/services?{hostile}").status_code == 200
        asked = {"gesture": "add", "offer": str(ground.at_north.id)}
        answer = practice.browser.post(f"{draft}/services?{hostile}", data=asked)
        assert answer.status_code == 303
        assert answer.location.startswith(f"{draft}/services")
        for wrong in ({"gesture": "add", "offer": "x"}, {"gesture": "drop", "offer": asked["offer"]}, {}):
            assert practice.browser.post(f"{draft}/services", data=wrong).status_code == 404

    def test_orders_the_list_by_buttons_alone(self, practice: Practice, ground: Ground) -> None:
        draft = practice.begin()
        practice.want(draft)
        practice.choose(draft, ground.at_north)
        practice.choose(draft, ground.at_south)
        practice.choose(draft, ground.at_south, "up")
        assert rows(ReferralDraft)[0].content.offers == (ground.at_south.id, ground.at_north.id)
        practice.choose(draft, ground.at_south, "down")
        practice.choose(draft, ground.at_south, "remove")
        practice.choose(draft, ground.at_north)
        assert rows(ReferralDraft)[0].content.offers == (ground.at_north.id,)

    def test_asks_another_kind_of_other_units(self, practice: Practice, ground: Ground) -> None:
        draft = practice.ready()
        practice.want(draft, kind="opinion")
        assert rows(ReferralDraft)[0].content.offers == ()

    def test_keeps_what_was_typed_when_something_is_missing(self, practice: Practice) -> None:
        answer = practice.browser.post(
            f"{HOME}/nouvelle", data=TYPED | {"once": str(uuid4()), "first_name": "", "birth_on-year": "2951"}
        )
        assert answer.status_code == 422
        assert "Give the first name" in answer.text
        assert "Check the birth date" in answer.text
        assert 'value="Ferrand"' in answer.text
        assert count(ReferralDraft) == 0

    def test_begins_one_draft_by_two_taps(self, practice: Practice) -> None:
        key = str(uuid4())
        first, again = (practice.browser.post(f"{HOME}/nouvelle", data=TYPED | {"once": key}) for _ in range(2))
        assert first.location == again.location
        assert count(ReferralDraft) == 1

    def test_is_found_again_and_thrown_away(self, practice: Practice) -> None:
        draft = practice.begin()
        assert "Odile FERRAND" in practice.browser.get(HOME).text
        assert practice.browser.get(f"{draft}/verifier").location.endswith("/demande")
        practice.browser.post(f"{draft}/effacer")
        assert count(ReferralDraft) == 0
        assert "referral_draft.discarded" in audited()

    def test_outlives_the_session(
        self, practice: Practice, ground: Ground, sign_in: Callable[[Account | UUID], FlaskClient]
    ) -> None:
        draft = practice.ready()
        elsewhere = sign_in(ground.doctor.account_id)
        assert heading(elsewhere.get(f"{draft}/verifier")) == "Check and send"
        assert elsewhere.post(f"{draft}/envoyer", data={"once": str(uuid4())}).status_code == 303

    def test_begins_from_somebody_sent_before(self, practice: Practice) -> None:
        practice.sent()
        page = practice.browser.get(f"{HOME}/nouvelle").text
        link = re.search(r"\?de=(sent-[0-9a-f-]{36})", page)
        assert link is not None
        assert "ferrand" not in link[0].lower()
        filled = practice.browser.get(f"{HOME}/nouvelle?de={link[1]}").text
        assert 'value="FERRAND"' in filled
        assert 'value="1951"' in filled

    def test_keeps_the_text_of_a_draft_sealed(self, practice: Practice) -> None:
        practice.ready()
        with db.transaction(db.system("tests")) as current:
            sealed = current.connection().exec_driver_sql("select sealed from referral_draft").scalar_one()
        assert sealed.startswith("sealed:")


class TestUrgency:
    def test_is_never_left_to_a_form(self, practice: Practice, ground: Ground) -> None:
        draft = practice.begin()
        practice.want(draft)
        practice.choose(draft, ground.at_north)
        answer = practice.tell(draft, "now")
        assert answer.status_code == 422
        assert "This cannot be left to a form: call" in answer.text
        assert 'href="tel:0199001000"' in answer.text
        assert rows(ReferralDraft)[0].content.urgency == ""
        assert practice.send(draft).location.endswith("/precisions")
        assert count(Referral) == 0

    def test_gives_a_number_on_every_step(self, practice: Practice, ground: Ground) -> None:
        draft = practice.ready()
        for step in ("patient", "demande", "services", "precisions", "verifier"):
            assert 'href="tel:15"' in practice.browser.get(f"{draft}/{step}").text, step
        numbers = practice.browser.get(f"{HOME}/telephoner").text
        assert 'href="tel:0199001000"' in numbers
        assert ground.at_north.name in numbers


class TestDocuments:
    def joined(self, practice: Practice, draft: str, name: str = "more", **more: Any) -> TestResponse:
        sent = {name: (BytesIO(PDF), "courrier.pdf"), "urgency": "two_days"} | more
        return practice.browser.post(f"{draft}/precisions", data=sent, content_type="multipart/form-data")

    def test_survive_a_form_with_a_mistake(self, practice: Practice) -> None:
        draft = practice.ready()
        assert self.joined(practice, draft, urgency="").status_code == 422
        assert [each.name for each in rows(ReferralDraft)[0].content.files] == ["courrier.pdf"]
        assert "courrier.pdf" in practice.browser.get(f"{draft}/precisions").text

    def test_go_with_the_request(self, practice: Practice) -> None:
        draft = practice.ready()
        self.joined(practice, draft)
        page = practice.browser.get(practice.send(draft).location).text
        link = re.search(r'href="([^"]+/fichiers/[0-9a-f-]{36})"', page)
        assert link is not None
        assert practice.browser.get(link[1]).data == PDF
        assert "referral_file.downloaded" in audited()

    def test_are_there_once_when_sent_twice(self, practice: Practice) -> None:
        draft = practice.ready()
        self.joined(practice, draft)
        kept = str(rows(ReferralDraft)[0].content.files[0].id)
        self.joined(practice, draft, shown_files=kept, files=kept)
        assert len(rows(ReferralDraft)[0].content.files) == 1

    def test_are_left_out_by_a_tick_taken_away(self, practice: Practice) -> None:
        draft = practice.ready()
        self.joined(practice, draft)
        kept = str(rows(ReferralDraft)[0].content.files[0].id)
        practice.tell(draft, shown_files=kept)
        assert rows(ReferralDraft)[0].content.files == ()

    def test_that_the_unit_requires_are_said_before_sending(self, practice: Practice, ground: Ground) -> None:
        asked = ({"code": "ecg", "label": "Électrocardiogramme", "required": True},)
        with prepared():
            strict = referrals.offer(ground.north.unit, name="Exigeante", files=asked)
        draft = practice.ready(strict)
        assert "The unit requires: Électrocardiogramme" in practice.browser.get(f"{draft}/verifier").text
        assert practice.send(draft).status_code == 409
        self.joined(practice, draft, "file0")
        assert practice.send(draft).status_code == 303

    def test_that_are_no_letter_are_refused(self, practice: Practice) -> None:
        draft = practice.ready()
        sent = {"more": (BytesIO(b"<html>hello</html>"), "page.xml"), "urgency": "two_days"}
        answer = practice.browser.post(f"{draft}/precisions", data=sent, content_type="multipart/form-data")
        assert answer.status_code == 422
        assert rows(ReferralDraft)[0].content.files == ()


class TestSending:
    def test_answers_the_same_whether_or_not_the_hospital_knows_them(self, practice: Practice, ground: Ground) -> None:
        unknown = practice.browser.get(practice.sent()[0]).text
        with prepared():
            _own, known = people.patient_with_account(
                birth_name="DURAND", first_names=("ODILE",), birth_on=date(1951, 2, 3)
            )
            people.known_at(known, ground.here, "800777")
        draft = practice.begin(birth_name="Durand")
        practice.want(draft)
        practice.choose(draft, ground.at_north)
        practice.choose(draft, ground.at_south)
        practice.tell(draft)
        page = practice.browser.get(practice.send(draft).location).text
        assert self.shape(page) == self.shape(unknown)
        assert "800777" not in page
        assert str(known.id) not in page

    @staticmethod
    def shape(page: str) -> list[str]:
        """The words of a page without what names this request."""
        main = page[page.index("<main") : page.index("</main")]
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[B-Z0-9]{4}-[B-Z0-9]{4}", "#", main)
        return (
            re.sub(r'(name="(?:csrf_token|once)"[^>]+value)="[^"]+"', r"\1", text).replace("DURAND", "FERRAND").split()
        )

    def test_sends_once_by_two_taps(self, practice: Practice) -> None:
        draft, key = practice.ready(), str(uuid4())
        first, again = practice.send(draft, key), practice.send(draft, key)
        assert first.location == again.location
        assert count(Referral) == 1

    def test_says_which_unit_closed_meanwhile_and_keeps_the_others(self, practice: Practice, ground: Ground) -> None:
        draft = practice.ready()
        with prepared():
            session.get_one(ReferralOffer, ground.at_south.id).is_open = False
        answer = practice.send(draft)
        assert answer.status_code == 409
        assert "takes no such request any more" in answer.text
        assert count(Referral) == 0
        assert len(rows(ReferralDraft)[0].content.offers) == 2
        practice.choose(draft, ground.at_south, "remove")
        assert practice.send(draft).status_code == 303

    def test_asks_nothing_of_units_that_do_not_receive_that_age(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            ground_offer = session.get_one(ReferralOffer, ground.at_north.id)
            ground_offer.age_to = 130
        draft = practice.ready()
        with prepared():
            session.get_one(ReferralOffer, ground.at_north.id).age_to = 15
        answer = practice.send(draft)
        assert answer.status_code == 409
        assert "does not receive people of this age" in answer.text


class TestFollowing:
    def unit(self, ground: Ground, act: Callable[[ReferralTarget], None]) -> None:
        with db.transaction(ground.as_agent):
            act(session.get_one(ReferralTarget, target_at(ground).id))

    def test_answers_what_the_unit_asks(self, practice: Practice, ground: Ground) -> None:
        page, _ = practice.sent()
        self.unit(ground, lambda target: answering.ask(target, "Le dernier ECG ?"))
        assert "1 waits for you" in practice.browser.get("/pro").text
        shown = practice.browser.get(page).text
        assert "Le dernier ECG ?" in shown
        answer = practice.browser.post(
            f"{page}/services/{target_at(ground).id}",
            data={"text": "Le voici.", "once": str(uuid4()), "files": (BytesIO(PDF), "ecg.pdf")},
            content_type="multipart/form-data",
        )
        assert answer.status_code == 303, answer.text
        assert target_at(ground).state == "received"
        assert "ecg.pdf" in practice.browser.get(page).text

    def test_reads_the_date_of_what_was_accepted(self, practice: Practice, ground: Ground) -> None:
        page, _ = practice.sent()
        at = db.now().replace(hour=9, minute=30)
        self.unit(ground, lambda target: answering.accept(target, Outcome("appointment", None, at)))
        assert "Accepted" in practice.browser.get(HOME).text
        assert "Appointment on" in practice.browser.get(page).text

    def test_follows_the_unit_that_was_named(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            other = referrals.offer(ground.south.unit, name="Proposée")
        page, _ = practice.sent()
        self.unit(
            ground, lambda target: answering.redirect(target, session.get_one(ReferralOffer, other.id), "Plutôt eux.")
        )
        assert "Proposée" in practice.browser.get(page).text
        answer = practice.browser.post(f"{page}/services/{target_at(ground).id}/suivre", data={"once": str(uuid4())})
        assert answer.status_code == 303
        asked = {each.offer_id: each.state for each in rows(ReferralTarget)}
        assert asked[other.id] == "received"
        assert asked[ground.at_south.id] == "waiting"

    def test_goes_on_with_the_list_instead(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            other = referrals.offer(ground.south.unit, name="Proposée")
        page, _ = practice.sent()
        self.unit(
            ground, lambda target: answering.redirect(target, session.get_one(ReferralOffer, other.id), "Plutôt eux.")
        )
        answer = practice.browser.post(f"{page}/services/{target_at(ground).id}/laisser", data={"once": str(uuid4())})
        assert answer.status_code == 303
        assert target_at(ground, north=False).state == "received"

    def test_learns_that_nobody_is_left_until_it_is_read(self, practice: Practice, ground: Ground) -> None:
        draft = practice.ready(ground.at_north)
        page = practice.send(draft).location
        self.unit(ground, lambda target: answering.refuse(target, "no_place", "Appelez le Sud."))
        assert "1 waits for you" in practice.browser.get("/pro").text
        shown = practice.browser.get(page).text
        assert "No unit of your list takes this patient" in shown
        assert "Appelez le Sud." in shown
        assert "waits for you" not in practice.browser.get("/pro").text

    def test_takes_it_back_with_a_reason(self, practice: Practice, ground: Ground) -> None:
        page, _ = practice.sent()
        assert practice.browser.post(f"{page}/reprendre", data={"once": str(uuid4())}).status_code == 422
        practice.browser.post(f"{page}/reprendre", data={"once": str(uuid4()), "why": "mistake"})
        assert {each.state for each in rows(ReferralTarget)} == {"withdrawn"}
        again = practice.browser.post(f"{page}/reprendre", data={"once": str(uuid4()), "why": "mistake"})
        assert again.status_code == 409

    def test_cannot_write_once_it_is_over(self, practice: Practice, ground: Ground) -> None:
        page, _ = practice.sent()
        practice.browser.post(f"{page}/reprendre", data={"once": str(uuid4()), "why": "mistake"})
        answer = practice.browser.post(
            f"{page}/services/{target_at(ground).id}", data={"once": str(uuid4()), "text": "Encore un mot"}
        )
        assert answer.status_code == 409

    def test_prints_one_sheet(self, practice: Practice) -> None:
        page, referral = practice.sent()
        sheet = practice.browser.get(f"{page}/imprimer")
        assert referral.reference in heading(sheet)
        assert "Dyspnée" in sheet.text

    def test_is_filtered_by_state(self, practice: Practice) -> None:
        practice.sent()
        assert "Odile" in practice.browser.get(f"{HOME}?etat=waiting").text
        assert "No referral is in this state" in practice.browser.get(f"{HOME}?etat=ended").text


class TestOthers:
    def test_find_nothing(self, practice: Practice, stranger: FlaskClient, ground: Ground) -> None:
        draft = practice.ready()
        for step in ("patient", "demande", "services", "precisions", "verifier"):
            assert stranger.get(f"{draft}/{step}").status_code == 404, step
        for step in ("envoyer", "effacer", "services", "demande"):
            assert stranger.post(f"{draft}/{step}", data=WISH | {"once": str(uuid4())}).status_code == 404, step
        page, _ = str(practice.send(draft).location), None
        target = target_at(ground).id
        for path in (page, f"{page}/imprimer", f"{page}/reprendre"):
            assert stranger.get(path).status_code == 404, path
        for path in (f"services/{target}", f"services/{target}/suivre", f"services/{target}/laisser", "reprendre"):
            sent = {"once": str(uuid4()), "text": "x", "why": "mistake"}
            assert stranger.post(f"{page}/{path}", data=sent).status_code == 404, path
        assert "Odile" not in stranger.get(HOME).text
        assert "Odile" not in stranger.get(f"{HOME}/nouvelle").text

    def test_see_no_draft_in_the_database(self, practice: Practice, ground: Ground) -> None:
        practice.ready()
        patient, _person = None, None
        with prepared():
            patient, _person = people.patient_with_account()
        actors = [people.as_professional(ground.stranger), ground.as_agent, people.as_patient(patient, _person)]
        for actor in [*actors, db.ANONYMOUS]:
            with db.transaction(actor) as current:
                assert current.query(ReferralDraft).count() == 0
        with db.transaction(ground.as_doctor) as current:
            assert current.query(ReferralDraft).count() == 1


class TestCost:
    @pytest.mark.parametrize("page", ["", "/nouvelle", "/telephoner"])
    def test_of_a_list(self, app: Flask, practice: Practice, page: str) -> None:
        practice.sent()
        practice.browser.get(f"{HOME}{page}")
        with executed(app) as seen:
            practice.browser.get(f"{HOME}{page}")
        assert len(seen) <= 12, seen

    @pytest.mark.parametrize("step", ["services", "precisions", "verifier"])
    def test_of_a_step(self, app: Flask, practice: Practice, step: str) -> None:
        draft = practice.ready()
        practice.browser.get(f"{draft}/{step}")
        with executed(app) as seen:
            practice.browser.get(f"{draft}/{step}")
        assert len(seen) <= 12, seen

    def test_of_one_request(self, app: Flask, practice: Practice) -> None:
        page, _ = practice.sent()
        practice.browser.get(page)
        with executed(app) as seen:
            practice.browser.get(page)
        assert len(seen) <= 12, seen
