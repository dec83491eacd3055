"""Paying with the hospital's letter alone: it opens its own bill, for a short while, and says nothing of anybody."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pypdfium2 as pdfium
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import lazy_gettext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from auth.wording import WHO
from portal import db, establishments
from portal.audit import AuditEvent
from portal.gateways.payments.payfip_twin import RunningTwin, Trouble
from services.billing.access_keys import digest_of_birth, digest_of_key
from services.billing.guests import queries as guests
from services.billing.guests.models import BillOpening
from services.billing.guests.queries import counted_as, spellings
from services.billing.models import Bill, PaymentAttempt
from services.billing.sources import queries as sources
from services.billing.sources.models import BillSource
from tests.factories import billing, hospitals, people
from tests.factories.billing import LETTER_KEY
from tests.ground import prepared, rows
from tests.services.billing.conftest import Ground, SignIn, at_the_bank, later, open_till, statements

FORM = "/factures/payer"
NO_BILL = "We found no bill to pay"
BORN_ON = date(1962, 5, 17)
AUDITED = "bill.opened_with_key"


def a_source(ground: Ground, access: str, code: str = "regie", **facts: Any) -> None:
    with prepared():
        db.session.add(
            BillSource(
                **{
                    "establishment_id": ground.hospital.establishment.id, "code": code, "kind": "regie",
                    "name": "Régie des soins", "numcli": "090909", "saisie": "T", "means": ["payfip"],
                    "access": access, **facts,
                }
            )
        )  # fmt: skip


def a_bill(ground: Ground, due_cents: int = 3000, **facts: Any) -> Bill:
    with prepared():
        return billing.bill(ground.hospital.establishment, None, due_cents, **facts)


def type_key(browser: FlaskClient, reference: str, key: str = LETTER_KEY) -> TestResponse:
    return browser.post(FORM, data={"reference": reference, "access_key": key})


def type_birth(browser: FlaskClient, reference: str, amount: str = "45,20", born_on: date = BORN_ON) -> TestResponse:
    facts = {"bill_reference": reference, "amount": amount}
    return browser.post(
        FORM,
        data={
            **facts, "birth_on-day": str(born_on.day), "birth_on-month": str(born_on.month),
            "birth_on-year": str(born_on.year),
        },
    )  # fmt: skip


def page_of(bill: Bill) -> str:
    return f"{FORM}/factures/{bill.id}"


def cookie_of(browser: FlaskClient) -> str:
    cookie = browser.get_cookie("parvis_payer", path="/")
    return cookie.value if cookie else ""


def pay(browser: FlaskClient, bill: Bill, choice: str = "P") -> str:
    """From the bill's page to the bank's and back; returns the path of the return page."""
    answer = browser.post(f"{page_of(bill)}/regler", data={"email": "fille@exemple.test"})
    assert answer.status_code == 303, answer.text
    assert "idop=" in answer.location
    return at_the_bank(answer.location, choice)


def audit_lines(action: str) -> list[AuditEvent]:
    return [line for line in rows(AuditEvent) if line.action == action]


def a_browser(app: Flask) -> FlaskClient:
    """Nobody's, in English: the words of the tests."""
    made = app.test_client()
    made.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return a_browser(app)


@pytest.fixture
def letter(client: FlaskClient, ground: Ground) -> FlaskClient:
    """A browser where the letter of the ground's bill was typed."""
    assert type_key(client, ground.bill.reference).status_code == 303
    return client


