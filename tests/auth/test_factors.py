"""Second factors: chosen by their owner, proven once each time, refused to whoever else holds a part of them."""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth.factors import sealing
from auth.factors.models import Factor, FactorChallenge, RecoveryCode
from auth.models import Account, WebSession
from auth.tries import FailedTries
from portal import db
from portal.config import Settings
from portal.notifications import Notification
from tests.auth.devices import PRESENT, Device
from tests.factories import factors, people
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

SITE = "https://portail.exemple.test"
SECURITY = "/mon-compte/securite"
PROOF = "/mon-compte/verification"
Enters = Callable[[Account], FlaskClient]


@pytest.fixture(autouse=True)
def _named(app: Flask, settings: Settings) -> Iterator[None]:
    """A portal with a name of its own, without which there are no passkeys."""
    app.config["SETTINGS"] = settings.model_copy(update={"base_url": SITE})
    yield
    app.config["SETTINGS"] = settings


@pytest.fixture
def account(app: Flask) -> Account:
    with prepared():
        made = people.patient_with_account()[0]
        made.locale = "en"
        return made


@pytest.fixture
def enters(sign_in: Callable[[Account], FlaskClient]) -> Enters:
    """A browser that signed in with FranceConnect and a password alone, an hour ago."""

    def enter(account: Account) -> FlaskClient:
        browser = sign_in(account)
        with prepared():
            new = db.session.scalars(
                select(WebSession.id).where(WebSession.account_id == account.id).order_by(WebSession.created_at.desc())
            ).first()
            db.session.execute(
                update(WebSession)
                .where(WebSession.id == new)
                .values(amr="pwd", created_at=db.now() - timedelta(hours=1))
            )
        return browser

    return enter


def device() -> Device:
    return Device(SITE, "portail.exemple.test")


def asked(page: str) -> tuple[dict[str, Any], str]:
    """What a page asks the browser's device, and the sealed challenge."""
    options = re.search(r'data-options="([^"]*)"', page)
    sealed = re.search(r'name="sealed"[^>]*value="([^"]*)"', page)
    assert options, page
    assert sealed, page
    return json.loads(html.unescape(options[1])), html.unescape(sealed[1])


def make_passkey(browser: FlaskClient, mine: Device, **tampered: str) -> Any:
    options, sealed = asked(browser.get(f"{SECURITY}/ajouter/cle").text)
    data = {"answer": mine.make(options), "sealed": sealed} | tampered
    return browser.post(f"{SECURITY}/ajouter/cle", data=data)


def use_passkey(browser: FlaskClient, mine: Device, **tampered: str) -> Any:
    options, sealed = asked(browser.get(PROOF).text)
    return browser.post(PROOF, data={"answer": mine.sign(options), "sealed": sealed} | tampered)


def is_proven(browser: FlaskClient) -> bool:
    return browser.get("/factures").status_code == 200


def grow_old(account: Account) -> None:
    """Every proof of this account was an hour ago, in a session that proved nothing else."""
    with prepared():
        db.session.execute(update(WebSession).values(factor="", factor_at=None))
        db.session.execute(update(FailedTries).values(first_at=db.now() - timedelta(hours=1)))


def sent_code() -> str:
    waiting = [row for row in rows(FactorChallenge) if row.sealed and not row.used_at]
    return str(sealing.unseal("code", waiting[-1].sealed)["code"])


def subjects() -> list[str]:
    return [row.subject for row in rows(Notification)]


