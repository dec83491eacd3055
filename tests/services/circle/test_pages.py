"""What a patient decides on their pages, and what a professional reads on theirs."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from auth.models import Account, Professional
from auth.practice import national
from auth.practice.national import Answer, Known
from portal.db import session
from portal.notifications import Notification
from services.circle import states
from services.circle.actions import Somebody, declare
from services.circle.actions.codes import digest
from services.circle.forms import in_a_year, today
from services.circle.models import CircleChoice, CircleCode, CircleMember, CircleProposal
from services.documents.models import Document
from tests.english import in_english as in_english
from tests.factories import circle, people, shelf
from tests.ground import audited, prepared, rows
from tests.services.circle.conftest import Ground, later

HOME = "/mon-compte/cercle-de-soins"
PRO = "/pro/patients"
LEROY = Known("810000000017", "Dr Paul LEROY", "Médecine générale", ["Cabinet des Tilleuls, 99001 ESSAI"])


@pytest.fixture
def directory(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The national directory knows one doctor."""

    def search(name: str, _place: str) -> Answer:
        return Answer([LEROY] if name.upper().startswith("LER") else [])

    monkeypatch.setattr(national._ways, "search", search)


def day(when: date, name: str = "until_on") -> dict[str, str]:
    return {f"{name}-day": str(when.day), f"{name}-month": str(when.month), f"{name}-year": str(when.year)}


def once() -> dict[str, str]:
    return {"once": str(uuid4())}


def one() -> CircleMember:
    return rows(CircleMember)[-1]


def let_in(ground: Ground, **facts: Any) -> CircleMember:
    with prepared():
        return circle.member(ground.patient, ground.gp, **facts)


@pytest.fixture
def filed(ground: Ground) -> Document:
    with prepared():
        return shelf.published(ground.north.establishment, ground.patient, "Compte rendu de consultation")


class TestNaming:
    def test_the_treating_doctor_is_found_in_the_directory_and_waits_for_nothing(
        self, ground: Ground, home: FlaskClient, directory: None
    ) -> None:
        found = home.post(f"{HOME}/ajouter/chercher?traitant=1", data={"name": "Leroy"})
        assert "Dr Paul LEROY" in found.text
        assert "Cabinet des Tilleuls" in found.text
        chosen = {"name": "Leroy", "place": "", "identity": LEROY.identity, "role": states.TREATING, "standing": "team"}
        answer = home.post(f"{HOME}/ajouter?traitant=1", data=chosen | once())
        assert answer.status_code == 303
        made = one()
        assert (made.identity, made.state, made.is_treating, tuple(made.scopes)) == (
            LEROY.identity, states.ACTIVE, True, states.SCOPES,
        )  # fmt: skip
        page = home.get(HOME)
        assert "Dr Paul LEROY" in page.text
        assert "Treating doctor" in page.text

    def test_there_is_one_treating_doctor_and_the_former_one_leaves(
        self, ground: Ground, home: FlaskClient, directory: None
    ) -> None:
        with prepared():
            former = circle.member(ground.patient, ground.stranger, states.TREATING)
        chosen = {"name": "Leroy", "identity": LEROY.identity, "role": states.TREATING, "standing": "team"}
        home.post(f"{HOME}/ajouter", data=chosen | once())
        with prepared():
            assert session.get_one(CircleMember, former.id).state == states.ENDED

    def test_somebody_outside_the_team_sees_nothing_before_the_agreement(
        self, ground: Ground, home: FlaskClient, directory: None
    ) -> None:
        chosen = {"name": "Leroy", "identity": LEROY.identity, "role": "doctor", "standing": "outside"}
        answer = home.post(f"{HOME}/ajouter", data=chosen | once())
        assert answer.location.endswith("/partage")
        assert one().scopes == []
        refused = home.post(answer.location, data=once())
        assert refused.status_code == 422
        assert "Tick what they may see" in refused.text
        home.post(answer.location, data={"scopes": ["documents"], **day(in_a_year()), **once()})
        assert one().scopes == ["documents"]
        assert one().until_at is not None

    def test_somebody_who_is_in_no_list_is_only_named(self, ground: Ground, home: FlaskClient, directory: None) -> None:
        chosen = {"name": "x", "identity": "by-hand", "named": "Sœur Agnès", "role": "nurse", "standing": "team"}
        assert home.post(f"{HOME}/ajouter", data=chosen | once()).status_code == 303
        assert (one().identity, one().name, one().sees) == ("", "Sœur Agnès", ())

    @pytest.mark.parametrize(
        "typed",
        [
            {"identity": "899999999999", "role": "doctor", "standing": "team"},
            {"identity": "by-hand", "named": "  ", "role": "doctor", "standing": "team"},
            {"identity": LEROY.identity, "role": "king", "standing": "team"},
            {"identity": LEROY.identity, "role": "doctor", "standing": "everything"},
            {},
        ],
        ids=str,
    )
    def test_nobody_is_added_by_a_form_made_up(
        self, ground: Ground, home: FlaskClient, directory: None, typed: dict[str, str]
    ) -> None:
        assert home.post(f"{HOME}/ajouter", data={"name": "Leroy", **typed, **once()}).status_code == 422
        assert rows(CircleMember) == []

    def test_a_name_is_needed_and_an_empty_answer_is_said(
        self, ground: Ground, home: FlaskClient, directory: None
    ) -> None:
        assert home.post(f"{HOME}/ajouter/chercher", data={"name": " "}).status_code == 422
        assert "Nobody is found" in home.post(f"{HOME}/ajouter/chercher", data={"name": "zz"}).text

    def test_one_may_have_no_treating_doctor_until_one_is_named(
        self, ground: Ground, home: FlaskClient, directory: None
    ) -> None:
        home.post(f"{HOME}/sans-medecin-traitant")
        assert "You said that you have no treating doctor" in home.get(HOME).text
        chosen = {"name": "Leroy", "identity": LEROY.identity, "role": states.TREATING, "standing": "team"}
        home.post(f"{HOME}/ajouter", data=chosen | once())
        assert rows(CircleChoice)[0].no_treating_doctor_at is None


