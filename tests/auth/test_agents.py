"""Agents: several doors to one account, rights that two administrators give, departures that end all at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from auth import rights
from auth.agents import actions, dormancy
from auth.agents.actions import Draft, InvitationRefused, OwnRequest, Proof, RequestLapsed, UnknownRequest
from auth.agents.administrators import LastAdministrator, NotAdministrator, OwnLastAdministration
from auth.agents.employers import DIRECTORIES, SIRETS, accept
from auth.agents.models import DormancyNotice, RightRequest, StaffUnit
from auth.agents.roles import ROLES, named
from auth.models import Account, EmergencyAccess, Identity, StaffInvitation, StaffRight, WebSession
from portal import db, establishments
from portal.db import ANONYMOUS, RIGHTS, Actor, Base
from portal.notifications import Notification
from tests.auth.trip import Trip
from tests.factories import agents, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows

Trips = Callable[..., Trip]
SignIn = Callable[[Account], FlaskClient]
EMAIL = "hugo.delsarte@hopital.exemple.test"
SIRET, OTHER_SIRET = "99900001100018", "99900002900010"


@dataclass(frozen=True)
class Team:
    """Two administrators of the north, one of the south alone, and a clerk."""

    north: Hospital
    south: Hospital
    ada: Account
    bob: Account
    sam: Account
    clerk: Account

    def acting(self, account: Account, *held: str, place: Hospital | None = None) -> Actor:
        place = place or self.north
        return people.as_agent(account, place.establishment.id, *(held or ("administration",)))

    @property
    def here(self) -> Any:
        return self.north.establishment.id


@pytest.fixture
def team(north: Hospital, south: Hospital) -> Team:
    with prepared():
        made = Team(
            north,
            south,
            people.agent(north.establishment.id, "administration", name="Ada"),
            people.agent(north.establishment.id, "administration", name="Bob"),
            people.agent(south.establishment.id, "administration", name="Sam"),
            people.agent(north.establishment.id, "billing", name="Clerk"),
        )
        for number, each in enumerate((made.ada, made.bob, made.sam, made.clerk)):
            each.email = f"agent{number}@hopital.test"
        return made


def held(account: Account) -> set[str]:
    return {each.right for each in rows(StaffRight) if each.account_id == account.id}


def asked(team: Team, right: str = "administration") -> RightRequest:
    """Ada asks this right for the clerk."""
    with db.transaction(team.acting(team.ada)):
        waiting = rights.change_rights(team.clerk.id, team.here, ["billing", right])
    assert waiting == {right}
    (request,) = [each for each in rows(RightRequest) if not each.outcome]
    return request


class TestTwoAdministrators:
    @pytest.mark.parametrize("right", ["administration", "audit"])
    def test_give_what_gives_power_over_others(self, team: Team, right: str) -> None:
        request = asked(team, right)
        assert held(team.clerk) == {"billing"}
        with db.transaction(team.acting(team.bob)):
            actions.confirm(request.id)
        assert held(team.clerk) == {"billing", right}
        assert audited()[-2:] == ["right.asked", "right.granted"]

    def test_and_one_is_enough_for_the_rest(self, team: Team) -> None:
        with db.transaction(team.acting(team.ada)):
            assert rights.change_rights(team.clerk.id, team.here, ["documents"]) == set()
        assert held(team.clerk) == {"documents"}

    def test_are_never_the_same_person_twice(self, team: Team) -> None:
        request = asked(team)
        with pytest.raises(OwnRequest), db.transaction(team.acting(team.ada)):
            actions.confirm(request.id)
        assert held(team.clerk) == {"billing"}

    def test_are_never_the_person_who_gets_the_right(self, team: Team) -> None:
        with prepared():
            request = agents.request(team.bob, team.here, "audit", team.ada)
        with pytest.raises(OwnRequest), db.transaction(team.acting(team.bob)):
            actions.confirm(request.id)

    def test_are_both_of_that_hospital(self, team: Team) -> None:
        request = asked(team)
        stranger = team.acting(team.sam, place=team.south)
        for act in (actions.confirm, actions.refuse):
            with pytest.raises(UnknownRequest), db.transaction(stranger):
                act(request.id)

    def test_confirm_once_even_at_the_same_moment(self, team: Team) -> None:
        with prepared():
            carl = people.agent(team.here, "administration", name="Carl")
        request = asked(team)

        def confirm(account: Account) -> str:
            try:
                with db.transaction(team.acting(account)):
                    actions.confirm(request.id)
            except UnknownRequest:
                return "too late"
            return "done"

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(confirm, (team.bob, carl))) == ["done", "too late"]

    def test_who_no_longer_administers_asks_for_nothing(self, team: Team) -> None:
        """A leaver's request must not be confirmed after them."""
        request = asked(team)
        with prepared():
            db.session.execute(text("delete from staff_right where account_id = :a"), {"a": team.ada.id})
        with pytest.raises(RequestLapsed), db.transaction(team.acting(team.bob)):
            actions.confirm(request.id)
        assert held(team.clerk) == {"billing"}

    def test_who_was_withdrawn_meanwhile_confirms_nothing(self, team: Team) -> None:
        request = asked(team)
        with prepared():
            db.session.execute(text("delete from staff_right where account_id = :a"), {"a": team.bob.id})
        with pytest.raises(UnknownRequest), db.transaction(team.acting(team.bob)):
            actions.confirm(request.id)

    def test_have_seven_days(self, team: Team) -> None:
        request = asked(team)
        with prepared():
            db.session.execute(update(RightRequest).values(expires_at=db.now() - timedelta(seconds=1)))
        with pytest.raises(RequestLapsed), db.transaction(team.acting(team.bob)):
            actions.confirm(request.id)
        again = asked(team)
        assert again.id != request.id

    def test_may_refuse_and_whoever_asked_may_withdraw(self, team: Team) -> None:
        for account, outcome in ((team.bob, "refused"), (team.ada, "withdrawn")):
            request = asked(team)
            with db.transaction(team.acting(account)):
                assert actions.refuse(request.id).outcome == outcome
            with pytest.raises(UnknownRequest), db.transaction(team.acting(team.bob)):
                actions.confirm(request.id)
        assert held(team.clerk) == {"billing"}

    def test_are_told_and_so_is_whoever_is_concerned(self, team: Team) -> None:
        request = asked(team)
        assert {each.recipient for each in rows(Notification)} == {team.bob.email}
        with db.transaction(team.acting(team.bob)):
            actions.confirm(request.id)
        assert {each.recipient for each in rows(Notification)} == {team.bob.email, team.ada.email, team.clerk.email}

    def test_withdrawing_takes_only_one(self, team: Team) -> None:
        with db.transaction(team.acting(team.ada)):
            rights.change_rights(team.bob.id, team.here, ["billing"])
        assert held(team.bob) == {"billing"}