class TestAPasskey:
    def test_is_made_and_protects_at_once(self, enters: Enters, account: Account) -> None:
        browser, mine = enters(account), device()
        assert not is_proven(browser)
        page = make_passkey(browser, mine)
        assert "Keep these recovery codes" in page.text
        assert is_proven(browser)
        assert "factor.added" in audited()
        assert len(subjects()) == 1

    def test_opens_the_next_session(self, enters: Enters, account: Account) -> None:
        mine = device()
        make_passkey(enters(account), mine)
        browser = enters(account)
        assert not is_proven(browser)
        assert use_passkey(browser, mine).status_code == 303
        assert is_proven(browser)

    @pytest.mark.parametrize(
        "fault",
        [
            {"origin": "https://portail.exemple.test.thief.test"},
            {"origin": "http://portail.exemple.test"},
            {"rp_id": "exemple.test"},
            {"flags": PRESENT},
            {"flags": 0},
        ],
    )
    def test_of_another_site_or_without_its_owner_is_refused(
        self, enters: Enters, account: Account, fault: dict[str, Any]
    ) -> None:
        browser = enters(account)
        assert make_passkey(browser, replace(device(), **fault)).status_code == 422
        assert count(Factor) == 0
        mine = device()
        make_passkey(browser, mine)
        later = enters(account)
        assert use_passkey(later, replace(mine, **fault)).status_code == 422
        assert not is_proven(later)
        assert "factor.refused" in audited()

    def test_answer_serves_once(self, enters: Enters, account: Account) -> None:
        mine = device()
        make_passkey(enters(account), mine)
        browser = enters(account)
        options, sealed = asked(browser.get(PROOF).text)
        data = {"answer": mine.sign(options), "sealed": sealed}
        assert browser.post(PROOF, data=data).status_code == 303
        grow_old(account)
        assert browser.post(PROOF, data=data).status_code == 422
        assert not is_proven(browser)

    def test_challenge_of_another_session_is_refused(self, enters: Enters, account: Account) -> None:
        mine = device()
        make_passkey(enters(account), mine)
        options, sealed = asked(enters(account).get(PROOF).text)
        thief = enters(account)
        assert thief.post(PROOF, data={"answer": mine.sign(options), "sealed": sealed}).status_code == 422

    def test_challenge_is_drawn_by_us(self, enters: Enters, account: Account) -> None:
        mine = device()
        make_passkey(enters(account), mine)
        browser = enters(account)
        options, _sealed = asked(browser.get(PROOF).text)
        assert browser.post(PROOF, data={"answer": mine.sign(options), "sealed": "x"}).status_code == 422
        assert use_passkey(browser, mine, sealed="").status_code == 422

    def test_of_somebody_else_is_refused(self, enters: Enters, account: Account) -> None:
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        mine, theirs = device(), device()
        make_passkey(enters(account), mine)
        make_passkey(enters(other), theirs)
        assert use_passkey(enters(account), theirs).status_code == 422

    def test_that_was_copied_is_refused_and_its_owner_told(self, enters: Enters, account: Account) -> None:
        mine = device()
        make_passkey(enters(account), mine)
        copy = replace(mine)
        for _use in range(2):
            assert use_passkey(enters(account), mine).status_code == 303
        thief = enters(account)
        assert use_passkey(thief, copy).status_code == 422
        assert not is_proven(thief)
        assert "factor.copied" in audited()

    def test_is_kept_once(self, enters: Enters, account: Account) -> None:
        browser, mine = enters(account), device()
        make_passkey(browser, mine)
        assert make_passkey(browser, mine).status_code == 422
        assert count(Factor) == 1

    @pytest.mark.parametrize(
        "answer", ["", "{}", "nonsense", "[]", '{"id": 1}', "x" * 30_000, '{"id":"é","rawId":"é"}']
    )
    def test_nonsense_is_refused_politely(self, enters: Enters, account: Account, answer: str) -> None:
        browser = enters(account)
        assert make_passkey(browser, device(), answer=answer).status_code == 422
        make_passkey(browser, device())
        assert use_passkey(enters(account), device(), answer=answer).status_code == 422

    def test_is_not_offered_at_a_bare_address(
        self, app: Flask, settings: Settings, enters: Enters, account: Account
    ) -> None:
        app.config["SETTINGS"] = settings
        browser = enters(account)
        assert "A passkey" not in browser.get(f"{SECURITY}/ajouter").text
        assert browser.get(f"{SECURITY}/ajouter/cle").status_code == 404


