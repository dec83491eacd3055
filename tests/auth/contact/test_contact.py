"""Contact data is the person's own: proven by a code, replaced with a word to the former one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth.contact import jobs as contact_jobs
from auth.contact.models import ContactPoint
from auth.identity import sealing
from auth.models import Account, Patient, WebSession
from auth.providers import Door
from portal import db, notifications, text_messages
from portal.db import Actor, session
from portal.notifications import Mail, Notification
from tests.factories import factors, people
from tests.ground import audited, count, prepared, rows

SignIn = Callable[[Account | UUID], FlaskClient]
HERE = "/mon-compte/coordonnees"


@dataclass(frozen=True)
class Ground:
    account: Account
    patient: Patient
    other: Account


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        account, patient = people.patient_with_account()
        other, _patient = people.patient_with_account(birth_name="DUBOIS")
        return Ground(account, patient, other)


@pytest.fixture
def me(ground: Ground, sign_in: SignIn) -> FlaskClient:
    browser = sign_in(ground.account)
    browser.set_cookie("parvis_lang", "en")
    return browser


@dataclass
class Texts:
    """An operator that keeps what it is given."""

    sent: list[tuple[str, str]]

    def send(self, to: str, text: str) -> None:
        self.sent.append((to, text))


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> Texts:
    kept = Texts([])
    monkeypatch.setattr(text_messages._operator, "door", kept)
    return kept


def given(me: FlaskClient, kind: str, value: str) -> str:
    """Give an address or a number; the page where its code is typed."""
    answer = me.post(f"{HERE}/{kind}", data={"value": value})
    assert answer.status_code == 303, answer.text
    return answer.location


def code_of(page: str) -> str:
    point = next(each for each in rows(ContactPoint) if str(each.id) in page)
    assert point.code_sealed is not None
    return sealing.open_("contact code", point.code_sealed)


class TestAMailAddress:
    def test_changes_only_with_its_code(self, ground: Ground, me: FlaskClient) -> None:
        page = given(me, "mail", "neuve@exemple.test")
        assert self._mail(ground) == "jeanne@exemple.test"
        assert me.post(page, data={"code": code_of(page)}).status_code == 303
        assert self._mail(ground) == "neuve@exemple.test"
        assert audited()[-1] == "contact.verified"

    def test_replaced_is_told_so_itself(self, ground: Ground, me: FlaskClient) -> None:
        page = given(me, "mail", "neuve@exemple.test")
        me.post(page, data={"code": code_of(page)})
        assert [each.recipient for each in rows(Notification)] == ["jeanne@exemple.test"]

    def test_reaches_the_hospitals_too(self, ground: Ground, me: FlaskClient) -> None:
        page = given(me, "mail", "neuve@exemple.test")
        me.post(page, data={"code": code_of(page)})
        with prepared():
            assert session.get_one(Patient, ground.patient.id).email == "neuve@exemple.test"

    @staticmethod
    def _mail(ground: Ground) -> str:
        with prepared():
            return session.get_one(Account, ground.account.id).email


class TestAFreshProof:
    """Whoever finds a session open must not lead the messages of its owner elsewhere."""

    def grow_old(self) -> None:
        with prepared():
            db.session.execute(update(WebSession).values(created_at=db.now() - timedelta(minutes=6)))

    @pytest.mark.parametrize("page", ["mail", "mobile", "mobile/retirer"])
    def test_of_less_than_five_minutes_is_asked_for(self, ground: Ground, me: FlaskClient, page: str) -> None:
        with prepared():
            factors.application(ground.account)
        self.grow_old()
        asked = me.post(f"{HERE}/{page}", data={"value": "neuve@exemple.test"})
        assert asked.location.startswith("/mon-compte/verification?next=")
        assert rows(ContactPoint) == []

    def test_once_given_lets_the_change_through(self, ground: Ground, me: FlaskClient) -> None:
        with prepared():
            factors.application(ground.account)
        self.grow_old()
        proof = me.get(f"{HERE}/mail").location
        assert me.post(proof, data={"code": factors.code_of()}).location == f"{HERE}/mail"
        assert me.post(f"{HERE}/mail", data={"value": "neuve@exemple.test"}).status_code == 303

    @pytest.mark.parametrize("page", ["coordonnees/mail", "securite/ajouter", "securite/ajouter/application"])
    def test_of_somebody_without_a_factor_is_to_sign_in_again(
        self, me: FlaskClient, page: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        door = Door("franceconnect", "patient", "FranceConnect", None, dict, "/auth/franceconnect")  # type: ignore[arg-type]  # nobody goes through it
        monkeypatch.setitem(me.application.extensions["parvis.doors"], "franceconnect", door)
        assert "Sign in again" not in me.get(f"/mon-compte/{page}").text
        with prepared():
            db.session.execute(update(WebSession).values(created_at=db.now() - timedelta(minutes=16)))
        asked = me.get(f"/mon-compte/{page}").text
        assert "Sign in again" in asked
        assert f"/auth/franceconnect/start?prompt=login&amp;next=%2Fmon-compte%2F{quote(page, safe='')}" in asked

    def test_is_not_asked_for_between_the_code_and_its_page(self, ground: Ground, me: FlaskClient) -> None:
        page = given(me, "mail", "neuve@exemple.test")
        self.grow_old()
        assert me.post(page, data={"code": code_of(page)}).location == HERE


class TestAMobileNumber:
    def test_gets_a_code_by_text_message(
        self, ground: Ground, me: FlaskClient, texts: Texts, work_jobs: Callable[[], None]
    ) -> None:
        page = given(me, "mobile", "06 12 34 56 78")
        work_jobs()
        ((to, text),) = texts.sent
        assert to == "+33612345678"
        found = re.search(r"\b\d{6}\b", text)
        assert found
        assert me.post(page, data={"code": found[0]}).status_code == 303
        assert "+33612345678" in me.get(HERE).text

    def test_is_sent_once_and_its_code_kept_no_longer(
        self, ground: Ground, me: FlaskClient, texts: Texts, work_jobs: Callable[[], None]
    ) -> None:
        given(me, "mobile", "06 12 34 56 78")
        work_jobs()
        assert rows(ContactPoint)[0].code_sealed is None

    def test_may_be_removed(self, ground: Ground, me: FlaskClient) -> None:
        page = given(me, "mobile", "06 12 34 56 78")
        me.post(page, data={"code": code_of(page)})
        me.post(HERE, data={"locale": "", "channels": ["sms"]})
        assert me.post(f"{HERE}/mobile/retirer").status_code == 303
        with prepared():
            assert contact_jobs.reach(ground.account.id).mobile == ""
            assert session.get_one(Account, ground.account.id).channels == ["mail"]
            assert session.get_one(Patient, ground.patient.id).mobile == ""

    def test_that_is_none_is_refused(self, me: FlaskClient) -> None:
        for wrong in ("01 23 45 67 89", "hello", "", "+33", "06123456789012345"):
            assert me.post(f"{HERE}/mobile", data={"value": wrong}).status_code == 422

    def test_not_verified_is_never_used(self, ground: Ground, me: FlaskClient) -> None:
        given(me, "mobile", "06 12 34 56 78")
        answer = me.post(HERE, data={"locale": "", "channels": ["sms"]})
        assert answer.status_code == 422

    def test_replaced_is_told_so(
        self, ground: Ground, me: FlaskClient, texts: Texts, work_jobs: Callable[[], None]
    ) -> None:
        for number in ("06 12 34 56 78", "06 87 65 43 21"):
            page = given(me, "mobile", number)
            me.post(page, data={"code": code_of(page)})
        work_jobs()
        assert "+33612345678" in [to for to, text in texts.sent if "changed" in text or "changé" in text]


class TestACode:
    def test_is_tried_five_times(self, ground: Ground, me: FlaskClient) -> None:
        page = given(me, "mail", "neuve@exemple.test")
        code = code_of(page)
        wrong = "000000" if code != "000000" else "111111"
        assert [me.post(page, data={"code": wrong}).status_code for _try in range(5)] == [422] * 5
        assert me.post(page, data={"code": code}).status_code == 422

    def test_serves_once(self, ground: Ground, me: FlaskClient) -> None:
        page = given(me, "mail", "neuve@exemple.test")
        code = code_of(page)
        me.post(page, data={"code": code})
        assert me.post(page, data={"code": code}).status_code == 404

    def test_ends(self, ground: Ground, me: FlaskClient) -> None:
        page = given(me, "mail", "neuve@exemple.test")
        code = code_of(page)
        with prepared():
            session.scalars(select(ContactPoint)).one().code_expires_at = db.now() - timedelta(seconds=1)
        assert me.post(page, data={"code": code}).status_code == 422

    def test_of_somebody_else_is_not_found(self, ground: Ground, me: FlaskClient, sign_in: SignIn) -> None:
        page = given(me, "mail", "neuve@exemple.test")
        assert sign_in(ground.other).post(page, data={"code": code_of(page)}).status_code == 404

    def test_is_not_asked_for_without_end(self, ground: Ground, me: FlaskClient) -> None:
        answers = [me.post(f"{HERE}/mail", data={"value": f"a{n}@exemple.test"}).status_code for n in range(7)]
        assert answers == [303] * 5 + [422] * 2

    def test_is_kept_in_clear_nowhere(self, ground: Ground, me: FlaskClient) -> None:
        page = given(me, "mail", "neuve@exemple.test")
        point = rows(ContactPoint)[0]
        assert code_of(page).encode() not in point.code_digest + (point.code_sealed or b"")


class TestAMessage:
    def test_follows_the_channels_that_were_chosen(
        self, ground: Ground, me: FlaskClient, texts: Texts, work_jobs: Callable[[], None]
    ) -> None:
        page = given(me, "mobile", "06 12 34 56 78")
        me.post(page, data={"code": code_of(page)})
        assert me.post(HERE, data={"locale": "en", "channels": ["sms"]}).status_code == 303
        work_jobs()
        texts.sent.clear()
        with prepared():
            notifications.tell(
                Mail("Subject", ("Words",)), recipient="jeanne@exemple.test", account_id=ground.account.id
            )
        work_jobs()
        ((to, text),) = texts.sent
        assert to == "+33612345678"
        assert "Words" not in text

    def test_goes_by_mail_to_who_chose_nothing(self, ground: Ground) -> None:
        with prepared():
            assert contact_jobs.reach(ground.account.id).by_mail
            assert contact_jobs.reach(ground.account.id).mobile == ""


def test_somebody_else_sees_and_changes_nothing(ground: Ground, me: FlaskClient) -> None:
    given(me, "mail", "neuve@exemple.test")
    assert count(ContactPoint) == 1
    agent = Actor("staff", "x", ground.other.id, rights={})
    for stranger in (Actor("patient", "x", ground.other.id), agent, db.ANONYMOUS, Actor("machine", "his")):
        with db.transaction(stranger):
            assert session.scalars(select(ContactPoint)).all() == []
            touched = session.execute(ContactPoint.__table__.update().values(tries=0))  # type: ignore[attr-defined]  # a table, and not any other source of rows
            assert touched.rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it