class TestTheSecondLock:
    """What the database refuses, whatever the code above forgets."""

    def give(self, team: Team, actor: Actor, right: str) -> None:
        with db.transaction(actor) as current:
            row = insert(StaffRight).values(
                account_id=team.clerk.id, establishment_id=team.here, right=right, granted_at=db.now()
            )
            current.execute(row)

    def test_one_administrator_cannot_write_the_right(self, team: Team) -> None:
        self.give(team, team.acting(team.ada), "documents")
        for right in actions.NEEDS_TWO:
            with pytest.raises(DBAPIError, match="row-level security"):
                self.give(team, team.acting(team.ada), right)

    def test_nor_change_another_right_into_it(self, team: Team) -> None:
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(team.acting(team.ada)) as current:
            current.execute(update(StaffRight).where(StaffRight.right == "billing").values(right="administration"))

    def test_nor_confirm_their_own_request(self, team: Team) -> None:
        request = asked(team)
        own = update(RightRequest).where(RightRequest.id == request.id)
        confirmed = own.values(outcome="confirmed", decided_by=team.ada.id, decided_at=db.now())
        with pytest.raises(IntegrityError), db.transaction(team.acting(team.ada)) as current:
            current.execute(confirmed)

    def test_nor_ask_in_somebody_elses_name(self, team: Team) -> None:
        forged = insert(RightRequest).inline().values(
            id=uuid4(), establishment_id=team.here, account_id=team.clerk.id, right="audit", requested_by=team.bob.id,
            requested_at=db.now(), expires_at=db.now(), outcome="",
        )  # fmt: skip
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(team.acting(team.ada)) as current:
            current.execute(forged)


def proof(**changed: Any) -> Proof:
    return Proof(**{"provider": "proconnect", "email": EMAIL, "siret": SIRET, "idp_id": "idp"} | changed)


def invite(**changed: Any) -> str:
    with prepared():
        return actions.invite(Draft(**{"email": EMAIL, "rights": ("billing",)} | changed))