class TestTheLetter:
    def test_the_reference_and_the_key_open_the_bill(self, client: FlaskClient, ground: Ground) -> None:
        assert type_key(client, ground.bill.reference).location == page_of(ground.bill)
        page = client.get(page_of(ground.bill))
        for shown in (ground.bill.reference, "45.20", ground.hospital.establishment.name, "01 99 00 10 00", "To pay"):
            assert shown in page.text

    @pytest.mark.parametrize("key", ["prvs2k7q9txd", " PRVS 2K7Q 9TXD ", "PRVS-2K7Q-9TXD", "prvs.2k7q.9txd"])
    def test_a_key_is_read_however_it_is_typed(self, client: FlaskClient, ground: Ground, key: str) -> None:
        assert type_key(client, ground.bill.reference, key).status_code == 303

    def test_a_reference_is_read_however_it_is_typed(self, client: FlaskClient, ground: Ground) -> None:
        reference = ground.bill.reference
        for typed in (reference.lower(), f"  {reference} ", f"{reference[:3]} {reference[3:]}"):
            assert type_key(client, typed).location == page_of(ground.bill)

    def test_nothing_is_shown_of_the_patient_nor_of_the_care(self, letter: FlaskClient, ground: Ground) -> None:
        back = pay(letter, ground.bill)
        receipt = f"{FORM}/recus/"
        pages = [letter.get(path).text for path in (page_of(ground.bill), f"{FORM}/factures", FORM)]
        pages += [letter.get(f"{page_of(ground.bill)}/regler", follow_redirects=True).text]
        pages += [letter.get(back, follow_redirects=True).text, letter.get(f"{receipt}{ground.receipts()[0].id}").text]
        for page in pages:
            for secret in ("MARTIN", "Jeanne", "ardiologie", "14 September", "14 septembre", LETTER_KEY, "1962"):
                assert secret not in page

    def test_it_is_not_linked_to_the_account_of_whoever_types_it(self, sign_in: SignIn, ground: Ground) -> None:
        with prepared():
            account, _person = people.patient_with_account(birth_name="DURAND")
        browser = sign_in(account)
        type_key(browser, ground.bill.reference)
        browser.get(pay(browser, ground.bill))
        assert ground.standing().state == "paid"
        assert ground.bill.reference not in browser.get("/factures").text
        assert ground.standing().bill.patient_id == ground.patient.id
        assert ground.attempts()[0].account_id is None

    def test_its_opening_is_written_down_as_somebody_with_the_letter(self, letter: FlaskClient, ground: Ground) -> None:
        (line,) = audit_lines(AUDITED)
        assert (line.object_id, line.patient_id) == (ground.bill.id, ground.patient.id)
        assert WHO[line.actor] == lazy_gettext("Somebody with the hospital’s letter")
        assert LETTER_KEY not in str(line.details)

    def test_the_patient_reads_it_among_those_who_opened_their_file(
        self, letter: FlaskClient, sign_in: SignIn, ground: Ground
    ) -> None:
        del letter
        page = sign_in(ground.account).get("/mon-compte/acces", headers={"Accept-Language": "en"})
        assert "Somebody with the hospital’s letter" in page.text
        assert "Opened a bill with the hospital’s letter" in page.text

    def test_several_letters_are_paid_in_one_go_where_the_regisseur_agreed(
        self, letter: FlaskClient, ground: Ground
    ) -> None:
        a_source(ground, "key", several=True)
        second = a_bill(ground)
        assert type_key(letter, second.reference).location == f"{FORM}/factures"
        page = letter.get(f"{FORM}/factures").text
        assert ground.bill.reference in page
        assert second.reference in page
        together = f"{FORM}/regler?facture={ground.bill.id}&facture={second.id}"
        assert "75.20" in letter.get(together).text
        answer = letter.post(together, data={"email": "fille@exemple.test"})
        back = letter.get(at_the_bank(answer.location, "P"))
        assert back.location == f"{FORM}/factures"
        (receipt,) = ground.receipts()
        text_of_receipt = letter.get(f"{FORM}/recus/{receipt.id}").text
        assert second.reference in text_of_receipt
        assert "75.20" in text_of_receipt

    def test_without_the_regisseurs_word_letters_are_paid_one_by_one(self, letter: FlaskClient, ground: Ground) -> None:
        second = a_bill(ground)
        type_key(letter, second.reference)
        together = f"{FORM}/regler?facture={ground.bill.id}&facture={second.id}"
        assert "/regler?" not in letter.get(f"{FORM}/factures").text
        assert letter.get(together).location == f"{FORM}/factures"
        assert letter.post(together, data={"email": "a@exemple.test"}).location == f"{FORM}/factures"
        assert ground.attempts() == []


