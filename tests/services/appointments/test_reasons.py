"""What a hospital says of a reason binds whoever books next, and nobody who is booked."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.exc import ProgrammingError

from auth.models import Patient
from portal import calendar, db
from portal.db import session
from services.appointments import actions, queries
from services.appointments.actions import SlotTaken
from services.appointments.models import Appointment, ConsultationSession, Reason, SessionReason
from services.appointments.outside.models import OutsideSession
from services.appointments.reasons import actions as reasons
from services.appointments.reasons.forms import is_safe_link
from services.appointments.reasons.models import RemoteRoom
from services.appointments.reasons.queries import remote_link
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.factories import reasons as resources
from tests.ground import prepared, rows
from tests.services.appointments.conftest import Ground


def limits() -> list[tuple[int | None, int]]:
    with prepared():
        ordered = select(SessionReason).join(ConsultationSession).order_by(ConsultationSession.start_at)
        return [(row.most, row.taken) for row in session.scalars(ordered)]


def a_patient(name: str) -> Patient:
    return people.patient(name)


def one_more(establishment_id: UUID, external_id: str = "S2") -> dict[str, object]:
    said_at = datetime(2026, 1, 1, tzinfo=UTC)
    return {"establishment_id": establishment_id, "external_id": external_id, "content": "", "said_at": said_at}


class TestAtMostSoManyASession:
    def test_a_new_session_takes_what_the_reason_says(self, ground: Ground) -> None:
        with prepared():
            why = session.merge(ground.reason)
            reasons.change(why, {"most_a_session": 3})
            appointments.consultation(ground.hospital, [why], ground.opened.local_date + timedelta(days=1))
        assert limits() == [(3, 0), (3, 0)]

    def test_sessions_to_come_follow_and_count_who_is_there(self, ground: Ground) -> None:
        with prepared():
            why = session.merge(ground.reason)
            kept = appointments.booked(a_patient("UN"), why, ground.opened, 0)
            gone = appointments.booked(a_patient("DEUX"), why, ground.opened, 2)
            actions.cancel_for_patient(gone, "patient_asked")
            until = ground.opened.start_at - timedelta(days=2)
            actions.keep_for(a_patient("TROIS").id, why.id, Slot(ground.opened.id, 4), until, "proposal")
            reasons.change(why, {"most_a_session": 2})
        assert limits() == [(2, 2)]
        with pytest.raises(SlotTaken), db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot(8))
        with prepared():
            actions.cancel_for_patient(session.get_one(Appointment, kept.id), "patient_asked")
        with db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot(8))
        assert limits() == [(2, 2)]

    def test_a_session_with_more_keeps_everybody(self, ground: Ground) -> None:
        with prepared():
            why = session.merge(ground.reason)
            for cell, name in enumerate(("UN", "DEUX", "TROIS")):
                appointments.booked(a_patient(name), why, ground.opened, cell * 2)
            reasons.change(why, {"most_a_session": 1})
        assert limits() == [(1, 3)]
        assert [each.state for each in rows(Appointment)] == ["booked"] * 3

    def test_a_session_with_a_limit_of_its_own_keeps_it(self, ground: Ground) -> None:
        with prepared():
            session.execute(update(SessionReason).values(most=7))
            reasons.change(session.merge(ground.reason), {"most_a_session": 2})
        assert limits() == [(7, 0)]

    def test_no_limit_again(self, ground: Ground) -> None:
        with prepared():
            reasons.change(session.merge(ground.reason), {"most_a_session": 1})
            reasons.change(session.merge(ground.reason), {"most_a_session": None})
            for cell, name in enumerate(("UN", "DEUX")):
                appointments.booked(a_patient(name), session.merge(ground.reason), ground.opened, cell * 2)
        assert limits()[0][0] is None

    def test_what_was_miscounted_is_counted_again(self, ground: Ground) -> None:
        with prepared():
            reasons.change(session.merge(ground.reason), {"most_a_session": 5})
            appointments.booked(a_patient("UN"), session.merge(ground.reason), ground.opened)
            session.execute(update(SessionReason).values(taken=4))
            assert (reasons.recount(), reasons.recount()) == (1, 0)
        assert limits() == [(5, 1)]


class TestChanging:
    def test_a_longer_duration_is_for_those_who_book_next(self, ground: Ground) -> None:
        with prepared():
            booked = appointments.booked(a_patient("UN"), session.merge(ground.reason), ground.opened, 2)
            reasons.change(session.merge(ground.reason), {"duration_min": 60})
            page = queries.open_slots(
                why := session.get_one(Reason, ground.reason.id), why.window("web", db.now()), ground.opened.local_date
            )
            cells = [each.slot.first_cell for day in page.days.values() for each in day]
        assert cells == [4, 8]
        (after,) = rows(Appointment)
        assert (after.start_at, after.end_at) == (booked.start_at, booked.end_at)

    def test_a_closed_reason_is_booked_by_no_patient(self, ground: Ground) -> None:
        with prepared():
            reasons.close(session.merge(ground.reason))
        with pytest.raises(actions.NotBookable), db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot())

    def test_another_hospitals_resources_are_not_needed(self, ground: Ground) -> None:
        with prepared():
            far = hospitals.hospital("990000025").establishment.id
            pool = resources.pool(far, "room", "Salles", "A")
            reasons.change(session.merge(ground.reason), {}, [pool.id])
        with db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot())


class TestTeleconsultation:
    @pytest.fixture
    def remote(self, ground: Ground) -> Appointment:
        with prepared():
            why = session.get_one(Reason, ground.reason.id)
            why.is_remote, why.link = True, "https://visio.example.org/{reference}"
            return appointments.booked(ground.patient, why, ground.opened)

    def link(self, appointment: Appointment, now: datetime) -> str:
        with prepared():
            return remote_link(session.get_one(Appointment, appointment.id), now)

    def test_is_shown_from_the_day_before_until_it_is_over(self, ground: Ground, remote: Appointment) -> None:
        day_before = ground.opened.local_date - timedelta(days=1)
        midnight = calendar.to_utc(day_before, time(), ground.hospital.establishment.tz)
        assert midnight is not None
        own = f"https://visio.example.org/{remote.reference}"
        assert self.link(remote, midnight - timedelta(seconds=1)) == ""
        assert self.link(remote, midnight) == own
        assert self.link(remote, remote.end_at) == own
        assert self.link(remote, remote.end_at + timedelta(hours=1)) == ""

    def test_takes_place_in_the_practitioners_own_room(self, ground: Ground, remote: Appointment) -> None:
        with prepared():
            doctor, here = remote.practitioner_id, remote.establishment_id
            session.add(RemoteRoom(practitioner_id=doctor, establishment_id=here, link="https://visio.example.org/dr"))
        assert self.link(remote, remote.start_at) == "https://visio.example.org/dr"

    def test_is_not_shown_once_cancelled(self, ground: Ground, remote: Appointment) -> None:
        with prepared():
            actions.cancel_for_patient(session.get_one(Appointment, remote.id), "patient_asked")
        assert self.link(remote, remote.start_at) == ""

    def test_has_no_link_when_one_comes_in_person(self, ground: Ground, remote: Appointment) -> None:
        with prepared():
            session.get_one(Reason, ground.reason.id).is_remote = False
        assert self.link(remote, remote.start_at) == ""

    @pytest.mark.parametrize(
        "link",
        [
            "https://visio.example.org", "https://visio.example.org/{reference}?lang=fr#room",
            "https://visio.example.org:8443/a-b_c~d",
        ],
    )  # fmt: skip
    def test_takes_https_addresses(self, link: str) -> None:
        assert is_safe_link(link)

    @pytest.mark.parametrize(
        "link",
        [
            "", "visio.example.org", "http://visio.example.org", "HTTPS:visio", "https:///room", "https://a@b/",
            "https://[/", "https://visio.example.org:99999/", "https://visio.example.org/é", "//a",
            "https://visio.example.org/ a", "https://visio.example.org/{name}", "https://visio.example.org/<script>",
            "https://b\\a", "data:text/html,a",
        ],
    )  # fmt: skip
    def test_takes_nothing_else(self, link: str) -> None:
        assert not is_safe_link(link)


class TestWhoSeesWhat:
    @pytest.fixture
    def room(self, ground: Ground) -> RemoteRoom:
        with prepared():
            doctor, here = ground.hospital.practitioner.id, ground.hospital.establishment.id
            made = RemoteRoom(practitioner_id=doctor, establishment_id=here, link="https://visio.example.org/dr")
            session.add(made)
            session.execute(insert(OutsideSession).values(one_more(here, "S1")))
            return made

    def test_a_practitioners_room_is_for_those_they_receive(self, ground: Ground, room: RemoteRoom) -> None:
        with db.transaction(ground.actor):
            assert session.scalar(select(func.count()).select_from(RemoteRoom)) == 0
            actions.book(ground.patient.id, ground.reason.id, ground.slot())
        with db.transaction(ground.actor):
            assert session.scalar(select(func.count()).select_from(RemoteRoom)) == 1

    @pytest.mark.parametrize("who", ["anonymous", "patient", "other_hospital", "other_right"])
    def test_nobody_else_sees_or_writes(self, ground: Ground, room: RemoteRoom, who: str) -> None:
        with prepared():
            here, far = ground.hospital.establishment.id, hospitals.hospital("990000025").establishment.id
            agent, clerk = people.agent(far, "appointments"), people.agent(here, "billing")
        actor = {
            "anonymous": db.ANONYMOUS,
            "patient": ground.actor,
            "other_hospital": people.as_agent(agent, far, "appointments"),
            "other_right": people.as_agent(clerk, here, "billing"),
        }[who]
        with db.transaction(actor):
            for table in (RemoteRoom, OutsideSession):
                assert session.scalar(select(func.count()).select_from(table)) == 0
                assert session.scalars(delete(table).returning(literal(1))).all() == []
        with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(actor):
            session.execute(insert(OutsideSession).values(one_more(here)))