class TestWhoMayFollowAnInvitation:
    def claimed(self, token: str, by: Proof) -> bool:
        try:
            with prepared():
                actions.claim(token, by)
        except InvitationRefused:
            return False
        return True

    @pytest.mark.parametrize(
        ("draft", "by", "accepted"),
        [
            ({}, {}, True),
            ({"siret": SIRET}, {}, True),
            ({"siret": OTHER_SIRET}, {}, False),
            ({}, {"email": "somebody@else.test"}, False),
            ({}, {"email": ""}, False),
            ({}, {"provider": "hospital"}, False),
            ({}, {"provider": "prosanteconnect", "subject_name_id": ""}, False),
            ({"provider": "prosanteconnect", "subject_name_id": "899700000021"},
             {"provider": "prosanteconnect", "subject_name_id": "899700000021", "email": ""}, True),
            ({"provider": "prosanteconnect", "subject_name_id": "899700000021"},
             {"provider": "prosanteconnect", "subject_name_id": "899700000013"}, False),
            ({"provider": "prosanteconnect"}, {"provider": "prosanteconnect", "subject_name_id": ""}, False),
        ],
    )  # fmt: skip
    def test_is_whom_it_was_written_for(
        self, team: Team, draft: dict[str, Any], by: dict[str, Any], accepted: bool
    ) -> None:
        assert self.claimed(invite(**draft), proof(**by)) is accepted

    def test_works_where_the_hospital_says(self, team: Team) -> None:
        with prepared():
            establishments.change_setting(team.here, SIRETS, f"{OTHER_SIRET}, 99900099500012")
        assert not self.claimed(invite(establishment_id=team.here), proof())
        assert self.claimed(invite(establishment_id=team.here), proof(siret=OTHER_SIRET))

    def test_comes_from_a_directory_that_the_hospital_trusts(self, team: Team) -> None:
        with prepared():
            establishments.change_setting(team.here, DIRECTORIES, "trusted")
            assert accept([team.here], SIRET, "trusted")
        assert not self.claimed(invite(establishment_id=team.here), proof())

    def test_signs_in_at_the_hospital_that_invited(self, team: Team) -> None:
        token = invite(provider="hospital", establishment_id=team.here)
        by = {"provider": "hospital", "siret": "", "idp_id": ""}
        assert not self.claimed(token, proof(**by, establishment_id=team.south.establishment.id))
        assert self.claimed(token, proof(**by, establishment_id=team.here))

    def test_follows_it_once_even_at_the_same_moment(self, team: Team) -> None:
        token = invite()
        with ThreadPoolExecutor(3) as pool:
            assert sorted(pool.map(lambda _n: self.claimed(token, proof()), range(3))) == [False, False, True]


class TestAnInvitedAgent:
    def test_waits_for_a_second_administrator_where_two_are_needed(self, team: Team, trip: Trips) -> None:
        with db.transaction(team.acting(team.ada)):
            token = rights.invite_agent(Draft(EMAIL, ("billing", "audit"), team.here, siret=SIRET))
        answer = trip("proconnect").sign_in("administrator", invitation=token)
        assert answer.status_code == 302
        (request,) = rows(RightRequest)
        assert (request.right, request.requested_by) == ("audit", team.ada.id)
        invited = next(each for each in rows(Account) if each.email == EMAIL)
        assert held(invited) == {"billing"}

    def test_is_refused_once_whoever_invited_no_longer_administers(self, team: Team, trip: Trips) -> None:
        """Else an administrator would keep links of their own for the day when they are no longer one."""
        with db.transaction(team.acting(team.ada)):
            token = rights.invite_agent(Draft(EMAIL, ("billing",), team.here, siret=SIRET))
        with db.transaction(team.acting(team.bob)):
            rights.change_rights(team.ada.id, team.here, ("billing",))
        assert trip("proconnect").sign_in("administrator", invitation=token).status_code == 403
        assert EMAIL not in {each.email for each in rows(Account)}
        assert all(each.used_at is None for each in rows(StaffInvitation))

    def test_gets_the_link_by_mail(self, team: Team) -> None:
        with db.transaction(team.acting(team.ada)):
            token = rights.invite_agent(Draft(EMAIL, ("billing",), team.here, siret=SIRET))
        (mail,) = rows(Notification)
        assert mail.recipient == EMAIL
        assert f"/auth/proconnect/start?invitation={token}" in mail.body

    def test_works_in_the_units_that_were_chosen(self, team: Team, trip: Trips) -> None:
        units = (team.north.unit.id, team.south.unit.id)
        token = invite(establishment_id=team.here, unit_ids=units)
        trip("proconnect").sign_in("administrator", invitation=token)
        assert [each.unit_id for each in rows(StaffUnit)] == [team.north.unit.id]

    def test_is_not_let_in_once_the_hospital_no_longer_has_their_employer(self, team: Team, trip: Trips) -> None:
        trip("proconnect").sign_in("administrator", invitation=invite(establishment_id=team.here))
        with prepared():
            establishments.change_setting(team.here, SIRETS, OTHER_SIRET)
        assert trip("proconnect").sign_in("administrator").status_code == 403

    @pytest.mark.parametrize("person", ["agent-without-mfa"])
    def test_with_a_password_alone_is_refused(self, team: Team, trip: Trips, person: str) -> None:
        token = invite(email="lucie.ambremont@hopital.exemple.test")
        assert trip("proconnect").sign_in(person, invitation=token).status_code == 400
        assert count(Identity) == 0

    def test_who_left_comes_back_as_the_same_agent(self, team: Team, trip: Trips) -> None:
        trip("proconnect").sign_in("administrator", invitation=invite(establishment_id=team.here))
        (account_id,) = {each.account_id for each in rows(Identity)}
        with db.transaction(team.acting(team.ada)):
            assert actions.leave(account_id, team.here)
        assert trip("proconnect").sign_in("administrator").status_code == 403
        answer = trip("proconnect").sign_in("administrator", invitation=invite(establishment_id=team.here))
        assert answer.status_code == 302
        assert {each.account_id for each in rows(Identity)} == {account_id}
        assert "account.reopened" in audited()