class TestLettersWithoutKey:
    def test_the_amount_and_the_birth_date_replace_it(self, client: FlaskClient, ground: Ground) -> None:
        a_source(ground, "amount_birth")
        assert "bears no key" in client.get(FORM).text
        answer = type_birth(client, ground.bill.reference, "45,20 €", ground.patient.birth_on)
        assert answer.location == page_of(ground.bill)
        assert audit_lines(AUDITED)[0].details["way"] == "birth"

    def test_they_are_asked_for_only_where_letters_bear_no_key(self, client: FlaskClient, ground: Ground) -> None:
        assert "bears no key" not in client.get(FORM).text
        assert type_birth(client, ground.bill.reference, born_on=ground.patient.birth_on).status_code == 422

    @pytest.mark.parametrize("wrong", ["reference", "amount", "birth_on"])
    def test_all_three_must_be_right(self, client: FlaskClient, ground: Ground, wrong: str) -> None:
        a_source(ground, "amount_birth")
        answer = type_birth(
            client,
            "F99999999" if wrong == "reference" else ground.bill.reference,
            "45,21" if wrong == "amount" else "45,20",
            date(1990, 1, 1) if wrong == "birth_on" else ground.patient.birth_on,
        )
        assert answer.status_code == 422
        assert NO_BILL in answer.text

    @pytest.mark.parametrize(
        "facts",
        [
            {"bill_reference": "", "amount": "", "birth_on-day": ""},
            {"bill_reference": "F1", "amount": "12.345", "birth_on-day": "31", "birth_on-month": "2"},
            {"bill_reference": "F1", "amount": "-3", "birth_on-day": "x", "birth_on-year": "²²²²"},
            {"bill_reference": "x" * 70, "amount": "9" * 40, "birth_on-year": "0000"},
        ],
    )
    def test_what_is_not_an_answer_is_told_field_by_field(
        self, client: FlaskClient, ground: Ground, facts: dict[str, str]
    ) -> None:
        a_source(ground, "amount_birth")
        answer = client.post(FORM, data=facts)
        assert answer.status_code == 422
        assert NO_BILL not in answer.text


