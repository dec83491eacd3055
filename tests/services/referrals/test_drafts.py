"""What a draft keeps, whom a practitioner may name again, the unit's own questions, letters, and what is forgotten."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from auth.after_sign_in import JustSignedIn
from auth.models import Account, Delegation, WebSession
from portal import db, retention
from portal.db import session
from portal.files import StoredFile
from services.questionnaires.answers import load
from services.referrals import claims
from services.referrals.actions import sending
from services.referrals.drafts import content as contents
from services.referrals.drafts.content import GESTURES, MOST_FILES, MOST_UNITS, Content, KeptFile, TooMany
from services.referrals.drafts.models import ReferralDraft
from services.referrals.models import Referral, ReferralTarget
from services.sent_patients import sources
from tests.english import in_english as in_english
from tests.factories import documents, people, questionnaires, referrals
from tests.ground import audited, count, prepared, rows, today
from tests.services.referrals.conftest import Ground
from tests.services.referrals.test_practitioner_pages import HOME, PDF, Practice

_IDS = [UUID(int=number) for number in range(1, 9)]
_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
_kept = st.builds(KeptFile, st.sampled_from(_IDS), _text, _text, _text, _text)
_contents = st.builds(
    Content,
    birth_name=_text,
    first_name=_text,
    birth_on=st.none() | st.dates(),
    patient_informed=st.booleans(),
    question=_text,
    offers=st.lists(st.sampled_from(_IDS), unique=True).map(tuple),
    questionnaire_id=st.none() | st.sampled_from(_IDS),
    answers=_text,
    files=st.lists(_kept, max_size=3).map(tuple),
)


@pytest.fixture
def practice(ground: Ground, sign_in: Callable[[Account | UUID], FlaskClient]) -> Practice:
    return Practice(ground, sign_in(ground.doctor.account_id))


class TestContent:
    @given(_contents)
    def test_comes_back_as_it_was_kept(self, told: Content) -> None:
        assert contents.load(contents.dump(told)) == told

    def test_leaves_out_what_a_former_portal_knew(self) -> None:
        assert contents.load('{"kind": "opinion", "gone": 1}') == Content(kind="opinion")

    @given(st.lists(st.tuples(st.sampled_from((*GESTURES, "nonsense")), st.sampled_from(_IDS))))
    def test_is_a_list_without_repeats_whatever_is_pressed(self, pressed: list[tuple[str, UUID]]) -> None:
        offers: tuple[UUID, ...] = ()
        for gesture, offer_id in pressed:
            try:
                after = contents.arranged(offers, gesture, offer_id)
            except TooMany:
                assert gesture == "add"
                assert len(offers) == MOST_UNITS
                continue
            assert len(set(after)) == len(after) <= MOST_UNITS
            assert set(offers) ^ set(after) <= {offer_id}
            offers = after

    def test_takes_so_many_files_and_none_twice(self) -> None:
        told = Content()
        for number in range(MOST_FILES):
            told = contents.with_file(told, KeptFile(uuid4(), "a.pdf", sha256=str(number)))
        assert contents.with_file(told, KeptFile(uuid4(), "b.pdf", sha256="0")) is told
        with pytest.raises(TooMany):
            contents.with_file(told, KeptFile(uuid4(), "c.pdf", sha256="another"))


class TestPatientsNamedBefore:
    def test_come_from_exchanges_too_each_once(self, ground: Ground) -> None:
        with prepared():
            for _time in range(2):
                documents.exchange(ground.north.unit, ground.doctor, ("professional", "Paul LEROY", "Bonjour."))
        with db.transaction(ground.as_doctor):
            known = sources.known_to(ground.doctor.id)
            assert [each.source for each in known] == ["exchange"]
            again = sources.named(ground.doctor.id, known[0].key)
            assert again is not None
            assert again.birth_name == known[0].birth_name
        with db.transaction(people.as_professional(ground.stranger)):
            assert sources.known_to(ground.stranger.id) == []
            assert sources.named(ground.stranger.id, known[0].key) is None


class TestQuestionsOfTheUnit:
    def test_are_asked_answered_and_sent(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            asked = questionnaires.questionnaire(ground.here, "allergies-et-mobilite")
            curious = referrals.offer(ground.north.unit, name="Curieuse", questionnaire=asked.code)
        draft = practice.begin()
        practice.want(draft)
        practice.choose(draft, curious)
        refused = practice.tell(draft)
        assert refused.status_code == 422
        assert "Answer this: Are you allergic to anything?" in refused.text
        names = dict.fromkeys(re.findall(r'name="(a[0-9]+)"', refused.text))
        typed = dict.fromkeys(names, "no") | {name: "0" for name in names if f'name="{name}" value="0"' in refused.text}
        answer = practice.tell(draft, **typed)
        if answer.status_code == 303 and answer.location.endswith("/precisions"):
            answer = practice.tell(draft, **typed)
        assert answer.status_code == 303, answer.text
        page = practice.browser.get(practice.send(draft).location).text
        assert "Your answers to the unit’s questions" in page
        sent = rows(ReferralTarget)[0]
        assert sent.questionnaire_id == asked.id
        assert load(sent.answers)["any"] == (False,)


class TestLetters:
    def sent(self, practice: Practice, letter: bytes) -> str:
        draft = practice.ready()
        practice.browser.post(
            f"{draft}/precisions",
            data={"more": (BytesIO(letter), "lettre.xml"), "urgency": "two_days"},
            content_type="multipart/form-data",
        )
        assert "Lettre de liaison" in practice.browser.get(f"{draft}/verifier").text
        page = practice.browser.get(practice.send(draft).location).text
        link = re.search(r'href="([^"]+/lire)"', page)
        assert link is not None
        return link[1]

    def test_are_recognised_and_read_as_a_page(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            about = documents.traits(people.patient())
        hostile = '<paragraph>Bien <content onclick="x()">portant</content><script>alert(1)</script></paragraph>'
        page = practice.browser.get(self.sent(practice, documents.structured(about, [("Conclusion", hostile)]))).text
        assert "Conclusion" in page
        assert "portant" in page
        assert "onclick" not in page
        assert "alert(1)" not in page

    def test_give_the_pdf_that_they_carry(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            letter = documents.letter(documents.traits(people.patient()))
        address = self.sent(practice, letter)
        inside = practice.browser.get(f"{address.removesuffix('/lire')}/piece")
        assert inside.mimetype == "application/pdf"
        assert inside.data.startswith(b"%PDF")
        assert "attachment" in inside.headers["Content-Disposition"]


class TestForgetting:
    def test_erases_old_drafts_with_their_files(self, practice: Practice, ground: Ground) -> None:
        draft = practice.begin()
        practice.want(draft)
        practice.choose(draft, ground.at_north)
        practice.browser.post(
            f"{draft}/precisions",
            data={"more": (BytesIO(PDF), "courrier.pdf"), "urgency": "two_days"},
            content_type="multipart/form-data",
        )
        practice.begin(first_name="Autre")
        with prepared():
            old = next(each for each in session.query(ReferralDraft) if each.content.kind)
            old.changed_at = db.now() - timedelta(days=31)
        rule = retention.rule("referral_draft")
        before = db.now() - timedelta(days=rule.days)
        with prepared():
            due = rule.due(None, before, 10)
            assert [rule.purge(each.id, before) for each in due] == [True]
        assert [each.content.first_name for each in rows(ReferralDraft)] == ["Autre"]
        assert {each.state for each in rows(StoredFile)} == {"erased"}
        assert "referral_draft.forgotten" in audited()

    def test_keeps_what_somebody_just_touched(self, practice: Practice) -> None:
        practice.begin()
        with prepared():
            assert not retention.rule("referral_draft").purge(rows(ReferralDraft)[0].id, db.now() - timedelta(days=30))
        assert count(ReferralDraft) == 1

    def test_files_wait_with_their_draft_more_than_a_day(self, practice: Practice, ground: Ground) -> None:
        draft = practice.ready()
        practice.browser.post(
            f"{draft}/precisions",
            data={"more": (BytesIO(PDF), "courrier.pdf"), "urgency": "two_days"},
            content_type="multipart/form-data",
        )
        stored = rows(StoredFile)[0]
        assert stored.attached_at is not None, "what waits unattached is erased after a day"
        assert stored.professional_id == ground.doctor.id


class TestSoftware:
    def test_that_sent_before_the_first_sign_in_is_found_again(self, app: Flask, ground: Ground) -> None:
        with prepared():
            sent = sending.send(referrals.request(ground.at_north), rpps=ground.doctor.rpps, author="Logiciel").id
        claims.claim(JustSignedIn("prosanteconnect", ground.stranger.account_id, ""))
        assert rows(Referral)[0].professional_id is None
        claims.claim(JustSignedIn("prosanteconnect", ground.doctor.account_id, ""))
        assert [(each.id, each.professional_id) for each in rows(Referral)] == [(sent, ground.doctor.id)]


class TestDelegates:
    def test_send_in_the_practitioners_stead(
        self, ground: Ground, sign_in: Callable[[Account | UUID], FlaskClient]
    ) -> None:
        with prepared():
            secretary = people.professional("", "QUESNOY", "Maud")
            session.add(
                Delegation(
                    id=uuid4(), professional_id=ground.doctor.id, delegate_id=secretary.id, professional_name="LEROY",
                    delegate_name="Maud QUESNOY", created_at=db.now(), ends_on=today() + timedelta(days=9),
                )
            )  # fmt: skip
        browser = sign_in(secretary.account_id)
        with prepared():
            session.execute(
                update(WebSession)
                .where(WebSession.account_id == secretary.account_id)
                .values(on_behalf_of=ground.doctor.id)
            )
        delegate = Practice(ground, browser)
        page, referral = delegate.sent()
        assert referral.professional_id == ground.doctor.id
        assert "QUESNOY" in referral.author_name
        assert "Odile FERRAND" in browser.get(page).text
        assert "Odile FERRAND" in sign_in(ground.doctor.account_id).get(HOME).text


def test_a_birth_date_of_today_is_somebody(practice: Practice) -> None:
    day = today()
    practice.begin(**{"birth_on-day": str(day.day), "birth_on-month": str(day.month), "birth_on-year": str(day.year)})
    assert rows(ReferralDraft)[0].content.birth_on == day


def test_a_request_whose_words_were_forgotten_is_listed_no_more(practice: Practice) -> None:
    page, _ = practice.sent()
    with prepared():
        session.get_one(Referral, rows(Referral)[0].id).birth_name = ""
    assert "Odile" not in practice.browser.get(HOME).text
    assert practice.browser.get(page).status_code == 404