class TestAnotherDoor:
    def known(self, team: Team) -> Account:
        with prepared():
            agent = people.agent(team.here, "billing", name="Hugo Delsarte", issuer="https://before.test", subject="1")
            agent.email = "hugo@hopital.test"
            return agent

    def door(self, team: Team, agent: Account, **changed: Any) -> str:
        draft = Draft(**{"email": EMAIL, "rights": (), "establishment_id": team.here, "siret": SIRET,
                         "account_id": agent.id} | changed)  # fmt: skip
        with db.transaction(team.acting(team.ada)):
            rights.send_another_door(draft)
        mail = max(rows(Notification), key=lambda each: each.created_at)
        assert mail.recipient == "hugo@hopital.test"
        return mail.body.rpartition("invitation=")[2].strip()

    def test_opens_the_same_account(self, team: Team, trip: Trips) -> None:
        agent = self.known(team)
        answer = trip("proconnect").sign_in("administrator", invitation=self.door(team, agent))
        assert answer.status_code == 302
        assert {each.issuer for each in rows(Identity) if each.account_id == agent.id} > {"https://before.test"}
        assert held(agent) == {"billing"}
        assert "door.added" in audited()
        assert count(Account) == 5

    def test_then_opens_it_without_any_link(self, team: Team, trip: Trips) -> None:
        agent = self.known(team)
        trip("proconnect").sign_in("administrator", invitation=self.door(team, agent))
        assert trip("proconnect").sign_in("administrator").status_code == 302

    def test_never_opens_two_accounts(self, team: Team, trip: Trips) -> None:
        """The identity already opens somebody's account: nobody becomes somebody else."""
        trip("proconnect").sign_in("administrator", invitation=invite(establishment_id=team.here))
        agent = self.known(team)
        answer = trip("proconnect").sign_in("administrator", invitation=self.door(team, agent))
        assert answer.status_code in (400, 403)
        assert [each.issuer for each in rows(Identity) if each.account_id == agent.id] == ["https://before.test"]

    def test_is_not_for_whoever_catches_the_link(self, team: Team, trip: Trips) -> None:
        token = self.door(team, self.known(team))
        assert trip("proconnect").sign_in("billing-agent", invitation=token).status_code == 403

    def test_is_told_to_the_agent(self, team: Team, trip: Trips) -> None:
        agent = self.known(team)
        token = self.door(team, agent)
        trip("proconnect").sign_in("administrator", invitation=token)
        told = [each for each in rows(Notification) if each.recipient == agent.email]
        assert len(told) >= 2

    def test_of_a_health_professional_keeps_their_own_account_apart(self, team: Team, trip: Trips) -> None:
        trip("prosanteconnect").sign_in("nevelet")
        token = invite(provider="prosanteconnect", subject_name_id="899700000021", establishment_id=team.here)
        answer = trip("prosanteconnect").sign_in("nevelet", invitation=token)
        assert answer.headers["Location"] == "/admin/"
        assert sorted(each.as_staff for each in rows(Identity)) == [False, True]
        assert trip("prosanteconnect").sign_in("nevelet").headers["Location"] != "/admin/"

    def test_is_sent_only_by_an_administrator_of_theirs(self, team: Team) -> None:
        agent = self.known(team)
        draft = Draft(EMAIL, (), team.here, account_id=agent.id)
        for actor in (team.acting(team.sam, place=team.south), team.acting(team.clerk, "billing")):
            with pytest.raises(NotAdministrator), db.transaction(actor):
                rights.send_another_door(draft)


