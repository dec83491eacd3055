"""What patients read of requests about them, and how they object: with an account, or with the sheet of paper."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pikepdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth.models import Account, Patient
from portal import db
from portal.db import session
from portal.notifications import Notification
from services.circle.models import CircleMember
from services.referrals import objecting, sheets
from services.referrals.actions import answering, thread
from services.referrals.actions.answering import Outcome
from services.referrals.models import Referral, ReferralTarget
from tests.english import in_english as in_english
from tests.factories import circle, people, referrals
from tests.ground import audited, prepared, rows
from tests.services.referrals.conftest import Ground

HOME = "/orientations"
SHEET = "/orientations/opposition"
QUESTION = "Douleur du genou depuis trois mois"


@pytest.fixture
def told(ground: Ground) -> tuple[Account, Patient]:
    """Somebody with an account, whom the hospital found to be the one described."""
    with prepared():
        return people.patient_with_account(birth_name="TERRIER")


@pytest.fixture
def home(told: tuple[Account, Patient], sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    return sign_in(told[0])


def sent(ground: Ground, patient: Patient | None, **facts: Any) -> Referral:
    """A request to north then south, about the patient once known."""
    with prepared():
        made = referrals.send(ground.doctor, ground.at_north, ground.at_south, question=QUESTION, **facts)
        if patient is not None:
            first = next(each for each in made.targets if each.received_at)
            session.execute(update(ReferralTarget).where(ReferralTarget.id == first.id).values(patient_id=patient.id))
        session.flush()
        session.refresh(made)
        return made


def targets() -> list[ReferralTarget]:
    with db.transaction(db.system("tests")) as current:
        return list(current.scalars(select(ReferralTarget).order_by(ReferralTarget.position)))


def as_unit(ground: Ground, act: Callable[[ReferralTarget], object]) -> None:
    """The unit's agent does something with the first target."""
    with db.transaction(ground.as_agent):
        act(session.get_one(ReferralTarget, targets()[0].id))


def once() -> dict[str, str]:
    return {"once": str(uuid4())}


class TestReading:
    def test_who_asked_whom_for_what_and_never_the_question(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient
    ) -> None:
        sent(ground, told[1])
        listed = home.get(HOME).text
        page = home.get(f"{HOME}/{targets()[0].id}").text
        for text in (listed, page):
            assert ground.doctor.full_name in text
            assert "The unit is studying the request" in text
            assert QUESTION not in text
        assert "call 15" in page
        assert "Telephone" in page

    def test_the_number_is_the_unit_s_and_never_that_of_practitioners(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient
    ) -> None:
        sent(ground, told[1])
        with db.transaction(db.system("tests")) as current:
            target = current.get_one(ReferralTarget, targets()[0].id)
            target.offer.phone, target.unit.phone = "01 99 00 66 66", "01 99 00 77 77"
        page = home.get(f"{HOME}/{targets()[0].id}").text
        assert 'href="tel:0199007777"' in page
        assert "01 99 00 66 66" not in page

    def test_a_message_between_doctors_is_not_the_patient_s_unless_it_is_for_them(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient
    ) -> None:
        sent(ground, told[1])
        as_unit(ground, lambda target: thread.write(target, "Suspicion à confirmer"))
        as_unit(ground, lambda target: thread.write(target, "Venez à jeun.", for_patient=True))
        page = home.get(f"{HOME}/{targets()[0].id}").text
        assert "Venez à jeun." in page
        assert "Suspicion" not in page

    def test_the_date_and_what_to_bring_once_accepted_and_the_unit_knows_it_was_read(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient
    ) -> None:
        sent(ground, told[1])
        at = db.now()
        as_unit(ground, lambda target: answering.accept(target, Outcome("appointment", None, at)))
        page = home.get(f"{HOME}/{targets()[0].id}").text
        assert "What to bring" in page
        assert "Accepted" in page
        assert targets()[0].told_by == "account"

    @pytest.mark.parametrize(
        ("act", "said"),
        [
            (lambda target: answering.refuse(target, "no_place", "Voir ailleurs"), "cannot receive you"),
            (lambda target: answering.give_opinion(target, "Rien de grave"), "has given its opinion"),
            (lambda target: answering.ask(target, "Quelle dose ?"), "You have nothing to do"),
        ],
        ids=("refused", "opinion", "asked"),
    )
    def test_every_state_is_said_in_plain_words_without_what_doctors_wrote(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient, act: Any, said: str
    ) -> None:
        sent(ground, told[1])
        as_unit(ground, act)
        page = home.get(f"{HOME}/{targets()[0].id}").text
        assert said in page
        for private in ("Voir ailleurs", "Rien de grave", "Quelle dose"):
            assert private not in page

    def test_nobody_else_reads_it(
        self, ground: Ground, told: tuple[Account, Patient], sign_in: Callable[[Account], FlaskClient]
    ) -> None:
        sent(ground, told[1])
        with prepared():
            other, _person = people.patient_with_account(birth_name="AUTRE")
        stranger = sign_in(other)
        assert "No request about you" in stranger.get(HOME).text
        for path in ("", "/opposition"):
            assert stranger.get(f"{HOME}/{targets()[0].id}{path}").status_code == 404
        assert stranger.post(f"{HOME}/{targets()[0].id}/reprendre").status_code == 404

    def test_pages_ask_few_questions(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient, statements: Callable[[], Any]
    ) -> None:
        sent(ground, told[1])
        for path in (HOME, f"{HOME}/{targets()[0].id}"):
            home.get(path)
            with statements() as asked:
                home.get(path)
            assert len(asked) <= 12, asked


