"""Rights are given and withdrawn by those who administer the hospital, and somebody always does."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

import pytest
from flask import Flask

from auth import rights
from auth.agents import actions
from auth.agents.actions import Draft, UnknownInvitation
from auth.models import Account, StaffInvitation, StaffRight
from auth.rights import (
    LastAdministrator,
    NotAdministrator,
    OwnLastAdministration,
    UnknownAgent,
    UnknownRight,
)
from portal import db
from portal.db import Actor
from tests.factories import hospitals, people
from tests.ground import audited, prepared, rows


@dataclass(frozen=True)
class Ground:
    north: UUID
    south: UUID
    chief: Account
    clerk: Account

    @property
    def as_chief(self) -> Actor:
        return people.as_agent(self.chief, self.north, "administration")


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        north = hospitals.hospital("990000017").establishment.id
        south = hospitals.hospital("990000025").establishment.id
        return Ground(north, south, people.agent(north, "administration"), people.agent(north, "billing"))


def held(account: Account, establishment_id: UUID) -> set[str]:
    return {
        row.right for row in rows(StaffRight)
        if (row.account_id, row.establishment_id) == (account.id, establishment_id)
    }  # fmt: skip


def change(actor: Actor, account_id: UUID, establishment_id: UUID, *wanted: str) -> None:
    with db.transaction(actor):
        rights.change_rights(account_id, establishment_id, wanted)


class TestChanging:
    def test_the_agent_holds_these_rights_and_no_other(self, ground: Ground) -> None:
        change(ground.as_chief, ground.clerk.id, ground.north, "documents", "identity")
        assert held(ground.clerk, ground.north) == {"documents", "identity"}
        assert audited() == ["right.granted", "right.granted", "right.withdrawn"]

    def test_nothing_left_is_possible(self, ground: Ground) -> None:
        change(ground.as_chief, ground.clerk.id, ground.north)
        assert held(ground.clerk, ground.north) == set()

    def test_the_same_rights_again_write_nothing(self, ground: Ground) -> None:
        change(ground.as_chief, ground.clerk.id, ground.north, "billing")
        assert audited() == []

    def test_nobody_gives_a_right_at_a_hospital_they_do_not_administer(self, ground: Ground) -> None:
        with pytest.raises(NotAdministrator):
            change(ground.as_chief, ground.clerk.id, ground.south, "billing")
        assert held(ground.clerk, ground.south) == set()

    @pytest.mark.parametrize("right", ["billing", "audit", "documents"])
    def test_another_right_is_not_administration(self, ground: Ground, right: str) -> None:
        with pytest.raises(NotAdministrator):
            change(people.as_agent(ground.clerk, ground.north, right), ground.clerk.id, ground.north, "administration")

    def test_the_database_refuses_it_too(self, ground: Ground) -> None:
        """Whoever forgot the check meets the policy."""
        from sqlalchemy.exc import ProgrammingError

        row = StaffRight(account_id=ground.clerk.id, establishment_id=ground.south, right="billing")
        with pytest.raises(ProgrammingError), db.transaction(ground.as_chief) as current:
            current.add(row)

    def test_somebody_who_lost_administration_meanwhile_changes_nothing(self, ground: Ground) -> None:
        with pytest.raises(NotAdministrator):
            change(people.as_agent(ground.clerk, ground.north, "administration"), ground.chief.id, ground.north)

    def test_an_unknown_right_is_refused(self, ground: Ground) -> None:
        with pytest.raises(UnknownRight):
            change(ground.as_chief, ground.clerk.id, ground.north, "everything")

    def test_a_patient_is_not_an_agent(self, ground: Ground) -> None:
        with prepared():
            own, _person = people.patient_with_account()
        for nobody in (own.id, uuid4()):
            with pytest.raises(UnknownAgent):
                change(ground.as_chief, nobody, ground.north, "billing")


class TestLastAdministrator:
    def test_a_hospital_keeps_one(self, ground: Ground) -> None:
        with pytest.raises(LastAdministrator):
            change(ground.as_chief, ground.chief.id, ground.north, "billing")
        assert held(ground.chief, ground.north) == {"administration"}

    def test_nobody_withdraws_their_own_last_administration_right(self, ground: Ground) -> None:
        with prepared():
            people.grant(ground.clerk, ground.north, "administration")
        with pytest.raises(OwnLastAdministration):
            change(ground.as_chief, ground.chief.id, ground.north)

    def test_another_administrator_may_take_it_over(self, ground: Ground) -> None:
        with prepared():
            people.grant(ground.clerk, ground.north, "administration")
        change(people.as_agent(ground.clerk, ground.north, "administration"), ground.chief.id, ground.north)
        assert held(ground.chief, ground.north) == set()

    def test_one_may_leave_a_hospital_when_one_administers_another(self, ground: Ground) -> None:
        with prepared():
            people.grant(ground.chief, ground.south, "administration")
            people.grant(ground.clerk, ground.north, "administration")
        both = Actor("staff", "Chief", ground.chief.id,
                     rights={"administration": frozenset({ground.north, ground.south})})  # fmt: skip
        change(both, ground.chief.id, ground.north)
        assert held(ground.chief, ground.north) == set()

    def test_two_who_remove_each_other_at_once_do_not_both_succeed(self, ground: Ground) -> None:
        with prepared():
            people.grant(ground.clerk, ground.north, "administration")

        def remove(one: Account, other: Account) -> None:
            change(people.as_agent(one, ground.north, "administration"), other.id, ground.north)

        outcomes = at_once([partial(remove, ground.chief, ground.clerk), partial(remove, ground.clerk, ground.chief)])
        assert sorted(map(str, outcomes)) == ["None", "NotAdministrator"]
        left = {row.account_id for row in rows(StaffRight) if row.right == "administration"}
        assert len(left) == 1


class TestInviting:
    def test_the_link_is_kept_nowhere(self, ground: Ground) -> None:
        with db.transaction(ground.as_chief):
            token = rights.invite_agent(Draft(" Nina@Hopital.test ", ["billing"], ground.north))
        (invitation,) = rows(StaffInvitation)
        assert (invitation.email, invitation.rights) == ("nina@hopital.test", ["billing"])
        assert token.encode() not in invitation.digest
        assert audited() == ["invitation.sent"]

    def test_nobody_invites_to_a_hospital_they_do_not_administer(self, ground: Ground) -> None:
        with pytest.raises(NotAdministrator), db.transaction(ground.as_chief):
            rights.invite_agent(Draft("nina@hopital.test", ["billing"], ground.south))
        assert rows(StaffInvitation) == []

    def test_an_invitation_can_be_withdrawn_by_the_hospitals_administrators_only(self, ground: Ground) -> None:
        with db.transaction(ground.as_chief):
            rights.invite_agent(Draft("nina@hopital.test", ["billing"], ground.north))
        (invitation,) = rows(StaffInvitation)
        with prepared():
            other = people.agent(ground.south, "administration")
        for actor in (people.as_agent(other, ground.south, "administration"),
                      people.as_agent(ground.clerk, ground.north, "billing")):  # fmt: skip
            with pytest.raises(UnknownInvitation), db.transaction(actor):
                actions.withdraw(invitation.id)
        with db.transaction(ground.as_chief):
            actions.withdraw(invitation.id)
        assert rows(StaffInvitation) == []
        assert audited() == ["invitation.sent", "invitation.withdrawn"]

    def test_a_used_invitation_cannot_be_withdrawn(self, ground: Ground) -> None:
        with db.transaction(ground.as_chief):
            rights.invite_agent(Draft("nina@hopital.test", ["billing"], ground.north))
        with prepared():
            (invitation,) = db.session.query(StaffInvitation).all()
            invitation.used_at = db.now()
        with pytest.raises(UnknownInvitation), db.transaction(ground.as_chief):
            actions.withdraw(invitation.id)


def at_once(acts: list[Callable[[], None]]) -> list[str | None]:
    """Run them in threads that start together; what each one raised, by name."""
    gate = threading.Barrier(len(acts))
    outcomes: list[str | None] = [None] * len(acts)

    def run(number: int) -> None:
        gate.wait()
        try:
            acts[number]()
        except Exception as refusal:
            outcomes[number] = type(refusal).__name__

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