class TestNothingIsToldToWhoGuesses:
    @pytest.fixture
    def closed(self, ground: Ground) -> Bill:
        """A bill whose source is closed to guests; its key is right."""
        a_source(ground, "none", "CLOSED")
        return a_bill(ground, bill_source="CLOSED")

    def bodies(self, app: Flask, browser: FlaskClient, tries: list[tuple[str, str]]) -> list[tuple[int, str, int]]:
        answers = []
        type_key(browser, "F00000000", "WARMEDUP")
        for reference, key in tries:
            with statements(app) as seen:
                answer = type_key(browser, reference, key)
            text_of = answer.text.replace(reference, "REFERENCE").replace(key, "KEY")
            answers.append((answer.status_code, _without_secrets(text_of), len(seen)))
        return answers

    def test_wrong_unknown_and_closed_get_the_same_page_for_the_same_work(
        self, app: Flask, client: FlaskClient, ground: Ground, closed: Bill
    ) -> None:
        wrong, unknown, shut = self.bodies(
            app,
            client,
            [(ground.bill.reference, "WRONGKEY"), ("F11111111", "WRONGKEY"), (closed.reference, LETTER_KEY)],
        )
        assert wrong == unknown == shut
        assert wrong[0] == 422

    def test_a_bill_without_key_is_an_unknown_one(self, app: Flask, client: FlaskClient, ground: Ground) -> None:
        bare = a_bill(ground, access_digest=None)
        without, unknown = self.bodies(app, client, [(bare.reference, LETTER_KEY), ("F11111111", LETTER_KEY)])
        assert without == unknown

    def test_the_key_decides_between_bills_of_one_reference(self, client: FlaskClient, ground: Ground) -> None:
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
            open_till(elsewhere)
            reference = ground.bill.reference
            other = billing.bill(
                elsewhere.establishment,
                None,
                9900,
                reference=reference,
                access_digest=digest_of_key(reference, "B" * 10),
            )
        assert type_key(client, reference).location == page_of(ground.bill)
        assert "à côté" not in client.get(page_of(ground.bill)).text
        assert client.get(page_of(other)).status_code == 404
        assert type_key(client, reference, "B" * 10).location == f"{FORM}/factures"

    def test_what_points_at_two_hospitals_opens_neither(self, client: FlaskClient, ground: Ground) -> None:
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
            billing.bill(elsewhere.establishment, None, reference=ground.bill.reference)
        assert type_key(client, ground.bill.reference).status_code == 422

    def test_the_key_of_one_bill_opens_no_other(self, client: FlaskClient, ground: Ground) -> None:
        other = a_bill(ground, access_digest=digest_of_key("F1", LETTER_KEY))
        assert type_key(client, other.reference).status_code == 422

    def test_guesses_are_stopped_for_one_reference_wherever_they_come_from(
        self, client: FlaskClient, ground: Ground, work_jobs: Callable[[], None]
    ) -> None:
        for number in range(6):
            where = {"REMOTE_ADDR": f"198.51.{number}.7"}
            spelled = ground.bill.reference if number % 2 else f" {ground.bill.reference.lower()}"
            data = {"reference": spelled, "access_key": f"WRONG{number:03d}"}
            assert client.post(FORM, data=data, environ_base=where).status_code == 422
        for typed in (LETTER_KEY, "WRONGKEY"):
            stopped = type_key(client, ground.bill.reference, typed)
            assert stopped.status_code == 429
            assert "Too many tries" in stopped.text
        work_jobs()
        (line,) = audit_lines("bill.key_refused")
        assert (line.object_id, line.establishment_id) == (ground.bill.id, ground.bill.establishment_id)

    def test_an_unknown_reference_is_stopped_in_the_same_way(
        self, client: FlaskClient, ground: Ground, work_jobs: Callable[[], None]
    ) -> None:
        for _number in range(6):
            assert type_key(client, "F11111111").status_code == 422
        assert type_key(client, "F-1111-1111").status_code == 429
        work_jobs()
        assert [line.object_id for line in audit_lines("bill.key_refused")] == [None]

    def test_one_address_range_is_stopped_whatever_it_types(self, client: FlaskClient, ground: Ground) -> None:
        for number in range(60):
            assert type_key(client, f"F{number:08d}").status_code == 422
        assert type_key(client, ground.bill.reference).status_code == 429
        elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
        data = {"reference": ground.bill.reference, "access_key": LETTER_KEY}
        assert client.post(FORM, data=data, environ_base=elsewhere).status_code == 303

    def test_a_right_key_starts_the_count_again(self, client: FlaskClient, ground: Ground) -> None:
        for _round in range(3):
            for _number in range(4):
                assert type_key(client, ground.bill.reference, "WRONGKEY").status_code == 422
            assert type_key(client, ground.bill.reference).status_code == 303

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"reference": "", "access_key": ""},
            {"reference": "F1"},
            {"access_key": "ABCDEFGH"},
            {"reference": "x" * 65, "access_key": "k"},
            {"reference": "F1", "access_key": "k" * 10_000},
        ],
    )
    def test_half_an_answer_is_corrected(self, client: FlaskClient, ground: Ground, data: dict[str, str]) -> None:
        answer = client.post(FORM, data=data)
        assert answer.status_code == 422
        assert NO_BILL not in answer.text

    @pytest.mark.parametrize("hostile", ["' or 1=1 --", "%", "\\", "F\x00", "\u202e", "💶" * 20, "<script>", "é" * 60])
    def test_hostile_letters_open_nothing(self, client: FlaskClient, ground: Ground, hostile: str) -> None:
        for reference, key in ((hostile, hostile), (ground.bill.reference, hostile), (hostile, LETTER_KEY)):
            answer = type_key(client, reference, key)
            assert answer.status_code == 422
            assert "<script>" not in answer.text.split("<main", 1)[1].split("</main", 1)[0]


