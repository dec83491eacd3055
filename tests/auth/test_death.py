"""A death ends at once what must end, lists the rest, and is undone by two agents, exactly."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

from auth.death import actions, queries
from auth.death.actions import DeathRefused, NotKnownHere, UndoRefused
from auth.death.models import Death
from auth.mandates.models import Mandate, MandateChange
from auth.models import Account, Patient, PatientAccess, WebSession
from portal import db, notifications
from portal.db import Actor
from portal.notifications import Mail, Notification
from tests.english import in_english as in_english
from tests.factories import people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows, today

SignIn = Callable[[Account | UUID], FlaskClient]
WorkJobs = Callable[[], None]


@dataclass(frozen=True)
class Family:
    """Suzanne, her daughter who is her carer, an old access that had ended before, and two agents of her hospital."""

    account: Account
    patient: Patient
    daughter: Account
    former_carer: Account
    agent: Account
    colleague: Account
    here: UUID

    @property
    def as_agent(self) -> Actor:
        return people.as_agent(self.agent, self.here, "identity")

    @property
    def as_colleague(self) -> Actor:
        return people.as_agent(self.colleague, self.here, "identity")


@pytest.fixture
def family(north: Hospital) -> Family:
    here = north.establishment.id
    with prepared():
        patient = people.patient("VALMORIN", ("Suzanne",), date(1944, 5, 17))
        account = people.account(name=patient.full_name)
        people.give_access(account, patient)
        people.known_at(patient, here, "800")
        daughter = people.patient_with_account(birth_name="BASTERAC")[0]
        former = people.patient_with_account(birth_name="ANCIEN")[0]
        people.give_access(daughter, patient, "carer")
        people.give_access(former, patient, "carer")
        db.session.execute(
            update(PatientAccess).where(PatientAccess.account_id == former.id).values(revoked_at=db.now())
        )
        return Family(
            account, patient, daughter, former, people.agent(here, "identity"), people.agent(here, "identity"), here
        )


def declare(family: Family, died_on: date | None = None, **how: Any) -> Death | None:
    with db.transaction(how.pop("actor", family.as_agent)):
        return actions.declare(
            family.patient.id,
            died_on=died_on or today(),
            source=how.get("source", "agent"),
            establishment_id=how.get("establishment_id", family.here),
        )


def undo(family: Family, death: Death) -> None:
    with db.transaction(family.as_agent):
        actions.ask_undo(db.session.get_one(Death, death.id), "Came to the desk")
    with db.transaction(family.as_colleague):
        actions.undo(db.session.get_one(Death, death.id))


def accesses() -> list[tuple[UUID, UUID, str, Any]]:
    return sorted((each.account_id, each.patient_id, each.relation, each.revoked_at) for each in rows(PatientAccess))


class TestADeath:
    def test_closes_the_account_and_ends_open_sessions(self, family: Family, sign_in: SignIn) -> None:
        browser = sign_in(family.account)
        assert browser.get("/mon-compte").status_code == 200
        declare(family)
        answer = browser.get("/mon-compte")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/compte-ferme")
        page = browser.get("/compte-ferme").text
        assert "Contact the desk of the hospital" in page
        assert "died" not in page

    def test_ends_others_accesses_at_once_even_in_open_sessions(self, family: Family, sign_in: SignIn) -> None:
        browser = sign_in(family.daughter)
        assert "VALMORIN" in browser.get("/mon-compte").text
        declare(family)
        for path in ("/mon-compte", "/rendez-vous"):
            page = browser.get(path)
            assert page.status_code == 200
            assert "VALMORIN" not in page.text

    def test_is_written_on_the_patient_and_in_the_audit(self, family: Family) -> None:
        declare(family)
        patient = next(each for each in rows(Patient) if each.id == family.patient.id)
        assert patient.deceased_on == today()
        assert "death.declared" in audited()

    def test_told_again_changes_nothing(self, family: Family) -> None:
        first = declare(family)
        before, said = accesses(), audited()
        for source in ("agent", "hospital", "import"):
            again = declare(family, source=source, actor=db.system("tests"))
            assert again is not None
            assert first is not None
            assert again.id == first.id
        assert (accesses(), audited(), count(Death)) == (before, said, 1)

    def test_told_with_another_day_corrects_it(self, family: Family) -> None:
        declare(family)
        declare(family, today() - timedelta(days=1), source="hospital", actor=db.system("tests"))
        assert [each.died_on for each in rows(Death)] == [today() - timedelta(days=1)]
        assert audited()[-1] == "death.corrected"

    def test_in_the_future_or_before_the_birth_is_refused(self, family: Family) -> None:
        for day, code in ((today() + timedelta(days=2), "in_future"), (date(1944, 5, 16), "before_birth")):
            with pytest.raises(DeathRefused) as refused:
                declare(family, day)
            assert refused.value.code == code
        assert count(Death) == 0

    def test_is_declared_by_agents_of_a_hospital_that_knows_the_person(self, family: Family, south: Hospital) -> None:
        elsewhere = south.establishment.id
        with prepared():
            stranger = people.agent(elsewhere, "identity")
        for who in (
            people.as_agent(stranger, elsewhere, "identity"),
            people.as_agent(family.agent, family.here, "billing"),
        ):
            for place in (elsewhere, family.here):
                with pytest.raises(NotKnownHere):
                    declare(family, actor=who, establishment_id=place)
        assert count(Death) == 0

    def test_of_a_child_leaves_the_parent_their_own_account(self, family: Family, sign_in: SignIn) -> None:
        declare(family)
        assert sign_in(family.daughter).get("/mon-compte").status_code == 200


class TestMessages:
    """Every message stops at once, those that wait already too."""

    @staticmethod
    def told(family: Family, **about: Any) -> None:
        with prepared():
            notifications.tell(Mail("subject", ("text",)), recipient="a@exemple.test", **about)

    def test_to_the_person_or_about_them_are_withheld(self, family: Family, work_jobs: WorkJobs) -> None:
        declare(family)
        self.told(family, account_id=family.account.id)
        self.told(family, patient_id=family.patient.id)
        self.told(family, account_id=family.daughter.id, patient_id=family.patient.id)
        work_jobs()
        assert [bool(each.sent_at) for each in rows(Notification)] == [False] * 3
        assert [bool(each.withheld_at) for each in rows(Notification)] == [True] * 3

    def test_queued_before_are_withheld_too(self, family: Family, work_jobs: WorkJobs) -> None:
        self.told(family, account_id=family.account.id)
        declare(family)
        work_jobs()
        (message,) = rows(Notification)
        assert (message.sent_at, message.withheld_at is None) == (None, False)

    def test_about_others_still_leave(self, family: Family, work_jobs: WorkJobs) -> None:
        declare(family)
        self.told(family, account_id=family.daughter.id)
        self.told(family)
        work_jobs()
        assert all(each.sent_at for each in rows(Notification))


class TestAMistake:
    def test_is_undone_by_two_agents_exactly(self, family: Family, sign_in: SignIn) -> None:
        before = accesses()
        death = declare(family)
        assert death is not None
        assert accesses() != before
        undo(family, death)
        assert accesses() == before
        assert sign_in(family.account).get("/mon-compte").status_code == 200
        patient = next(each for each in rows(Patient) if each.id == family.patient.id)
        assert patient.deceased_on is None
        assert [line for line in audited() if line.startswith("death")] == [
            "death.declared", "death.undo_asked", "death.undone",
        ]  # fmt: skip

    def test_gives_mandates_back_in_the_state_they_were_in(self, family: Family) -> None:
        with prepared():
            for account, state in ((family.daughter, "active"), (family.former_carer, "revoked")):
                db.session.add(
                    Mandate(
                        id=uuid4(), kind="carer", state=state, account_id=account.id, patient_id=family.patient.id,
                        ends_on=today() + timedelta(days=90),
                    )
                )  # fmt: skip
        before, mandates = accesses(), {each.id: each.state for each in rows(Mandate)}
        death = declare(family)
        assert death is not None
        assert sorted(each.state for each in rows(Mandate)) == ["ended", "revoked"]
        undo(family, death)
        assert {each.id: each.state for each in rows(Mandate)} == mandates
        assert accesses() == before
        assert {each.reason for each in rows(MandateChange)} == {"death", "death_undone"}

    def test_leaves_closed_what_had_been_closed_before(self, family: Family) -> None:
        with prepared():
            db.session.execute(
                update(Account).where(Account.id == family.account.id).values(closed_at=db.now() - timedelta(days=3))
            )
        death = declare(family)
        assert death is not None
        undo(family, death)
        account = next(each for each in rows(Account) if each.id == family.account.id)
        assert account.closed_at is not None

    def test_is_never_undone_by_one_agent(self, family: Family) -> None:
        death = declare(family)
        assert death is not None
        with pytest.raises(UndoRefused) as refused, db.transaction(family.as_agent):
            actions.undo(db.session.get_one(Death, death.id))
        assert refused.value.code == "not_asked"
        with db.transaction(family.as_agent):
            actions.ask_undo(db.session.get_one(Death, death.id), "x")
        with pytest.raises(UndoRefused) as refused, db.transaction(family.as_agent):
            actions.undo(db.session.get_one(Death, death.id))
        assert refused.value.code == "same_agent"
        with pytest.raises(DBAPIError, match="two_agents"), db.transaction(family.as_agent):
            db.session.execute(update(Death).values(undone_at=db.now(), undone_by=family.agent.id))

    def test_is_told_to_the_person_who_is_alive(self, family: Family, work_jobs: WorkJobs) -> None:
        death = declare(family)
        assert death is not None
        undo(family, death)
        work_jobs()
        assert [bool(each.sent_at) for each in rows(Notification)] == [True]

    def test_repeated_by_a_file_is_not_believed_but_an_agent_is(self, family: Family) -> None:
        death = declare(family)
        assert death is not None
        undo(family, death)
        assert declare(family, source="import", actor=db.system("tests")) is None
        assert audited()[-1] == "death.ignored"
        assert queries_in_force(family) is None
        again = declare(family)
        assert again is not None
        assert again.id != death.id

    def test_asked_twice_or_undone_twice_is_refused(self, family: Family) -> None:
        death = declare(family)
        assert death is not None
        undo(family, death)
        for act in (lambda each: actions.ask_undo(each, "x"), actions.undo, actions.withdraw_undo):
            with pytest.raises(UndoRefused) as refused, db.transaction(family.as_agent):
                act(db.session.get_one(Death, death.id))
            assert refused.value.code == "already_undone"

    def test_asked_for_by_mistake_is_taken_back(self, family: Family) -> None:
        death = declare(family)
        assert death is not None
        with db.transaction(family.as_agent):
            actions.ask_undo(db.session.get_one(Death, death.id), "x")
        with db.transaction(family.as_colleague):
            actions.withdraw_undo(db.session.get_one(Death, death.id))
        assert [each.state for each in rows(Death)] == ["declared"]


def queries_in_force(family: Family) -> Death | None:
    with db.transaction(db.system("tests")):
        return queries.in_force(family.patient.id)


class TestAtTheSameTime:
    @pytest.mark.parametrize("round_", range(3))
    def test_declared_by_several_it_is_one_death(self, app: Flask, family: Family, round_: int) -> None:
        def one(number: int) -> object:
            who = (family.as_agent, family.as_colleague, db.system("tests"))[number % 3]
            return Context().run(declare, family, actor=who)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(one, range(6)))
        assert count(Death) == 1

    def test_declared_while_it_is_undone_ends_as_one_or_the_other(self, app: Flask, family: Family) -> None:
        death = declare(family)
        assert death is not None
        with db.transaction(family.as_agent):
            actions.ask_undo(db.session.get_one(Death, death.id), "x")

        def undone() -> None:
            with db.transaction(family.as_colleague):
                actions.undo(db.session.get_one(Death, death.id))

        def told() -> None:
            declare(family, source="hospital", actor=db.system("tests"))

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda act: Context().run(act), (undone, told)))
        patient = next(each for each in rows(Patient) if each.id == family.patient.id)
        assert patient.deceased_on is None, "the machine told what was being undone: it is not believed"
        assert all(each.revoked_at is None for each in rows(PatientAccess) if each.account_id == family.account.id)


class TestNobodyElse:
    def test_sees_or_writes_deaths(self, family: Family, south: Hospital) -> None:
        declare(family)
        with prepared():
            far = people.agent(south.establishment.id, "identity")
        strangers = (
            db.ANONYMOUS,
            people.as_patient(family.account, family.patient),
            people.as_patient(family.daughter, family.patient),
            people.as_agent(family.agent, family.here, "billing", "administration"),
            people.as_agent(far, south.establishment.id, "identity"),
        )
        for who in strangers:
            with db.transaction(who):
                assert db.session.scalars(select(Death)).all() == []
            with pytest.raises(DBAPIError, match="row-level security"), db.transaction(who):
                db.session.execute(
                    insert(Death).inline().values(
                        patient_id=family.patient.id, establishment_id=family.here, died_on=today(), source="agent",
                        declared_by="x", undone_at=db.now(),
                    )
                )  # fmt: skip
        with db.transaction(family.as_colleague):
            assert len(db.session.scalars(select(Death)).all()) == 1


def test_sessions_opened_by_a_late_sign_in_stay_shut(family: Family, sign_in: SignIn) -> None:
    declare(family)
    browser = sign_in(family.account)
    assert browser.get("/mon-compte").headers["Location"] == "/compte-ferme"
    assert any(each.ended_at is None for each in rows(WebSession)), "the account's closing is what counts"