class TestObjecting:
    def test_every_unit_stops_and_both_sides_are_told(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient
    ) -> None:
        sent(ground, told[1])
        path = f"{HOME}/{targets()[0].id}"
        assert home.post(f"{path}/opposition", data={"reason": "no_wish", **once()}).status_code == 303
        assert [each.state for each in targets()] == ["objected", "objected"]
        assert "referral.objected" in audited()
        assert "You objected" in home.get(path).text

    def test_it_can_be_taken_back_while_nothing_else_happened(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient
    ) -> None:
        sent(ground, told[1])
        path = f"{HOME}/{targets()[0].id}"
        home.post(f"{path}/opposition", data={"reason": "", **once()})
        assert home.post(f"{path}/reprendre").status_code == 303
        assert targets()[0].state == "received"
        answer = home.post(f"{path}/reprendre", follow_redirects=True)
        assert "no longer be taken back" in answer.text

    def test_a_unit_that_was_named_is_never_asked_then(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient
    ) -> None:
        """The practitioner has still to choose: nothing is open, and it is not over."""
        sent(ground, told[1])
        with prepared():
            other = referrals.offer(ground.south.unit, name="Autre")
        as_unit(ground, lambda target: answering.redirect(target, other, "Plutôt eux"))
        path = f"{HOME}/{targets()[0].id}"
        assert "Object to this request" in home.get(path).text
        home.post(f"{path}/opposition", data={"reason": "", **once()})
        assert [each.state for each in targets()] == ["objected", "objected"]

    def test_what_is_over_is_not_objected_to(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient
    ) -> None:
        sent(ground, told[1])
        as_unit(ground, lambda target: answering.give_opinion(target, "Rien de grave"))
        answer = home.post(f"{HOME}/{targets()[0].id}/opposition", data={"reason": "", **once()})
        assert answer.status_code == 303
        assert targets()[0].state == "completed"

    def test_a_reason_that_is_not_one_is_refused(
        self, ground: Ground, told: tuple[Account, Patient], home: FlaskClient
    ) -> None:
        sent(ground, told[1])
        answer = home.post(f"{HOME}/{targets()[0].id}/opposition", data={"reason": "drop table", **once()})
        assert answer.status_code == 422