class TestDeciding:
    def test_an_objection_and_its_end(self, ground: Ground, home: FlaskClient, filed: Document) -> None:
        member = let_in(ground)
        home.post(f"{HOME}/{member.id}/objecter")
        assert one().state == states.OBJECTED
        assert "You objected" in home.get(HOME).text
        home.post(f"{HOME}/{member.id}/lever")
        assert one().state == states.ACTIVE

    def test_an_agreement_is_taken_back_at_once_and_the_history_stays(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, filed: Document
    ) -> None:
        member = let_in(ground, standing="outside", until_at=later(days=30))
        assert practice.get(f"{PRO}/{member.id}/documents/{filed.id}").status_code == 200
        home.post(f"{HOME}/{member.id}/terminer")
        assert practice.get(f"{PRO}/{member.id}").status_code == 404
        assert practice.get(f"{PRO}/{member.id}/documents/{filed.id}").status_code == 404
        page = home.get(f"{HOME}/{member.id}")
        assert "They left the circle" in page.text
        assert "No longer in your circle" in page.text

    def test_what_cannot_be_done_twice_says_so(self, ground: Ground, home: FlaskClient) -> None:
        member = let_in(ground, state=states.ENDED)
        answer = home.post(f"{HOME}/{member.id}/objecter", follow_redirects=True)
        assert "already done" in answer.text

    def test_a_day_that_is_over_or_too_far_is_refused(self, ground: Ground, home: FlaskClient) -> None:
        member = let_in(ground, standing="outside", until_at=later(days=30))
        for when in (today() - timedelta(days=1), today() + timedelta(days=2000)):
            data = {"scopes": ["documents"], **day(when), **once()}
            assert home.post(f"{HOME}/{member.id}/partage", data=data).status_code == 422

    def test_another_patient_touches_nothing(self, ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> None:
        member, stranger = let_in(ground), sign_in(ground.other_account)
        for path in ("", "/partage", "/reponse"):
            assert stranger.get(f"{HOME}/{member.id}{path}").status_code == 404
        assert stranger.post(f"{HOME}/{member.id}/terminer").status_code == 404
        assert one().state == states.ACTIVE

    def test_what_the_hospital_says_never_outweighs_the_patient(self, ground: Ground, home: FlaskClient) -> None:
        place = ground.north.establishment.id
        with prepared():
            assert declare(ground.patient.id, place, Somebody("810000000025", "Dr PETIT")) is not None
        assert "According to the hospital’s file" in home.get(f"{HOME}/{one().id}").text
        with prepared():
            assert declare(ground.patient.id, place, Somebody("810000000033", "Dr NOUVEAU")) is not None
        home.post(f"{HOME}/sans-medecin-traitant")
        with prepared():
            assert declare(ground.patient.id, place, Somebody("810000000041", "Dr ENCORE")) is None


class TestCodes:
    def make(self, home: FlaskClient, **changes: Any) -> str:
        data = {"role": "doctor", "standing": "team", "scopes": ["documents"], **once()} | changes
        answer = home.post(f"{HOME}/code", data=data)
        assert answer.status_code == 303, answer.text
        with home.session_transaction() as cookie:
            return str(cookie["circle_code"])

    def test_the_code_lets_its_reader_in_once(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, filed: Document
    ) -> None:
        code = self.make(home)
        assert f"{code[:4]} {code[4:]}" in home.get(f"{HOME}/code").text
        joined = practice.post(f"{PRO}/code", data={"code": f"{code[:4].lower()}-{code[4:]}", **once()})
        assert joined.status_code == 303
        assert "Compte rendu de consultation" in practice.get(joined.location).text
        again = practice.post(f"{PRO}/code", data={"code": code, **once()})
        assert again.status_code == 422
        assert (one().origin, one().state) == ("code", states.ACTIVE)

    def test_a_treating_doctor_by_code_is_what_the_patient_wrote(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient
    ) -> None:
        code = self.make(home, role=states.TREATING, scopes=["documents", "appointments"])
        practice.post(f"{PRO}/code", data={"code": code, **once()})
        assert (one().is_treating, one().scopes) == (True, ["documents", "appointments"])

    def test_an_old_code_a_wrong_one_and_a_replaced_one_let_nobody_in(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient
    ) -> None:
        first = self.make(home)
        second = self.make(home)
        with prepared():
            session.execute(
                update(CircleCode).where(CircleCode.digest == digest(second)).values(expires_at=later(seconds=-1))
            )
        for code in (first, second, "BBBBBBBB", "’; drop table"):
            assert practice.post(f"{PRO}/code", data={"code": code, **once()}).status_code == 422
        assert rows(CircleMember) == []

    def test_ten_wrong_codes_and_one_must_wait(self, ground: Ground, home: FlaskClient, practice: FlaskClient) -> None:
        code = self.make(home)
        for _rank in range(10):
            practice.post(f"{PRO}/code", data={"code": "BBBBBBBB", **once()})
        answer = practice.post(f"{PRO}/code", data={"code": code, **once()})
        assert "wait ten minutes" in answer.text
        assert rows(CircleMember) == []

    def test_an_agreement_outside_the_team_needs_a_day(self, ground: Ground, home: FlaskClient) -> None:
        never = dict.fromkeys(day(in_a_year()), "")
        data = {"role": "doctor", "standing": "outside", "scopes": ["documents"], **never, **once()}
        assert home.post(f"{HOME}/code", data=data).status_code == 422
        assert home.post(f"{HOME}/code", data=data | {"scopes": [], **day(in_a_year())}).status_code == 422


class TestProposals:
    TYPED: dict[str, Any] = {
        "birth_name": "Martin", "first_name": "jeanne", "sex": "F", "role": "doctor", "why": "Je vous suis.",
        **day(date(1980, 5, 17), "birth_on"),
    }  # fmt: skip

    def propose(self, practice: FlaskClient, **changes: Any) -> str:
        answer = practice.post(f"{PRO}/proposer", data=self.TYPED | changes | once(), follow_redirects=True)
        assert answer.status_code == 200
        return answer.text

    def test_the_practitioner_reads_the_same_whoever_exists(
        self, ground: Ground, practice: FlaskClient, work_jobs: Callable[[], None]
    ) -> None:
        self.propose(practice)
        self.propose(practice, birth_name="INCONNU")
        work_jobs()
        listed = practice.get(PRO).text.partition("What you asked")[2]
        assert listed.count(" MARTIN<") == listed.count(" INCONNU<") == 1
        assert practice.get(f"{PRO}/{one().id}").status_code == 404

    def test_the_patient_who_is_exactly_so_reads_it_and_accepts(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, work_jobs: Callable[[], None], filed: Document
    ) -> None:
        self.propose(practice)
        work_jobs()
        told = [each.recipient for each in rows(Notification) if "Une demande attend" in each.body]
        assert told == [ground.account.email]
        page = home.get(HOME)
        assert "asks to be in your circle" in page.text
        path = f"{HOME}/{one().id}/reponse"
        assert "Je vous suis." in home.get(path).text
        home.post(path, data={"standing": "team", "scopes": ["documents"], **once()})
        assert one().state == states.ACTIVE
        assert "Jeanne MARTIN" in practice.get(PRO).text or "JEANNE MARTIN" in practice.get(PRO).text

    def test_a_treating_doctor_is_confirmed_by_the_patient(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, work_jobs: Callable[[], None]
    ) -> None:
        self.propose(practice, role=states.TREATING)
        work_jobs()
        assert one().state == states.ASKED
        home.post(f"{HOME}/{one().id}/reponse", data={"standing": "team", "scopes": ["documents"], **once()})
        assert (one().is_treating, one().state) == (True, states.ACTIVE)

    def test_a_refusal_is_told_to_nobody(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, work_jobs: Callable[[], None]
    ) -> None:
        self.propose(practice)
        work_jobs()
        before = practice.get(PRO).text
        home.post(f"{HOME}/{one().id}/refuser")
        work_jobs()
        assert one().state == states.REFUSED
        body = "What you asked"
        assert before.partition(body)[2].count("MARTIN") == practice.get(PRO).text.partition(body)[2].count("MARTIN")

    @pytest.mark.parametrize(
        "other", [{"first_name": "Jean"}, {"sex": "M"}, {"birth_name": "MARTINE"}, day(date(1980, 5, 18), "birth_on")],
        ids=str,
    )  # fmt: skip
    def test_nearly_so_is_nobody(
        self, ground: Ground, practice: FlaskClient, work_jobs: Callable[[], None], other: dict[str, str]
    ) -> None:
        self.propose(practice, **other)
        work_jobs()
        assert rows(CircleMember) == []

    def test_two_patients_of_the_same_name_read_nothing(
        self, ground: Ground, practice: FlaskClient, work_jobs: Callable[[], None]
    ) -> None:
        with prepared():
            people.patient_with_account()
        self.propose(practice)
        work_jobs()
        assert rows(CircleMember) == []

    def test_a_request_taken_back_is_not_shown_any_more(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, work_jobs: Callable[[], None]
    ) -> None:
        self.propose(practice)
        work_jobs()
        practice.post(f"{PRO}/propositions/{rows(CircleProposal)[0].id}/retirer")
        work_jobs()
        assert one().state == states.ENDED
        assert "asks to be" not in home.get(HOME).text

    def test_who_was_refused_does_not_ask_again_at_once(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, work_jobs: Callable[[], None]
    ) -> None:
        self.propose(practice)
        work_jobs()
        home.post(f"{HOME}/{one().id}/refuser")
        self.propose(practice)
        work_jobs()
        assert one().state == states.REFUSED

    def test_asking_again_and_again_fills_no_mailbox(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, work_jobs: Callable[[], None]
    ) -> None:
        self.propose(practice)
        work_jobs()
        practice.post(f"{PRO}/propositions/{rows(CircleProposal)[0].id}/retirer")
        work_jobs()
        self.propose(practice)
        work_jobs()
        assert sorted(each.state for each in rows(CircleMember)) == [states.ASKED, states.ENDED]
        assert len([each for each in rows(Notification) if "Une demande attend" in each.body]) == 1
        assert "asks to be in your circle" in home.get(HOME).text

    def test_what_nobody_answers_is_forgotten_in_a_month(
        self, ground: Ground, practice: FlaskClient, work_jobs: Callable[[], None]
    ) -> None:
        from services.circle.actions import lapse

        self.propose(practice)
        work_jobs()
        with prepared():
            session.execute(update(CircleProposal).values(expires_at=later(seconds=-1)))
        with prepared():
            assert lapse() == 1
        assert rows(CircleProposal) == []
        assert one().state == states.ENDED


class TestLooking:
    def test_each_opening_is_written_and_the_patient_reads_it(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, filed: Document, work_jobs: Callable[[], None]
    ) -> None:
        member = let_in(ground)
        for _time in range(2):
            assert practice.get(f"{PRO}/{member.id}").status_code == 200
        practice.get(f"{PRO}/{member.id}/documents/{filed.id}")
        downloaded = practice.get(f"{PRO}/{member.id}/documents/{filed.id}/fichier")
        assert downloaded.status_code == 200
        work_jobs()
        assert [each for each in audited() if each.startswith(("circle.opened", "document."))][-4:] == [
            "circle.opened", "circle.opened", "document.opened", "document.downloaded",
        ]  # fmt: skip
        told = [each for each in rows(Notification) if "pour la première fois" in each.body]
        assert len(told) == 1, "told of the first opening, not of the others"
        page = home.get(f"{HOME}/{member.id}")
        assert "Opened what you let them see" in page.text
        assert "4 times" in home.get(HOME).text
        assert "health professional" in home.get("/mon-compte/acces").text

    def test_a_document_of_somebody_else_is_not_reached_through_a_patient_s_place(
        self, ground: Ground, practice: FlaskClient
    ) -> None:
        member = let_in(ground)
        with prepared():
            theirs = circle.member(ground.other, ground.gp)
            letter = shelf.published(ground.north.establishment, ground.other)
        assert practice.get(f"{PRO}/{theirs.id}/documents/{letter.id}").status_code == 200
        assert practice.get(f"{PRO}/{member.id}/documents/{letter.id}").status_code == 404

    def test_documents_need_their_own_agreement(self, ground: Ground, practice: FlaskClient, filed: Document) -> None:
        member = let_in(ground, scopes=("appointments",))
        assert "Documents of the hospital" not in practice.get(f"{PRO}/{member.id}").text
        assert practice.get(f"{PRO}/{member.id}/documents/{filed.id}").status_code == 404

    def test_another_practitioner_reads_404(
        self, ground: Ground, sign_in: Callable[[Account], FlaskClient], filed: Document
    ) -> None:
        member = let_in(ground)
        with prepared():
            stranger = session.get_one(Account, ground.stranger.account_id)
        browser = sign_in(stranger)
        assert browser.get(f"{PRO}/{member.id}").status_code == 404
        assert "No patient yet" in browser.get(PRO).text

    def test_nobody_looks_in_somebody_s_stead(self, ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> None:
        from auth.models import Delegation, WebSession

        member = let_in(ground)
        with prepared():
            secretary = session.get_one(Account, ground.stranger.account_id)
            session.add(Delegation(professional_id=ground.gp.id, delegate_id=ground.stranger.id))
        browser = sign_in(secretary)
        with prepared():
            session.execute(
                update(WebSession).where(WebSession.account_id == secretary.id).values(on_behalf_of=ground.gp.id)
            )
        assert browser.get(f"{PRO}/{member.id}").status_code == 403
        assert "the practitioner alone" in browser.get(PRO).text

    def test_pages_ask_few_questions(
        self, ground: Ground, home: FlaskClient, practice: FlaskClient, filed: Document, statements: Callable[[], Any]
    ) -> None:
        member = let_in(ground)
        with prepared():
            for rank in range(20):
                circle.member(ground.patient, None, "nurse", name=f"Infirmière {rank}")
                shelf.published(ground.north.establishment, ground.patient, f"Lettre {rank}")
        for browser, path in (
            (practice, PRO), (practice, f"{PRO}/{member.id}"), (home, HOME), (home, f"{HOME}/{member.id}"),
        ):  # fmt: skip
            browser.get(path)
            with statements() as asked:
                assert browser.get(path).status_code == 200
            assert len(asked) <= 12, (path, asked)

    def test_whoever_has_no_national_identifier_is_told_why(
        self, ground: Ground, sign_in: Callable[[Account], FlaskClient]
    ) -> None:
        with prepared():
            odd = session.get_one(Professional, ground.stranger.id)
            odd.rpps, odd.subject_name_id = "", ""
            account = session.get_one(Account, odd.account_id)
            session.flush()
        assert "no national identifier" in sign_in(account).get(PRO).text


def test_the_copy_of_the_data_says_who_is_and_was_there(ground: Ground) -> None:
    from services.circle import export

    let_in(ground)
    with prepared():
        circle.member(ground.patient, ground.stranger, state=states.ENDED)
        part = export.part(ground.patient.id)
    assert len(part.entries) == 2


def test_names_of_those_who_left_are_forgotten_after_their_time(ground: Ground) -> None:
    from portal import retention

    let_in(ground, state=states.ENDED, ended_at=later(days=-2000))
    rule = retention.rule("circle")
    with prepared():
        due = rule.due(None, later(days=-1825), 10)
        assert [rule.purge(each.id, later(days=-1825)) for each in due] == [True]
    with prepared():
        assert session.scalar(select(func.count()).where(CircleMember.name == "")) == 1
        assert not rule.due(None, later(days=-1825), 10)


def test_what_a_hospital_s_file_said_follows_the_person(ground: Ground) -> None:
    from auth.enrolment.belongings import Move
    from services.circle import belongings

    with prepared():
        known = people.patient(birth_name="CONNUE")
        made = declare(known.id, ground.north.establishment.id, Somebody("810000000025", "Dr PETIT"))
        assert made is not None
        move = Move(ground.north.establishment.id, known.id, ground.patient.id, "")
        moved = belongings.adopt(move)
        assert list(moved["circle_member"]) == [made.id]
        back = Move(ground.north.establishment.id, ground.patient.id, known.id, "")
        belongings.release(back, moved)
        session.expire_all()
        assert session.get_one(CircleMember, made.id).patient_id == known.id
