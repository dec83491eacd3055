"""An agent describes why patients come; nothing they change touches who is booked already."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.audit import AuditEvent
from portal.db import session
from services.appointments.models import Appointment, Reason, ReasonPool, SessionReason
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people, reasons
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
MOST_STATEMENTS = 12


@dataclass(frozen=True)
class Desk:
    hospital: Hospital
    elsewhere: Hospital
    reason: Reason
    agent: FlaskClient

    @property
    def page(self) -> str:
        return f"/admin/motifs/{self.reason.id}"


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> Desk:
    with prepared():
        where, elsewhere = hospitals.hospital(), hospitals.hospital("990000025", "Hôpital du Sud")
        why = appointments.reason(where.unit, name="Bilan")
        appointments.reason(elsewhere.unit, name="Ailleurs")
        agent = people.agent(where.establishment.id, "appointments")
    return Desk(where, elsewhere, why, sign_in(agent))


def typed(desk: Desk, **changed: Any) -> dict[str, Any]:
    """A whole form, as a browser sends it."""
    return {
        "once": str(uuid4()),
        "unit": str(desk.hospital.unit.id),
        "name": "Première consultation",
        "position": "0",
        "duration_min": "30",
        "grid_min": "0",
        "pause_min": "0",
        "max_to_come": "2",
        "min_delay_hours": "24",
        "min_delay_business_days": "0",
        "max_delay_days": "180",
        "cancel_cutoff_hours": "24",
        "come_before_min": "0",
        "bookable_online": "y",
        "open_to_new_patients": "y",
    } | changed


def named(name: str) -> Reason:
    (found,) = [each for each in rows(Reason) if each.name == name]
    return found


class TestDescribing:
    def test_writes_every_answer_down(self, desk: Desk) -> None:
        said = typed(
            desk, speciality="Cardiologie", grid_min="15", pause_min="5", most_a_session="3", open_to_city="y",
            by_referral_only="y", min_age="16", max_age="75", instructions="À jeun\r\ndepuis minuit", to_bring="Carte",
            pieces=["identity", "health_card"], price="30 €, remboursés à 70 %", come_before_min="10",
            arrival="Porte B", is_remote="y", link="https://visio.example.org/{reference}", questionnaire="QCARD1",
        )  # fmt: skip
        answer = desk.agent.post("/admin/motifs/nouveau", data=said)
        made = named("Première consultation")
        assert answer.status_code == 303
        assert answer.headers["Location"].endswith(f"/admin/motifs/{made.id}")
        assert (made.most_a_session, made.min_age, made.max_age, made.pieces) == (
            3,
            16,
            75,
            ["health_card", "identity"],
        )
        assert (made.instructions, made.arrival, made.open_to_city) == ("À jeun\ndepuis minuit", "Porte B", True)
        page = desk.agent.get(f"/admin/motifs/{made.id}").text
        for words in ("À jeun", "Porte B", "30 €, remboursés à 70 %", "Come 10 minutes before", "QCARD1"):
            assert words in page
        assert "reason.created" in audited()

    @pytest.mark.parametrize(
        ("field", "typed_", "message"),
        [
            ("name", "", "Give the reason a name"),
            ("name", "x" * 121, "120 characters at most"),
            ("duration_min", "", "between 5 and 900"),
            ("duration_min", "4", "between 5 and 900"),
            ("duration_min", "9" * 30, "between 5 and 900"),
            ("duration_min", "trente", "Write a whole number"),
            ("most_a_session", "0", "between 1 and 99"),
            ("max_delay_days", "0", "between 1 and 730"),
            ("link", "http://visio.example.org/x", "begins with https://"),
            ("link", "https://", "begins with https://"),
            ("link", "javascript:alert(1)", "begins with https://"),
            ("link", "https://user:secret@visio.example.org/", "begins with https://"),
            ("link", "https://visio.example.org/{patient}", "begins with https://"),
            ("link", "https://visio.example.org/\n", None),
            ("price", "\x00", "plain text"),
            ("pieces", "passport", "papers listed"),
            ("pools", "00000000-0000-4000-8000-000000000000", "resources listed"),
            ("unit", "00000000-0000-4000-8000-000000000000", "Choose the unit"),
        ],
    )
    def test_says_what_is_wrong(self, desk: Desk, field: str, typed_: str, message: str | None) -> None:
        answer = desk.agent.post("/admin/motifs/nouveau", data=typed(desk, **{field: typed_}))
        assert answer.status_code == (422 if message else 303)
        assert message is None or message in answer.text
        assert count(Reason) == (2 if message else 3)

    def test_refuses_ages_upside_down(self, desk: Desk) -> None:
        answer = desk.agent.post("/admin/motifs/nouveau", data=typed(desk, min_age="60", max_age="18"))
        assert answer.status_code == 422
        assert "The oldest age is below the youngest one" in answer.text

    def test_refuses_a_name_that_the_unit_has(self, desk: Desk) -> None:
        answer = desk.agent.post("/admin/motifs/nouveau", data=typed(desk, name="BILAN"))
        assert answer.status_code == 409
        assert "already has a reason of this name" in answer.text

    def test_sent_twice_makes_one(self, desk: Desk) -> None:
        said = typed(desk)
        first, second = (desk.agent.post("/admin/motifs/nouveau", data=said) for _ in range(2))
        assert first.headers["Location"] == second.headers["Location"]
        assert count(Reason) == 3

    def test_reaches_no_unit_of_another_hospital(self, desk: Desk) -> None:
        said = typed(desk, unit=str(desk.elsewhere.unit.id))
        assert desk.agent.post("/admin/motifs/nouveau", data=said).status_code == 422
        assert count(Reason) == 2


class TestChanging:
    def test_says_before_and_after_in_the_journal(self, desk: Desk) -> None:
        said = typed(desk, name="Bilan", duration_min="45", instructions="À jeun")
        assert desk.agent.post(f"{desk.page}/modifier", data=said).status_code == 303
        (event,) = [each for each in rows(AuditEvent) if each.action == "reason.changed"]
        assert event.details["duration_min"] == "30 → 45"
        assert event.details["instructions"] == "changed"
        assert "name" not in event.details

    def test_saved_as_it_was_is_no_change(self, desk: Desk) -> None:
        said = typed(desk, name="Bilan", min_delay_hours="0", max_delay_days="365", max_to_come="0", open_to_city="y")
        assert desk.agent.post(f"{desk.page}/modifier", data=said).status_code == 303
        assert "reason.changed" not in audited()

    def test_a_longer_duration_leaves_appointments_as_they_are(self, desk: Desk) -> None:
        with prepared():
            opened = appointments.consultation(desk.hospital, [session.merge(desk.reason)])
            booked = appointments.booked(people.patient("LE GOFF"), session.merge(desk.reason), opened)
        desk.agent.post(f"{desk.page}/modifier", data=typed(desk, name="Bilan", duration_min="60"))
        (after,) = rows(Appointment)
        assert (after.start_at, after.end_at, after.n_cells) == (booked.start_at, booked.end_at, booked.n_cells)
        assert "One appointment to come keeps its time" in desk.agent.get(f"{desk.page}/modifier").text

    def test_says_which_resources_it_needs(self, desk: Desk) -> None:
        with prepared():
            pool = reasons.pool(desk.hospital.establishment.id, "device", "Échographes", "E1")
            reasons.pool(desk.elsewhere.establishment.id, "device", "Du Sud", "S1")
        page = desk.agent.get(f"{desk.page}/modifier").text
        assert "Échographes" in page
        assert "Du Sud" not in page
        desk.agent.post(f"{desk.page}/modifier", data=typed(desk, name="Bilan", pools=[str(pool.id)]))
        assert [row.pool_id for row in rows(ReasonPool)] == [pool.id]
        desk.agent.post(f"{desk.page}/modifier", data=typed(desk, name="Bilan"))
        assert rows(ReasonPool) == []

    def test_a_new_limit_counts_who_is_there(self, desk: Desk) -> None:
        with prepared():
            why = session.merge(desk.reason)
            opened = appointments.consultation(desk.hospital, [why])
            for cell, name in ((0, "UN"), (2, "DEUX")):
                appointments.booked(people.patient(name), why, opened, cell)
        desk.agent.post(f"{desk.page}/modifier", data=typed(desk, name="Bilan", most_a_session="2"))
        assert [(row.most, row.taken) for row in rows(SessionReason)] == [(2, 2)]


class TestClosing:
    def test_hides_it_and_keeps_its_appointments(self, desk: Desk) -> None:
        with prepared():
            opened = appointments.consultation(desk.hospital, [session.merge(desk.reason)])
            appointments.booked(people.patient("LE GOFF"), session.merge(desk.reason), opened)
        assert desk.agent.post(f"{desk.page}/fermer").status_code == 303
        assert "Bilan" not in FlaskClient(desk.agent.application).get("/rendez-vous/choisir").text
        assert "Bilan" not in desk.agent.get("/admin/motifs").text
        assert "Bilan" in desk.agent.get("/admin/motifs?closed=1").text
        assert [each.state for each in rows(Appointment)] == ["booked"]
        desk.agent.post(f"{desk.page}/fermer")
        assert audited().count("reason.closed") == 1

    def test_opens_again(self, desk: Desk) -> None:
        desk.agent.post(f"{desk.page}/fermer")
        desk.agent.post(f"{desk.page}/rouvrir")
        assert named("Bilan").closed_at is None

    def test_opens_again_unless_its_name_was_taken(self, desk: Desk) -> None:
        desk.agent.post(f"{desk.page}/fermer")
        desk.agent.post("/admin/motifs/nouveau", data=typed(desk, name="Bilan"))
        answer = desk.agent.post(f"{desk.page}/rouvrir", follow_redirects=True)
        assert "already has a reason of this name" in answer.text


class TestCopying:
    def test_takes_the_rules_and_is_closed_to_everybody(self, desk: Desk) -> None:
        answer = desk.agent.post(f"{desk.page}/copier", data={"once": str(uuid4()), "name": "Bilan court"})
        made = named("Bilan court")
        assert answer.headers["Location"].endswith(f"/admin/motifs/{made.id}/modifier")
        assert (made.duration_min, made.bookable_online, made.open_to_city) == (30, False, False)

    def test_wants_another_name(self, desk: Desk) -> None:
        again = {"once": str(uuid4()), "name": "Bilan"}
        assert desk.agent.post(f"{desk.page}/copier", data=again).status_code == 409
        assert desk.agent.post(f"{desk.page}/copier", data={"once": str(uuid4()), "name": " "}).status_code == 422


class TestListing:
    def test_by_unit_word_and_nothing(self, desk: Desk) -> None:
        listed = desk.agent.get("/admin/motifs").text
        assert "Bilan" in listed
        assert "Ailleurs" not in listed
        assert "Bilan" in desk.agent.get("/admin/motifs?q=bil").text
        assert "No reason answers this search" in desk.agent.get("/admin/motifs?q=xyz").text
        assert "No reason is closed" in desk.agent.get("/admin/motifs?closed=1").text
        assert desk.agent.get(f"/admin/motifs?unit={desk.elsewhere.unit.id}").status_code == 404

    def test_goes_up_in_the_order_patients_see(self, desk: Desk) -> None:
        with prepared():
            second = appointments.reason(desk.hospital.unit, name="Contrôle")
        desk.agent.post(f"/admin/motifs/{second.id}/monter")
        assert (named("Contrôle").position, named("Bilan").position) == (0, 1)
        desk.agent.post(f"/admin/motifs/{second.id}/monter")
        assert audited().count("reason.changed") == 1

    def test_asks_the_database_little_whatever_there_is(self, app: Flask, desk: Desk) -> None:
        with prepared():
            for number in range(40):
                appointments.reason(desk.hospital.unit, name=f"Motif {number}")
        for address in ("/admin/motifs", desk.page, f"{desk.page}/modifier"):
            with executed(app) as statements:
                assert desk.agent.get(address).status_code == 200
            assert len(statements) <= MOST_STATEMENTS, address


class TestWho:
    @pytest.mark.parametrize("path", ["", "/modifier"])
    def test_no_agent_reads_another_hospitals(self, desk: Desk, path: str) -> None:
        with prepared():
            other = session.scalars(select(Reason).where(Reason.name == "Ailleurs")).one().id
        assert desk.agent.get(f"/admin/motifs/{other}{path}").status_code == 404

    @pytest.mark.parametrize("path", ["fermer", "rouvrir", "monter", "copier", "modifier"])
    def test_no_agent_changes_another_hospitals(self, desk: Desk, path: str) -> None:
        with prepared():
            other: UUID = session.scalars(select(Reason).where(Reason.name == "Ailleurs")).one().id
        assert desk.agent.post(f"/admin/motifs/{other}/{path}", data=typed(desk)).status_code == 404

    def test_another_right_does_not_do(self, desk: Desk, sign_in: SignIn) -> None:
        with prepared():
            clerk = people.agent(desk.hospital.establishment.id, "billing")
        assert sign_in(clerk).get("/admin/motifs").status_code == 403


class TestWhatPatientsRead:
    def test_ages_papers_and_arrival_before_and_after_booking(self, desk: Desk) -> None:
        said = typed(
            desk, name="Bilan", min_age="6", max_age="15", pieces=["health_card"], to_bring="Lunettes",
            min_delay_hours="0", max_delay_days="365", open_to_city="y",
        )  # fmt: skip
        desk.agent.post(f"{desk.page}/modifier", data=said)
        with prepared():
            appointments.consultation(desk.hospital, [session.get_one(Reason, desk.reason.id)])
        public = desk.agent.application.test_client()
        for page in (desk.agent.get(desk.page), public.get(f"/rendez-vous/choisir-un-creneau?reason={desk.reason.id}")):
            for words in ("From 6 to 15 years old", "Carte Vitale or certificate of rights", "Lunettes"):
                assert words in page.text, page.request.path

    def test_the_way_to_its_reminders(self, desk: Desk) -> None:
        assert f"/admin/rappels/motif/{desk.reason.id}" in desk.agent.get(desk.page).text