class TestALocalAccount:
    def test_is_opened_with_its_rights_and_a_link_by_mail(self, team: Team) -> None:
        draft = Draft("new@hopital.test", ("billing", "administration"), team.here)
        with db.transaction(team.acting(team.ada)):
            account_id = rights.open_local_account(draft, "Nina Neuve")
        (account,) = [each for each in rows(Account) if each.id == account_id]
        assert (account.audience, account.name) == ("staff", "Nina Neuve")
        assert held(account) == {"billing"}
        assert [each.right for each in rows(RightRequest)] == ["administration"]
        assert "new@hopital.test" in {each.recipient for each in rows(Notification)}


class TestWhoeverLeaves:
    def test_loses_everything_at_once(self, team: Team, sign_in: SignIn) -> None:
        browser = sign_in(team.clerk)
        assert browser.get("/admin/factures/").status_code == 200
        with prepared():
            _user, patient = people.patient_with_account()
            agents.emergency(team.clerk, team.here, patient)
            db.session.add(StaffUnit(account_id=team.clerk.id, unit_id=team.north.unit.id, establishment_id=team.here))
            agents.request(team.clerk, team.here, "audit", team.ada)
            actions.invite(Draft(team.clerk.email, ("billing",), team.here))
        with db.transaction(team.acting(team.ada)):
            assert actions.leave(team.clerk.id, team.here) is True
        assert browser.get("/admin/factures/").status_code == 303
        assert held(team.clerk) == set()
        assert (count(StaffUnit), count(StaffInvitation)) == (0, 0)
        assert [each.outcome for each in rows(RightRequest)] == ["withdrawn"]
        assert all(each.ended_at for each in rows(WebSession) if each.account_id == team.clerk.id)
        assert all(each.ends_at <= db.now() for each in rows(EmergencyAccess))
        assert next(each for each in rows(Account) if each.id == team.clerk.id).closed_at
        assert team.clerk.email in {each.recipient for each in rows(Notification)}

    def test_keeps_what_they_do_at_another_hospital(self, team: Team, sign_in: SignIn) -> None:
        with prepared():
            people.grant(team.clerk, team.south.establishment.id, "documents")
        with db.transaction(team.acting(team.ada)):
            assert actions.leave(team.clerk.id, team.here) is False
        assert held(team.clerk) == {"documents"}
        assert sign_in(team.clerk).get("/admin/documents").status_code in (200, 308)

    def test_takes_their_own_requests_and_invitations_away(self, team: Team) -> None:
        asked(team)
        with db.transaction(team.acting(team.ada)):
            rights.invite_agent(Draft("x@y.test", ("billing",), team.here))
        with db.transaction(team.acting(team.bob)):
            actions.leave(team.ada.id, team.here)
        assert [each.outcome for each in rows(RightRequest)] == ["withdrawn"]
        assert count(StaffInvitation) == 0

    def test_is_never_the_last_administrator(self, team: Team) -> None:
        with pytest.raises(LastAdministrator), db.transaction(team.acting(team.sam, place=team.south)):
            actions.leave(team.sam.id, team.south.establishment.id)
        with pytest.raises(OwnLastAdministration), db.transaction(team.acting(team.ada)):
            actions.leave(team.ada.id, team.here)

    def test_is_said_by_an_administrator_of_that_hospital(self, team: Team) -> None:
        for actor in (team.acting(team.sam, place=team.south), team.acting(team.clerk, "billing"), ANONYMOUS):
            with pytest.raises(NotAdministrator), db.transaction(actor):
                actions.leave(team.clerk.id, team.here)


