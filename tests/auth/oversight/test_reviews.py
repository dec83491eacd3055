"""A review of rights: every line answered by somebody else, what is withdrawn ends at once, and it opens by itself."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from auth.models import Account, StaffRight
from auth.oversight import actions, campaigns
from auth.oversight.actions import OwnRights, ReviewClosed, ReviewUnderWay
from auth.oversight.models import AccessReview, AccessReviewLine
from auth.rights import LastAdministrator, NotAdministrator
from portal import db, establishments
from portal.db import session
from portal.establishments import Establishment
from portal.notifications import Notification
from tests.admin.conftest import Group
from tests.admin.conftest import group as group
from tests.factories import people
from tests.ground import audited, prepared, rows


def as_administrator(account: Account, place: Establishment) -> db.Actor:
    return people.as_agent(account, place.id, "administration")


def opened(group: Group) -> AccessReview:
    with db.transaction(as_administrator(group.administrator, group.north)):
        return actions.open_review(session.get_one(Establishment, group.north.id))


def decide(group: Group, by: Account, about: Account, kept: list[str]) -> None:
    with db.transaction(as_administrator(by, group.north)):
        actions.decide(session.scalars(select(AccessReview)).one(), about.id, kept)


def decisions() -> dict[tuple[str, str], str]:
    names = {each.id: each.name.split()[0] for each in rows(Account)}
    return {(names[line.account_id], line.right): line.decision for line in rows(AccessReviewLine)}


def test_it_holds_every_right_of_the_hospital_and_no_other(group: Group) -> None:
    opened(group)
    assert decisions() == {
        ("Adam", "administration"): "", ("Dina", "administration"): "", ("Dina", "audit"): "", ("Aude", "audit"): "",
        ("Clara", "preadmission"): "",
    }  # fmt: skip


def test_one_at_a_time(group: Group) -> None:
    opened(group)
    with pytest.raises(ReviewUnderWay):
        opened(group)


def test_what_is_kept_stays_and_what_is_not_ends_at_once(group: Group) -> None:
    opened(group)
    decide(group, group.administrator, group.director, ["administration"])
    left = {(each.account_id, each.right) for each in rows(StaffRight) if each.establishment_id == group.north.id}
    assert (group.director.id, "administration") in left
    assert (group.director.id, "audit") not in left
    assert decisions()["Dina", "administration"] == "kept"
    assert decisions()["Dina", "audit"] == "removed"
    assert {"right.confirmed", "right.withdrawn"} <= set(audited())


def test_nobody_answers_for_themselves(group: Group) -> None:
    opened(group)
    with pytest.raises(OwnRights):
        decide(group, group.administrator, group.administrator, ["administration"])


def test_the_last_administrator_stays(group: Group) -> None:
    opened(group)
    with prepared():
        people.grant(group.auditor, group.north.id, "administration")
        session.delete(session.get_one(StaffRight, (group.director.id, group.north.id, "administration")))
    decide(group, group.auditor, group.administrator, [])
    with pytest.raises((LastAdministrator, NotAdministrator)):
        decide(group, group.administrator, group.auditor, [])


def test_it_closes_when_nothing_is_left(group: Group) -> None:
    opened(group)
    decide(group, group.director, group.administrator, ["administration"])
    decide(group, group.administrator, group.director, ["administration", "audit"])
    decide(group, group.administrator, group.auditor, ["audit"])
    assert rows(AccessReview)[0].closed_at is None
    decide(group, group.administrator, group.clerk, [])
    assert rows(AccessReview)[0].closed_at is not None
    with pytest.raises(ReviewClosed):
        decide(group, group.administrator, group.clerk, [])


def test_a_right_withdrawn_meanwhile_needs_no_answer(group: Group) -> None:
    opened(group)
    with prepared():
        session.delete(session.get_one(StaffRight, (group.clerk.id, group.north.id, "preadmission")))
    decide(group, group.administrator, group.auditor, ["audit"])
    assert decisions()["Clara", "preadmission"] == "gone"


class TestByItself:
    def look(self, group: Group) -> None:
        with db.transaction(db.system("tests")):
            campaigns.look_after(session.get_one(Establishment, group.north.id))

    def age(self, days: int) -> None:
        with prepared():
            session.execute(update(StaffRight).values(granted_at=db.now() - timedelta(days=days)))

    def test_the_first_one_when_the_oldest_right_is_six_months_old(self, group: Group) -> None:
        self.age(campaigns.EVERY_DAYS - 1)
        self.look(group)
        assert rows(AccessReview) == []
        self.age(campaigns.EVERY_DAYS + 1)
        self.look(group)
        assert len(rows(AccessReview)) == 1

    def test_then_six_months_after_the_last_one_or_as_the_hospital_says(self, group: Group) -> None:
        review = opened(group)
        with prepared():
            row = session.get_one(AccessReview, review.id)
            row.opened_at = row.closed_at = db.now() - timedelta(days=100)
        self.look(group)
        assert len(rows(AccessReview)) == 1
        with prepared():
            establishments.change_setting(group.north.id, campaigns.SETTING, "90")
        self.look(group)
        assert len(rows(AccessReview)) == 2

    def test_never_when_the_hospital_says_so(self, group: Group) -> None:
        with prepared():
            establishments.change_setting(group.north.id, campaigns.SETTING, "0")
        self.age(4000)
        self.look(group)
        assert rows(AccessReview) == []

    def test_it_is_reminded_of_near_the_end_once_a_week(self, group: Group) -> None:
        with prepared():
            session.merge(group.administrator).email = "adam@hopital.test"
        review = opened(group)
        self.look(group)
        sent = len(rows(Notification))
        with prepared():
            session.get_one(AccessReview, review.id).due_on -= timedelta(days=25)
        self.look(group)
        self.look(group)
        assert len(rows(Notification)) == sent * 2, "each administrator once more"


def test_another_hospital_sees_none_of_it(app: Flask, group: Group) -> None:
    opened(group)
    with db.transaction(as_administrator(group.director, group.south)) as current:
        assert current.scalars(select(AccessReview)).all() == []
        assert current.scalars(select(AccessReviewLine)).all() == []
    with db.transaction(people.as_agent(group.clerk, group.north.id, "preadmission")) as current:
        assert current.scalars(select(AccessReviewLine)).all() == []