class TestWithTheSheet:
    def typed(self, reference: str, born: date) -> dict[str, str]:
        parts = {"birth_on-day": str(born.day), "birth_on-month": str(born.month), "birth_on-year": str(born.year)}
        return {"reference": reference, "reason": "", **parts}

    def test_its_reference_and_the_birth_date_stop_everything(self, ground: Ground, client: FlaskClient) -> None:
        made = sent(ground, None)
        loose = made.reference.lower().replace("-", " ")
        answer = client.post(SHEET, data=self.typed(loose, made.birth_on))
        assert answer.location.endswith("/envoyee")
        assert {each.state for each in targets()} == {"objected"}

    def test_the_answer_is_the_same_whatever_exists(self, ground: Ground, client: FlaskClient) -> None:
        made = sent(ground, None)
        wrong = client.post(SHEET, data=self.typed(made.reference, date(1950, 1, 1)))
        unknown = client.post(SHEET, data=self.typed("BBBB-2222", made.birth_on))
        assert wrong.location == unknown.location
        assert targets()[0].state == "received"

    def test_one_reference_is_tried_five_times(self, ground: Ground, client: FlaskClient) -> None:
        made = sent(ground, None)
        for year in range(1950, 1955):
            client.post(SHEET, data=self.typed(made.reference, date(year, 1, 1)))
        assert client.post(SHEET, data=self.typed(made.reference, made.birth_on)).status_code == 422
        assert targets()[0].state == "received"

    @pytest.mark.parametrize("reference", ["", "x", "BCDF-23456", "’ or 1=1 --"])
    def test_what_is_no_reference_is_said(self, ground: Ground, client: FlaskClient, reference: str) -> None:
        assert client.post(SHEET, data=self.typed(reference, date(1950, 1, 1))).status_code == 422

    def test_the_sheet_says_how_and_not_why(self, ground: Ground) -> None:
        made = sent(ground, None)
        with prepared():
            written = sheets.inform(session.get_one(Referral, made.id))
        with pikepdf.open(io.BytesIO(written)) as document:
            assert document.Root.MarkInfo.Marked
            assert str(document.Root.Lang) == "fr"

    def test_the_practitioner_prints_it_and_another_one_does_not(
        self, ground: Ground, sign_in: Callable[[Account], FlaskClient]
    ) -> None:
        made = sent(ground, None)
        path = f"/pro/orientations/{made.id}/information.pdf"
        with prepared():
            doctor = session.get_one(Account, ground.doctor.account_id)
            stranger = session.get_one(Account, ground.stranger.account_id)
        assert sign_in(doctor).get(path).mimetype == "application/pdf"
        assert "referral.sheet_made" in audited()
        assert sign_in(stranger).get(path).status_code == 404


def test_the_patient_is_told_by_a_mail_that_says_nothing(
    ground: Ground, told: tuple[Account, Patient], work_jobs: Callable[[], None]
) -> None:
    sent(ground, told[1])
    work_jobs()
    mine = [each for each in rows(Notification) if each.account_id == told[0].id]
    assert len(mine) == 1
    for word in (ground.north.unit.name, ground.doctor.family_name, "orientation", "referral", QUESTION):
        assert word not in mine[0].body + mine[0].subject


def test_references_are_read_as_people_type_them() -> None:
    assert objecting.plain(" bcdf 2345 ") == "BCDF-2345"
    assert objecting.plain("bcdf2345") == "BCDF-2345"
    assert objecting.plain("bcdf-234") == ""


def test_the_circle_reads_where_it_stands_and_never_the_question(
    ground: Ground, told: tuple[Account, Patient], sign_in: Callable[[Account], FlaskClient]
) -> None:
    sent(ground, told[1])
    with prepared():
        member = circle.member(told[1], ground.stranger, scopes=("referrals",))
        account = session.get_one(Account, ground.stranger.account_id)
    browser = sign_in(account)
    page = browser.get(f"/pro/patients/{member.id}").text
    assert ground.north.unit.name in page
    assert QUESTION not in page
    with prepared():
        session.execute(update(CircleMember).values(scopes=["documents"]))
    assert ground.north.unit.name not in browser.get(f"/pro/patients/{member.id}").text