class TestWhoeverNoLongerSignsIn:
    def sweep(self) -> None:
        with db.transaction(db.system("agents.close_dormant")):
            dormancy.sweep()

    def quiet(self, team: Team, account: Account, days: int) -> None:
        with prepared():
            long_ago = db.now() - timedelta(days=days)
            db.session.execute(update(Account).where(Account.id == account.id).values(created_at=long_ago))
            seen = Identity(issuer="x", subject=str(account.id), account_id=account.id, last_used_at=long_ago)
            db.session.add(seen)

    def test_is_told_then_closed(self, team: Team) -> None:
        self.quiet(team, team.clerk, 170)
        self.sweep()
        assert [each.recipient for each in rows(Notification)] == [team.clerk.email]
        self.sweep()
        assert (count(Notification), held(team.clerk)) == (1, {"billing"})
        with prepared():
            db.session.execute(update(DormancyNotice).values(told_at=db.now() - timedelta(days=15)))
            db.session.execute(update(Identity).values(last_used_at=db.now() - timedelta(days=185)))
        self.sweep()
        assert held(team.clerk) == set()
        assert "agent.dormant" in audited()

    def test_is_left_alone_when_they_came_back(self, team: Team) -> None:
        self.quiet(team, team.clerk, 185)
        self.sweep()
        with prepared():
            db.session.execute(update(DormancyNotice).values(told_at=db.now() - timedelta(days=15)))
            db.session.execute(update(Identity).values(last_used_at=db.now()))
        self.sweep()
        assert held(team.clerk) == {"billing"}

    def test_is_closed_after_the_hospitals_own_delay_or_never(self, team: Team) -> None:
        self.quiet(team, team.clerk, 400)
        for value in ("0", "never"):
            with prepared():
                establishments.change_setting(team.here, dormancy.SETTING, value)
            self.sweep()
            assert count(Notification) == 0

    def test_is_never_closed_as_the_last_administrator(self, team: Team) -> None:
        self.quiet(team, team.sam, 400)
        self.sweep()
        with prepared():
            db.session.execute(update(DormancyNotice).values(told_at=db.now() - timedelta(days=15)))
        self.sweep()
        assert held(team.sam) == {"administration"}

    def test_is_flagged_after_ninety_days(self) -> None:
        now = db.now()
        assert not dormancy.is_dormant(now - timedelta(days=90), now)
        assert dormancy.is_dormant(now - timedelta(days=90, seconds=1), now)


class TestRoles:
    def test_are_bundles_of_known_rights_and_have_each_a_name_of_their_own(self) -> None:
        assert all(set(role.rights) <= set(RIGHTS) for role in ROLES)
        assert len({role.rights for role in ROLES}) == len(ROLES)
        assert all(named(role.rights[::-1]) is role for role in ROLES)

    def test_that_nobody_named_are_made_to_measure(self) -> None:
        assert named(("billing", "audit")) is None
        assert named(()) is None


TABLES: tuple[type[Base], ...] = (StaffUnit, RightRequest, DormancyNotice)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__tablename__)
@pytest.mark.parametrize("who", ["anonymous", "patient", "professional", "colleague", "agent elsewhere", "machine"])
def test_a_stranger_sees_and_changes_nothing_of_it(app: Flask, team: Team, model: type[Base], who: str) -> None:
    with prepared():
        agents.request(team.clerk, team.here, "audit", team.ada)
        db.session.add(StaffUnit(account_id=team.clerk.id, unit_id=team.north.unit.id, establishment_id=team.here))
        db.session.add(DormancyNotice(account_id=team.clerk.id))
        account, patient = people.patient_with_account()
        colleague = people.agent(team.here, "billing")
        strangers = {
            "anonymous": ANONYMOUS,
            "patient": people.as_patient(account, patient),
            "professional": people.as_professional(people.professional()),
            "colleague": people.as_agent(colleague, team.here, *set(RIGHTS) - {"administration"}),
            "agent elsewhere": people.as_agent(team.sam, team.south.establishment.id, *RIGHTS),
            "machine": Actor("machine", "his", rights={"billing": frozenset({team.here})}),
        }
    assert count(model) == 1
    with db.transaction(strangers[who]) as current:
        assert current.scalar(select(func.count()).select_from(model)) == 0
    with db.transaction(strangers[who]) as current:
        assert current.execute(text(f"delete from {model.__tablename__}")).rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__tablename__)
def test_the_agent_sees_their_own(team: Team, model: type[Base]) -> None:
    with prepared():
        agents.request(team.clerk, team.here, "audit", team.ada)
        db.session.add(StaffUnit(account_id=team.clerk.id, unit_id=team.north.unit.id, establishment_id=team.here))
        db.session.add(DormancyNotice(account_id=team.clerk.id))
    with db.transaction(team.acting(team.clerk, "billing")) as current:
        assert current.scalar(select(func.count()).select_from(model)) == 1