class TestAnApplication:
    def test_is_added_with_its_first_code(self, enters: Enters, account: Account) -> None:
        browser = enters(account)
        page = browser.get(f"{SECURITY}/ajouter/application").text
        secret = "".join(re.search(r'app-code">([A-Z2-7 ]+)<', page)[1].split())  # type: ignore[index]  # it is there, or the test fails
        sealed = html.unescape(re.search(r'name="sealed"[^>]*value="([^"]*)"', page)[1])  # type: ignore[index]  # it is there, or the test fails
        assert "<svg" in page
        data = {"sealed": sealed, "code": factors.code_of(secret)}
        assert "Keep these recovery codes" in browser.post(f"{SECURITY}/ajouter/application", data=data).text
        assert is_proven(browser)
        (kept,) = rows(Factor)
        assert secret.encode() not in kept.sealed

    def test_secret_of_another_account_is_not_taken(self, enters: Enters, account: Account) -> None:
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        page = enters(other).get(f"{SECURITY}/ajouter/application").text
        secret = "".join(re.search(r'app-code">([A-Z2-7 ]+)<', page)[1].split())  # type: ignore[index]  # it is there, or the test fails
        sealed = html.unescape(re.search(r'name="sealed"[^>]*value="([^"]*)"', page)[1])  # type: ignore[index]  # it is there, or the test fails
        data = {"sealed": sealed, "code": factors.code_of(secret)}
        assert enters(account).post(f"{SECURITY}/ajouter/application", data=data).status_code == 422

    def test_code_serves_once(self, enters: Enters, account: Account) -> None:
        with prepared():
            factors.application(account)
        code = factors.code_of()
        assert enters(account).post(PROOF, data={"code": code}).status_code == 303
        again = enters(account)
        assert again.post(PROOF, data={"code": code}).status_code == 422
        assert not is_proven(again)

    @pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "' or 1=1"])
    def test_nonsense_is_refused(self, enters: Enters, account: Account, typed: str) -> None:
        with prepared():
            factors.application(account)
        assert enters(account).post(PROOF, data={"code": typed}).status_code == 422

    def test_may_be_wrong_five_times_then_waits_even_with_the_right_code(
        self, enters: Enters, account: Account
    ) -> None:
        with prepared():
            factors.application(account)
        browser = enters(account)
        for _try in range(5):
            assert browser.post(PROOF, data={"code": "000000"}).status_code == 422
        for code in ("000000", factors.code_of()):
            answer = browser.post(PROOF, data={"code": code})
            assert answer.status_code == 429
        assert enters(account).post(PROOF, data={"code": factors.code_of()}).status_code == 429
        grow_old(account)
        assert browser.post(PROOF, data={"code": factors.code_of()}).status_code == 303

    def test_of_one_person_blocks_nobody_else(self, enters: Enters, account: Account) -> None:
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
            factors.application(account)
            factors.application(other)
        browser = enters(account)
        for _try in range(6):
            browser.post(PROOF, data={"code": "000000"})
        assert enters(other).post(PROOF, data={"code": factors.code_of()}).status_code == 303