class TestTheRightToPay:
    def test_it_ends_after_half_an_hour(self, letter: FlaskClient, ground: Ground) -> None:
        with prepared():
            db.session.execute(update(BillOpening).values(expires_at=db.now() - timedelta(seconds=1)))
        for path in (f"{FORM}/factures", page_of(ground.bill), f"{page_of(ground.bill)}/regler"):
            assert letter.get(path).location == FORM
        assert letter.post(f"{page_of(ground.bill)}/regler", data={"email": "a@exemple.test"}).location == FORM
        assert ground.attempts() == []

    @pytest.mark.parametrize("forged", ["", "x", "x" * 43, "' or 1=1", "é"])
    def test_a_forged_cookie_opens_nothing(self, client: FlaskClient, ground: Ground, forged: str) -> None:
        client.set_cookie("parvis_payer", forged, path="/")
        assert client.get(page_of(ground.bill)).location == FORM
        assert client.get(f"{FORM}/factures").location == FORM

    def test_a_cookie_planted_by_somebody_never_shows_them_what_its_victim_opens(
        self, app: Flask, letter: FlaskClient, ground: Ground
    ) -> None:
        second = a_bill(ground)
        victim = a_browser(app)
        victim.set_cookie("parvis_payer", cookie_of(letter), path="/")
        type_key(victim, second.reference)
        assert letter.get(page_of(second)).location == FORM
        assert cookie_of(victim) != cookie_of(letter)

    def test_the_cookie_is_bound_to_this_host_and_opens_these_pages_alone(
        self, app: Flask, ground: Ground, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", True)
        browser = a_browser(app)
        answer = type_key(browser, ground.bill.reference)
        assert any(each.startswith("__Host-parvis_payer=") for each in answer.headers.getlist("Set-Cookie"))
        for page in ("/factures", "/documents", "/rendez-vous/mes-rendez-vous", "/mon-compte", "/admin/"):
            assert browser.get(page).status_code in (303, 404), page

    def test_the_cookie_is_out_of_reach_of_scripts_and_its_secret_is_not_kept(
        self, client: FlaskClient, ground: Ground
    ) -> None:
        answer = type_key(client, ground.bill.reference)
        (cookie,) = [value for value in answer.headers.getlist("Set-Cookie") if value.startswith("parvis_payer")]
        for mark in ("HttpOnly", "SameSite=Lax", "Path=/"):
            assert mark in cookie
        (opening,) = rows(BillOpening)
        assert cookie_of(client).encode() not in opening.digest
        assert len(opening.digest) == 32

    def test_another_bill_is_not_there(self, letter: FlaskClient, ground: Ground) -> None:
        other = a_bill(ground)
        for path in (page_of(other), f"{page_of(other)}/regler", f"{FORM}/factures/{uuid4()}"):
            assert letter.get(path).status_code == 404
        assert letter.post(f"{page_of(other)}/regler", data={"email": "a@exemple.test"}).status_code == 404
        assert letter.post(f"{page_of(other)}/actualiser").status_code == 404
        together = f"{FORM}/regler?facture={ground.bill.id}&facture={other.id}"
        assert letter.get(together).status_code == 404
        assert letter.post(together, data={"email": "a@exemple.test"}).status_code == 404

    def test_no_bill_at_all_leads_back_to_the_list(self, letter: FlaskClient) -> None:
        for path in (f"{FORM}/regler", f"{FORM}/regler?facture=x"):
            assert letter.get(path).location == f"{FORM}/factures"
            assert letter.post(path, data={"email": "a@exemple.test"}).location == f"{FORM}/factures"

    def test_leaving_closes_everything_on_the_server_too(self, app: Flask, letter: FlaskClient, ground: Ground) -> None:
        kept = cookie_of(letter)
        assert letter.post(f"{FORM}/quitter").location == FORM
        again = a_browser(app)
        again.set_cookie("parvis_payer", kept, path="/")
        assert again.get(page_of(ground.bill)).location == FORM
        assert [line.object_id for line in audit_lines("bill.left")] == [ground.bill.id]

    def test_what_was_opened_is_forgotten_after_a_day(
        self, letter: FlaskClient, ground: Ground, work_jobs: Callable[[], None]
    ) -> None:
        type_key(letter, a_bill(ground).reference)
        with prepared():
            a_day_ago = update(BillOpening).where(BillOpening.bill_id == ground.bill.id)
            db.session.execute(a_day_ago.values(opened_at=db.now() - timedelta(hours=25)))
            db.session.execute(
                text(
                    "select procrastinate_defer_jobs_v1(array[row('clock', 'billing.forget_openings', 0, null, null,"
                    " '{\"timestamp\": 0}'::jsonb, null)::procrastinate_job_to_defer_v1])"
                )
            )
        work_jobs()
        assert [opening.bill_id == ground.bill.id for opening in rows(BillOpening)] == [False]

    def test_pages_ask_the_database_a_bounded_number_of_questions(
        self, app: Flask, letter: FlaskClient, ground: Ground
    ) -> None:
        for number in range(5):
            type_key(letter, a_bill(ground, 3000 + number).reference)
        letter.get(page_of(ground.bill))
        for path in (FORM, f"{FORM}/factures", page_of(ground.bill), f"{page_of(ground.bill)}/regler"):
            with statements(app) as seen:
                assert letter.get(path).status_code == 200
            assert len(seen) <= 12, (path, seen)


class TestPaying:
    def test_the_payer_comes_back_to_a_paid_bill_and_its_receipt(self, letter: FlaskClient, ground: Ground) -> None:
        assert letter.get(pay(letter, ground.bill)).location == page_of(ground.bill)
        page = letter.get(page_of(ground.bill)).text
        assert "This bill is paid" in page
        (receipt,) = ground.receipts()
        assert f"{FORM}/recus/{receipt.id}" in page
        proof = letter.get(f"{FORM}/recus/{receipt.id}").text
        for shown in (receipt.label, receipt.printed_code, ground.bill.reference, "45.20"):
            assert shown in proof

    def test_a_receipt_of_other_bills_too_is_not_offered(
        self, sign_in: SignIn, letter: FlaskClient, ground: Ground
    ) -> None:
        with prepared():
            billing.source(ground.hospital.establishment, several=True)
            other = billing.bill(ground.hospital.establishment, ground.patient, 3000)
        account, where = sign_in(ground.account), f"/factures/regler?facture={ground.bill.id}&facture={other.id}"
        answer = account.post(where, data={"email": "jeanne@exemple.test"})
        account.get(at_the_bank(answer.location, "P"))
        page = letter.get(page_of(ground.bill)).text
        assert "This bill is paid" in page
        assert "/recus/" not in page
        assert "75.20" not in page

    def test_the_receipt_on_paper_names_nobody_either(self, letter: FlaskClient, ground: Ground) -> None:
        letter.get(pay(letter, ground.bill))
        paper = letter.get(f"{FORM}/recus/{ground.receipts()[0].id}.pdf")
        assert paper.mimetype == "application/pdf"
        words = "".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(paper.data))
        assert ground.bill.reference in words
        assert "MARTIN" not in words

    def test_whoever_comes_back_late_sees_the_outcome_without_the_letter(
        self, letter: FlaskClient, ground: Ground
    ) -> None:
        back = pay(letter, ground.bill)
        with prepared():
            db.session.execute(update(BillOpening).values(expires_at=db.now() - timedelta(minutes=5)))
        assert letter.get(back).location == page_of(ground.bill)
        assert "This bill is paid" in letter.get(page_of(ground.bill)).text

    def test_in_another_browser_the_outcome_is_told_and_the_receipt_waits_for_the_letter(
        self, app: Flask, letter: FlaskClient, ground: Ground
    ) -> None:
        back = pay(letter, ground.bill)
        other = a_browser(app)
        for answer in (other.get(back), other.post(back)):
            assert answer.status_code == 200
            assert "Your payment has been received" in answer.text
            assert f"{FORM}/factures" in answer.text
        assert other.get(f"{FORM}/factures").location == FORM
        assert other.get(f"{FORM}/recus/{ground.receipts()[0].id}").location == FORM

    def test_the_letter_finds_the_receipt_again(self, app: Flask, letter: FlaskClient, ground: Ground) -> None:
        letter.get(pay(letter, ground.bill))
        later_on = a_browser(app)
        type_key(later_on, ground.bill.reference)
        assert ground.receipts()[0].label in later_on.get(page_of(ground.bill)).text

    def test_a_receipt_about_another_bill_as_well_is_not_shown(self, app: Flask, ground: Ground) -> None:
        a_source(ground, "key", several=True)
        second, browser = a_bill(ground), a_browser(app)
        type_key(browser, ground.bill.reference)
        type_key(browser, second.reference)
        together = f"{FORM}/regler?facture={ground.bill.id}&facture={second.id}"
        browser.get(at_the_bank(browser.post(together, data={"email": "a@exemple.test"}).location, "P"))
        (receipt,) = ground.receipts()
        one_letter = a_browser(app)
        type_key(one_letter, second.reference)
        assert one_letter.get(f"{FORM}/recus/{receipt.id}").status_code == 404
        assert one_letter.get(f"{FORM}/recus/{uuid4()}").status_code == 404
        assert one_letter.get(page_of(second)).status_code == 200

    def test_a_debit_order_closes_the_bill(self, letter: FlaskClient, ground: Ground) -> None:
        letter.get(pay(letter, ground.bill, "V"))
        page = letter.get(page_of(ground.bill)).text
        assert "Your bank has accepted the direct debit" in page
        assert letter.get(f"{page_of(ground.bill)}/regler").location == page_of(ground.bill)

    @pytest.mark.parametrize(("choice", "told"), [("R", "The bank refused"), ("A", "You left the payment page")])
    def test_nothing_taken_is_said_and_one_may_begin_again(
        self, letter: FlaskClient, ground: Ground, choice: str, told: str
    ) -> None:
        letter.get(pay(letter, ground.bill, choice))
        assert told in letter.get(page_of(ground.bill)).text
        assert letter.get(f"{page_of(ground.bill)}/regler").status_code == 200

    def test_an_interrupted_payment_is_resumed_and_waited_for(self, letter: FlaskClient, ground: Ground) -> None:
        answer = letter.post(f"{page_of(ground.bill)}/regler", data={"email": "a@exemple.test"})
        page = letter.get(page_of(ground.bill)).text
        assert "you have nothing to do" in page
        assert answer.location.replace("&", "&amp;") in page
        assert letter.post(f"{page_of(ground.bill)}/actualiser").location == page_of(ground.bill)
        at_the_bank(answer.location, "P")
        letter.post(f"{page_of(ground.bill)}/actualiser")
        assert "This bill is paid" in letter.get(page_of(ground.bill)).text

    def test_a_double_click_begins_one_payment(self, letter: FlaskClient, ground: Ground) -> None:
        first = letter.post(f"{page_of(ground.bill)}/regler", data={"email": "a@exemple.test"})
        second = letter.post(f"{page_of(ground.bill)}/regler", data={"email": "a@exemple.test"})
        assert "idop=" in first.location
        assert second.location == page_of(ground.bill)
        assert len(ground.attempts()) == 1

    def test_a_payment_whose_outcome_nobody_knows_is_asked_about_before_another(
        self, letter: FlaskClient, ground: Ground
    ) -> None:
        answer = letter.post(f"{page_of(ground.bill)}/regler", data={"email": "a@exemple.test"})
        at_the_bank(answer.location, "P")
        later(ground.bill, timedelta(minutes=21))
        again = letter.post(f"{page_of(ground.bill)}/regler", data={"email": "a@exemple.test"})
        assert again.location == page_of(ground.bill)
        assert ground.standing().state == "paid"
        assert len(ground.attempts()) == 1

    def test_a_payment_site_in_trouble_loses_nothing(
        self, letter: FlaskClient, ground: Ground, door: RunningTwin
    ) -> None:
        door.faults.trouble = Trouble.BAD_GATEWAY
        answer = letter.post(f"{page_of(ground.bill)}/regler", data={"email": "fille@exemple.test"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")
        assert "fille@exemple.test" in answer.text
        door.faults.clear()
        letter.get(pay(letter, ground.bill))
        assert ground.standing().state == "paid"

    @pytest.mark.parametrize(("code", "status"), [("A2", 422), ("T4", 503)])
    def test_a_refusal_is_told_with_what_one_can_do(
        self, letter: FlaskClient, ground: Ground, door: RunningTwin, code: str, status: int
    ) -> None:
        door.faults.code, door.faults.only = code, "creerPaiementSecurise"
        answer = letter.post(f"{page_of(ground.bill)}/regler", data={"email": "fille@exemple.test"})
        assert answer.status_code == status
        assert ('href="#email"' in answer.text) is (status == 422)

    def test_the_receipt_of_a_debit_order_says_that_it_holds_once_the_bank_has_paid(
        self, letter: FlaskClient, ground: Ground
    ) -> None:
        letter.get(pay(letter, ground.bill, "V"))
        (receipt,) = ground.receipts()
        assert "Direct debit accepted" in letter.get(f"{FORM}/recus/{receipt.id}").text

    def test_a_closed_bill_says_so(self, letter: FlaskClient, ground: Ground) -> None:
        with prepared():
            db.session.execute(update(Bill).values(closed_reason="paid_elsewhere", closed_at=db.now()))
        assert "There is nothing to pay here" in letter.get(page_of(ground.bill)).text
        assert letter.get(f"{page_of(ground.bill)}/regler").location == page_of(ground.bill)

    def test_a_bill_without_till_says_whom_to_ask(self, letter: FlaskClient, ground: Ground) -> None:
        with prepared():
            establishments.change_setting(ground.hospital.establishment.id, "payfip_numcli", "")
        assert "cannot be paid online" in letter.get(page_of(ground.bill)).text
        assert letter.get(f"{page_of(ground.bill)}/regler").location == page_of(ground.bill)
        answer = letter.post(f"{page_of(ground.bill)}/regler", data={"email": "a@exemple.test"})
        assert answer.location == page_of(ground.bill)

    @pytest.mark.parametrize("email", ["", "nobody", "a@b", "x" * 90 + "@exemple.test", "a@exemple.test\nBcc: b@c.fr"])
    def test_an_address_is_needed(self, letter: FlaskClient, ground: Ground, email: str) -> None:
        answer = letter.post(f"{page_of(ground.bill)}/regler", data={"email": email})
        assert answer.status_code == 422
        assert ground.attempts() == []

    def test_the_payment_is_written_down_as_somebody_with_the_letter(self, letter: FlaskClient, ground: Ground) -> None:
        pay(letter, ground.bill)
        (line,) = audit_lines("payment.started")
        assert line.actor == "system:billing.guest"
        (attempt,) = rows(PaymentAttempt)
        assert (attempt.account_id, attempt.email) == (None, "fille@exemple.test")

    def test_the_way_back_is_no_address_of_ours_alone(self, letter: FlaskClient, ground: Ground) -> None:
        assert urlsplit(pay(letter, ground.bill)).path.startswith("/factures/retour/")


class TestWhoSeesOpenings:
    def test_nobody_but_the_hospitals_billing_agents_sees_them_and_nobody_writes_them(
        self, letter: FlaskClient, ground: Ground
    ) -> None:
        del letter
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
            stranger = people.as_agent(
                people.agent(elsewhere.establishment.id, "billing"), elsewhere.establishment.id, "billing"
            )
            doctor = people.as_professional(people.professional())
        own = people.as_patient(ground.account, ground.patient)
        agent = people.as_agent(ground.account, ground.hospital.establishment.id, "billing")
        for actor, seen in ((stranger, 0), (doctor, 0), (own, 0), (db.ANONYMOUS, 0), (agent, 1)):
            with db.transaction(actor) as current:
                assert len(current.scalars(select(BillOpening)).all()) == seen
                done: Any = current.execute(text("update bill_opening set expires_at = now() + interval '1 year'"))
                assert done.rowcount == 0
        with db.transaction(stranger) as current:
            current.execute(text("delete from bill_opening"))
        assert len(rows(BillOpening)) == 1


class TestTheRules:
    @pytest.mark.parametrize("code", ["", "regie", "A", "unknown"])
    @pytest.mark.parametrize("rows_of", [(), ("regie",), ("A",), ("regie", "A")])
    def test_the_way_in_is_the_one_of_the_bills_source(
        self, ground: Ground, code: str, rows_of: tuple[str, ...]
    ) -> None:
        """The search reads the access in its own statement; it must be what the source says."""
        for number, row in enumerate(rows_of):
            a_source(ground, ("amount_birth", "none")[number], row)
        owed = a_bill(ground, bill_source=code)
        with db.transaction(db.system("tests")) as current:
            source = sources.source_of(owed.establishment_id, owed.source, owed.bill_source)
            assert current.scalar(select(guests.ACCESS).where(Bill.id == owed.id)) == source.access

    @given(st.text(max_size=70))
    def test_a_reference_has_always_as_many_spellings_and_one_count(self, typed: str) -> None:
        assert len(spellings(typed)) == 3
        assert counted_as(typed) == counted_as(f" {typed.lower()} ".upper())
        assert digest_of_birth(spellings(typed)[0], BORN_ON) != digest_of_birth(spellings(typed)[0], date(1962, 5, 18))


def _without_secrets(page: str) -> str:
    """A page without what differs at each request: tokens and nonces."""
    return re.sub(r'(value|nonce|content)="[A-Za-z0-9_.=-]{20,}"', "", page)
