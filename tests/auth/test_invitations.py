"""An agent's first way in: a link that serves once, to the person it was written for."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from auth import actions
from auth.agents import actions as agents
from auth.agents.actions import Draft
from auth.models import Account, StaffInvitation, StaffRight, WebSession
from portal import db
from portal.db import RIGHTS
from tests.auth.trip import Trip
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows

Trips = Callable[..., Trip]
EMAIL = "hugo.delsarte@hopital.exemple.test"


def invitation(email: str = EMAIL, rights: tuple[str, ...] = RIGHTS, hospital: Hospital | None = None) -> str:
    with prepared():
        return agents.invite(Draft(email, rights, hospital.establishment.id if hospital else None))


class TestAnInvitation:
    def test_gives_its_rights_at_every_hospital(self, trip: Trips, north: Hospital, south: Hospital) -> None:
        answer = trip("proconnect").sign_in("administrator", invitation=invitation())
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
        given = {(each.establishment_id, each.right) for each in rows(StaffRight)}
        both = (north.establishment.id, south.establishment.id)
        assert given == {(hospital, right) for hospital in both for right in RIGHTS}

    def test_or_at_its_own_hospital_only(self, trip: Trips, north: Hospital, south: Hospital) -> None:
        trip("proconnect").sign_in("administrator", invitation=invitation(rights=("billing",), hospital=north))
        (given,) = rows(StaffRight)
        assert (given.establishment_id, given.right) == (north.establishment.id, "billing")

    def test_adds_to_the_rights_of_an_agent_we_know(self, trip: Trips, north: Hospital) -> None:
        for right in ("billing", "documents"):
            trip("proconnect").sign_in("administrator", invitation=invitation(rights=(right,), hospital=north))
        assert count(Account) == 1
        assert {each.right for each in rows(StaffRight)} == {"billing", "documents"}

    def test_is_written_in_the_audit_with_each_right(self, trip: Trips, north: Hospital) -> None:
        trip("proconnect").sign_in("administrator", invitation=invitation(rights=("billing",), hospital=north))
        assert audited() == ["invitation.sent", "account.created", "right.granted", "session.opened", "device.added"]

    @pytest.mark.parametrize("email", ["HUGO.Delsarte@hopital.exemple.test", f"  {EMAIL} "])
    def test_does_not_mind_capitals_or_spaces(self, trip: Trips, north: Hospital, email: str) -> None:
        assert trip("proconnect").sign_in("administrator", invitation=invitation(email)).status_code == 302

    def test_is_kept_as_a_digest(self, app: Flask) -> None:
        token = invitation()
        (row,) = rows(StaffInvitation)
        assert row.digest == actions.digest(token)
        assert len(token) == 43


class TestARefusedInvitation:
    def refused(self, trip: Trips, token: str, person: str = "administrator") -> None:
        before = count(StaffRight), count(Account)
        agent = trip("proconnect")
        answer = agent.sign_in(person, invitation=token)
        assert answer.status_code == 403
        assert agent.token == ""
        assert (count(StaffRight), count(Account)) == before
        assert audited()[-1] == "sign_in.refused"

    def test_already_used(self, trip: Trips, north: Hospital) -> None:
        token = invitation(rights=("billing",))
        trip("proconnect").sign_in("administrator", invitation=token)
        with prepared():
            db.session.execute(update(WebSession).values(ended_at=db.now()))
        self.refused(trip, token)

    def test_written_to_somebody_else(self, trip: Trips, north: Hospital) -> None:
        self.refused(trip, invitation(), person="billing-agent")

    def test_and_still_good_for_the_right_person(self, trip: Trips, north: Hospital) -> None:
        token = invitation()
        self.refused(trip, token, person="billing-agent")
        assert trip("proconnect").sign_in("administrator", invitation=token).status_code == 302

    def test_older_than_three_days(self, trip: Trips, north: Hospital) -> None:
        token = invitation()
        with prepared():
            db.session.execute(
                update(StaffInvitation).values(expires_at=StaffInvitation.expires_at - timedelta(days=3, seconds=1))
            )
        self.refused(trip, token)

    @pytest.mark.parametrize("token", ["x" * 43, "'; drop table account; --", "%00", "a b", "é", "/evil //evil"])
    def test_made_up(self, trip: Trips, north: Hospital, token: str) -> None:
        self.refused(trip, token)

    def test_that_a_patient_carries_to_their_own_door_gives_nothing(self, trip: Trips, north: Hospital) -> None:
        assert trip().sign_in("dominique", invitation=invitation()).status_code == 302
        assert count(StaffRight) == 0