class TestATelephone:
    def add(self, browser: FlaskClient, number: str = "06 39 98 00 02") -> Any:
        answer = browser.post(f"{SECURITY}/ajouter/telephone", data={"number": number})
        assert answer.status_code == 303, answer.text
        return browser.post(f"{SECURITY}/ajouter/code", data={"code": sent_code()})

    def test_is_not_praised_above_what_protects_better(self, enters: Enters, account: Account) -> None:
        page = enters(account).get(f"{SECURITY}/ajouter/telephone?lang=en").text
        assert "A passkey or an application protects you better" in page

    def test_is_added_with_the_code_it_received(
        self, enters: Enters, account: Account, work_jobs: Callable[[], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        browser = enters(account)
        browser.post(f"{SECURITY}/ajouter/telephone", data={"number": "06 39 98 00 02"})
        work_jobs()
        message = capsys.readouterr().out
        assert "+33639980002" in message
        code = re.search(r"\b(\d{6})\b", message.split("\n\n")[1])
        assert code
        assert "Keep these recovery codes" in browser.post(f"{SECURITY}/ajouter/code", data={"code": code[1]}).text
        assert is_proven(browser)
        (kept,) = rows(Factor)
        assert b"39980002" not in kept.sealed
        assert kept.label == "•• •• •• 00 02"

    def test_is_asked_for_its_code_the_next_time(self, enters: Enters, account: Account) -> None:
        self.add(enters(account))
        browser = enters(account)
        page = browser.get(PROOF)
        assert "Send me the code" in page.text
        (factor,) = rows(Factor)
        assert browser.post(f"{PROOF}/envoyer/{factor.id}").status_code == 303
        assert browser.post(PROOF, data={"code": sent_code()}).status_code == 303
        assert is_proven(browser)

    def test_code_serves_once_in_the_session_that_asked(self, enters: Enters, account: Account) -> None:
        self.add(enters(account))
        (factor,) = rows(Factor)
        browser, other = enters(account), enters(account)
        browser.post(f"{PROOF}/envoyer/{factor.id}")
        code = sent_code()
        assert other.post(PROOF, data={"code": code}).status_code == 422
        assert browser.post(PROOF, data={"code": code}).status_code == 303
        grow_old(account)
        assert browser.post(PROOF, data={"code": code}).status_code == 422

    def test_new_code_makes_the_former_useless(self, enters: Enters, account: Account) -> None:
        self.add(enters(account))
        (factor,) = rows(Factor)
        browser = enters(account)
        browser.post(f"{PROOF}/envoyer/{factor.id}")
        former = sent_code()
        browser.post(f"{PROOF}/envoyer/{factor.id}")
        if former != sent_code():
            assert browser.post(PROOF, data={"code": former}).status_code == 422

    def test_code_is_too_old_after_ten_minutes(self, enters: Enters, account: Account) -> None:
        self.add(enters(account))
        (factor,) = rows(Factor)
        browser = enters(account)
        browser.post(f"{PROOF}/envoyer/{factor.id}")
        code = sent_code()
        with prepared():
            db.session.execute(update(FactorChallenge).values(expires_at=db.now() - timedelta(seconds=1)))
        answer = browser.post(PROOF, data={"code": code})
        assert (answer.status_code, "too old" in answer.text) == (422, True)

    def test_of_somebody_else_cannot_be_called(self, enters: Enters, account: Account) -> None:
        with prepared():
            theirs = factors.telephone(people.patient_with_account(birth_name="DURAND")[0])
        assert enters(account).post(f"{PROOF}/envoyer/{theirs.id}").status_code == 404

    def test_is_not_called_without_end(self, enters: Enters, account: Account) -> None:
        with prepared():
            factor = factors.telephone(account)
        browser = enters(account)
        answers = [browser.post(f"{PROOF}/envoyer/{factor.id}").status_code for _message in range(6)]
        assert answers == [303] * 5 + [429]

    @pytest.mark.parametrize("number", ["", "0123456789", "12", "+33", "06 12 34", "+33612345678901234", "javascript:"])
    def test_must_be_able_to_receive_one(self, enters: Enters, account: Account, number: str) -> None:
        browser = enters(account)
        assert browser.post(f"{SECURITY}/ajouter/telephone", data={"number": number}).status_code == 422

    def test_code_is_shown_by_a_demonstration_and_by_nothing_else(
        self, app: Flask, settings: Settings, enters: Enters, account: Account
    ) -> None:
        browser = enters(account)
        browser.post(f"{SECURITY}/ajouter/telephone", data={"number": "0639980002"})
        for env, is_shown in (("demo", True), ("production", False), ("test", False), ("development", False)):
            app.config["SETTINGS"] = settings.model_copy(update={"env": env})
            assert (sent_code() in browser.get(f"{SECURITY}/ajouter/code").text) is is_shown

    def test_is_not_offered_where_nothing_is_sent(
        self, app: Flask, settings: Settings, enters: Enters, account: Account
    ) -> None:
        """In production, a console's text messages reach nobody."""
        app.config["SETTINGS"] = settings.model_copy(update={"base_url": SITE, "env": "production"})
        browser = enters(account)
        assert "A code by text message" not in browser.get(f"{SECURITY}/ajouter").text
        assert browser.get(f"{SECURITY}/ajouter/telephone").status_code == 404


class TestTheSheet:
    def sheet(self, browser: FlaskClient) -> list[str]:
        return re.findall(r'app-code">([A-Z0-9-]+)<', make_passkey(browser, device()).text)

    def test_lets_its_owner_in_once_a_code(self, enters: Enters, account: Account) -> None:
        codes = self.sheet(enters(account))
        assert len(set(codes)) == 10
        browser = enters(account)
        typed = codes[3].lower().replace("-", " ")
        assert browser.post(f"{PROOF}?with=codes", data={"code": typed}).status_code == 303
        assert is_proven(browser)
        assert enters(account).post(f"{PROOF}?with=codes", data={"code": codes[3]}).status_code == 422
        assert len([row for row in rows(RecoveryCode) if row.used_at]) == 1

    def test_of_somebody_else_opens_nothing(self, enters: Enters, account: Account) -> None:
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        codes = self.sheet(enters(other))
        self.sheet(enters(account))
        assert enters(account).post(f"{PROOF}?with=codes", data={"code": codes[0]}).status_code == 422

    def test_is_nowhere_readable(self, enters: Enters, account: Account) -> None:
        codes = self.sheet(enters(account))
        kept = b"".join(row.digest for row in rows(RecoveryCode))
        assert not any(code.encode() in kept for code in codes)
        assert not any(code in enters(account).get(SECURITY).text for code in codes)

    def test_is_kept_by_a_slow_hash_with_a_salt_for_each_code(self, enters: Enters, account: Account) -> None:
        codes = self.sheet(enters(account))
        hashes = [str(sealing.unseal("recovery code", row.digest)["hash"]) for row in rows(RecoveryCode)]
        assert all(each.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for each in hashes)
        assert len({each.split("$")[4] for each in hashes}) == len(codes)

    def test_made_before_that_serves_until_it_is_made_again(self, enters: Enters, account: Account) -> None:
        browser = enters(account)
        self.sheet(browser)
        with prepared():
            factors.former_sheet(account, "7KQM-2XHD")
        assert enters(account).post(f"{PROOF}?with=codes", data={"code": "7kqm-2xhd"}).status_code == 303
        assert enters(account).post(f"{PROOF}?with=codes", data={"code": "7kqm-2xhd"}).status_code == 422

    def test_made_again_ends_the_former(self, enters: Enters, account: Account) -> None:
        browser = enters(account)
        former = self.sheet(browser)
        renewed = re.findall(r'app-code">([A-Z0-9-]+)<', browser.post(f"{SECURITY}/codes").text)
        assert len(renewed) == 10
        assert enters(account).post(f"{PROOF}?with=codes", data={"code": former[0]}).status_code == 422
        assert enters(account).post(f"{PROOF}?with=codes", data={"code": renewed[0]}).status_code == 303


class TestKeeping:
    @pytest.mark.parametrize("what", ["nom", "retirer"])
    def test_a_change_takes_a_proof_of_less_than_five_minutes(
        self, enters: Enters, account: Account, what: str
    ) -> None:
        browser = enters(account)
        make_passkey(browser, device())
        (factor,) = rows(Factor)
        address = f"{SECURITY}/{factor.id}/{what}"
        assert browser.get(address).status_code == 200
        grow_old(account)
        for answer in (browser.get(address), browser.post(address, data={"label": "Mine"})):
            assert answer.headers["Location"].startswith(PROOF)
        assert rows(Factor)[0].removed_at is None

    def test_a_change_leads_to_a_page_that_offers_to_close_the_other_sessions(
        self, enters: Enters, account: Account
    ) -> None:
        browser = enters(account)
        make_passkey(browser, device())
        assert "/mon-compte/sessions" in browser.get(SECURITY).text
        assert browser.get("/mon-compte/sessions").status_code == 200

    def test_another_factor_takes_a_proof_too(self, enters: Enters, account: Account) -> None:
        with prepared():
            factors.application(account)
        browser = enters(account)
        for page in ("ajouter", "ajouter/cle", "ajouter/application", "ajouter/telephone"):
            assert browser.get(f"{SECURITY}/{page}").headers["Location"].startswith(PROOF)

    @pytest.mark.parametrize(("factor", "is_asked"), [("mail", True), ("desk", True), ("totp", False)])
    def test_another_factor_takes_more_than_a_mail_code_that_no_hospital_accepts(
        self, enters: Enters, account: Account, factor: str, is_asked: bool
    ) -> None:
        with prepared():
            factors.application(account)
        browser = enters(account)
        with prepared():
            db.session.execute(update(WebSession).values(factor=factor, factor_at=db.now()))
        answer = browser.get(f"{SECURITY}/ajouter/application")
        assert answer.headers.get("Location", "").startswith(PROOF) is is_asked

    def test_a_removed_factor_opens_nothing_more(self, enters: Enters, account: Account) -> None:
        browser, mine = enters(account), device()
        make_passkey(browser, mine)
        (passkey,) = rows(Factor)
        later = enters(account)
        options, sealed = asked(later.get(PROOF).text)
        with prepared():
            factors.application(account)
        assert browser.post(f"{SECURITY}/{passkey.id}/retirer").status_code == 303
        (gone,) = [row for row in rows(Factor) if row.kind == "passkey"]
        assert (gone.removed_at is not None, gone.public_key, gone.sealed) == (True, b"", b"")
        later.post(f"{PROOF}?with={passkey.id}", data={"answer": mine.sign(options), "sealed": sealed})
        assert not is_proven(later)
        assert "factor.removed" in audited()

    def test_the_last_one_says_what_happens_then(self, enters: Enters, account: Account) -> None:
        browser = enters(account)
        make_passkey(browser, device())
        (factor,) = rows(Factor)
        assert "It is your only one" in browser.get(f"{SECURITY}/{factor.id}/retirer").text
        browser.post(f"{SECURITY}/{factor.id}/retirer")
        assert count(RecoveryCode) == 0

    def test_of_somebody_else_is_not_there(self, enters: Enters, account: Account) -> None:
        with prepared():
            theirs = factors.application(people.patient_with_account(birth_name="DURAND")[0])
        browser = enters(account)
        make_passkey(browser, device())
        for what in ("nom", "retirer"):
            assert browser.get(f"{SECURITY}/{theirs.id}/{what}").status_code == 404

    def test_a_name_may_hold_anything(self, enters: Enters, account: Account) -> None:
        browser = enters(account)
        make_passkey(browser, device())
        (factor,) = rows(Factor)
        browser.post(f"{SECURITY}/{factor.id}/nom", data={"label": "<b>Mamie’s</b> phone"})
        assert "&lt;b&gt;Mamie’s&lt;/b&gt; phone" in browser.get(SECURITY).text

    def test_its_owner_is_told_of_each_change(self, enters: Enters, account: Account) -> None:
        browser = enters(account)
        make_passkey(browser, device())
        (factor,) = rows(Factor)
        browser.post(f"{SECURITY}/{factor.id}/retirer")
        told = [row for row in rows(Notification) if row.account_id == account.id]
        assert len(told) == 2
        assert all("/mon-compte/securite" in row.body for row in told)


@pytest.mark.parametrize("page", [SECURITY, PROOF, f"{SECURITY}/ajouter", f"{SECURITY}/codes"])
def test_a_page_costs_few_statements(app: Flask, enters: Enters, account: Account, page: str) -> None:
    browser = enters(account)
    make_passkey(browser, device())
    with executed(app) as statements:
        browser.get(page)
    assert len(statements) <= 12


class TestAStranger:
    @pytest.mark.parametrize("page", ["", "/ajouter", "/ajouter/cle", "/ajouter/application", "/codes"])
    def test_is_sent_to_the_door(self, client: FlaskClient, page: str) -> None:
        assert client.get(f"{SECURITY}{page}").headers["Location"].startswith("/connexion?")

    def test_reads_no_number_on_the_pages_of_proof(self, enters: Enters, account: Account) -> None:
        with prepared():
            factors.telephone(account)
        assert "39980002" not in enters(account).get(PROOF).text
