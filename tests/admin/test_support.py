"""Support mode: the person lets it, sees it and ends it; the agent sees their screens for a quarter of an hour."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError, NoResultFound

from auth.models import Account, Patient
from auth.support import actions, queries
from auth.support.actions import NotAsked
from auth.support.models import SupportSession
from portal import audit, db
from portal.db import session
from portal.message_texts import kinds
from portal.notifications import Notification
from services.appointments.models import Appointment
from tests.english import in_english  # noqa: F401 - each browser of this module speaks English
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows
from tests.pages import parsed

SignIn = Callable[[Account], FlaskClient]
WORDS = "Elle ne trouve pas son prochain rendez-vous."


@dataclass(frozen=True)
class Desk:
    """Soline gives support at the north; Jeanne calls; Aude watches; Sam is next door."""

    north: Hospital
    agent: Account
    colleague: Account
    stranger: Account
    auditor: Account
    own: Account
    patient: Patient
    child: Patient

    @property
    def question(self) -> str:
        return f"/admin/assistance/demander/{self.north.establishment.id}/{self.patient.id}"


@pytest.fixture
def desk(app: Flask) -> Desk:
    with prepared():
        north, south = hospitals.hospital(), hospitals.hospital("990000025", "Hôpital du sud")
        own, patient = people.patient_with_account()
        child = people.patient("MARTIN", ("ZOÉ",))
        for each in (patient, child):
            people.known_at(each, north.establishment.id, "8001" if each is patient else "8002")
        made = Desk(
            north,
            people.agent(north.establishment.id, "support", name="Soline Soutien"),
            people.agent(north.establishment.id, "support", "appointments", name="Colin Collègue"),
            people.agent(south.establishment.id, *db.RIGHTS, name="Sam Sud"),
            people.agent(north.establishment.id, "audit", name="Aude Auditrice"),
            own,
            patient,
            child,
        )
        own.locale = "en"
        for staff in (made.agent, made.colleague, made.stranger, made.auditor):
            staff.email = f"{staff.name.split()[0].lower()}@hopital.test"
        return made


def answer(**changed: Any) -> dict[str, Any]:
    usual = {"kind": "cannot_find", "words": WORDS, "presence": "phone", "once": str(uuid4())}
    return usual | changed


def asked(desk: Desk, browser: FlaskClient, **changed: Any) -> SupportSession:
    """Ask, and return what was written."""
    answered = browser.post(desk.question, data=answer(**changed))
    assert answered.status_code == 303, answered.text
    return rows(SupportSession)[-1]


def opened(desk: Desk, browser: FlaskClient) -> SupportSession:
    """With the person's code."""
    one = asked(desk, browser)
    assert browser.post(f"/admin/assistance/{one.id}", data={"code": one.code}).status_code == 303
    return rows(SupportSession)[-1]


def aged(one: SupportSession, **moments: timedelta) -> None:
    """As if that much time had passed."""
    with prepared():
        values = {name: getattr(SupportSession, name) - past for name, past in moments.items()}
        session.execute(update(SupportSession).where(SupportSession.id == one.id).values(values))


def test_the_person_reads_a_code_out_and_the_agent_sees_their_pages(desk: Desk, sign_in: SignIn) -> None:
    browser = sign_in(desk.agent)
    found = browser.post("/admin/assistance", data={"establishment": str(desk.north.establishment.id), "ipp": "8001"})
    assert desk.question in found.text
    one = asked(desk, browser)
    place = f"/admin/assistance/{one.id}"
    assert one.code not in browser.get(place).text, "the agent is told it, and does not read it"
    theirs = sign_in(desk.own)
    for page in ("/mon-compte", "/mon-compte/acces"):
        assert f"{one.code[:3]} {one.code[3:]}" in theirs.get(page).text
    assert browser.post(place, data={"code": f"{one.code[:3]} {one.code[3:]}"}).location == f"{place}/ecrans/"
    seen = browser.get(f"{place}/ecrans/mon-compte")
    assert "My account" in seen.text
    assert f"You see {desk.patient.full_name}’s screens" in seen.text
    assert "15 minutes are left" in seen.text
    assert "An agent sees your screens" in theirs.get("/mon-compte/acces").text
    assert rows(SupportSession)[-1].code == ""


def test_it_is_told_written_and_read_by_the_person(desk: Desk, sign_in: SignIn) -> None:
    browser = sign_in(desk.agent)
    one = opened(desk, browser)
    browser.get(f"/admin/assistance/{one.id}/ecrans/rendez-vous")
    browser.post(f"/admin/assistance/{one.id}/terminer")
    done = [action for action in audited() if action.startswith("support.")]
    assert done == ["support.asked", "support.opened", "support.looked", "support.ended"]
    mails = [each for each in rows(Notification) if each.recipient == desk.own.email]
    assert len(mails) == 2
    assert not any(WORDS in mail.body for mail in mails)
    page = sign_in(desk.own).get("/mon-compte/acces").text
    for words in ("Asked to see your screens", "Began to see your screens", "Looked at one of your screens"):
        assert words in page


def test_three_wrong_codes_and_it_no_longer_serves(desk: Desk, sign_in: SignIn) -> None:
    browser = sign_in(desk.agent)
    one = asked(desk, browser)
    place, wrong = f"/admin/assistance/{one.id}", f"{(int(one.code) + 1) % 1_000_000:06d}"
    for _time in range(3):
        assert browser.post(place, data={"code": wrong}).status_code == 422
    assert "No code came" in browser.post(place, data={"code": one.code}).text
    assert rows(SupportSession)[-1].opened_at is None
    assert audited().count("support.refused") == 3


def test_tries_made_at_the_same_moment_are_all_counted(desk: Desk, sign_in: SignIn) -> None:
    """Three pages that have all read “no try yet”: none of them is free, and the right code comes too late."""
    browser = sign_in(desk.agent)
    one = asked(desk, browser)
    for left in (2, 1, 0):
        with db.transaction(db.system("support.count_try")):
            assert actions.count_try(one.id).left == left
    assert browser.post(f"/admin/assistance/{one.id}", data={"code": one.code}).status_code == 422
    assert rows(SupportSession)[-1].opened_at is None


def test_no_code_opens_what_the_person_has_just_refused(desk: Desk, sign_in: SignIn) -> None:
    one = asked(desk, sign_in(desk.agent))
    with db.transaction(db.system("support.count_try")):
        counted = actions.count_try(one.id)
    sign_in(desk.own).post(f"/mon-compte/assistance/{one.id}/terminer")
    with pytest.raises(NotAsked), db.transaction(people.as_agent(desk.agent, desk.north.establishment.id, "support")):
        actions.open_with_code(session.get_one(SupportSession, one.id), one.code, counted)
    assert rows(SupportSession)[-1].opened_at is None
    assert rows(SupportSession)[-1].ended_by == "person"


def test_a_page_that_fails_stays_in_the_journal(
    desk: Desk, sign_in: SignIn, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_arguments: object) -> str:
        raise RuntimeError("a page of theirs is broken")

    browser = sign_in(desk.agent)
    one = opened(desk, browser)
    monkeypatch.setitem(app.view_functions, "my_appointments.mine", broken)
    answered = browser.get(f"/admin/assistance/{one.id}/ecrans/rendez-vous")
    assert "This screen is not shown" in answered.text
    assert "support.looked" in audited()
    assert sign_in(desk.own).get("/mon-compte/acces").text.count("Looked at one of your screens") == 1


def test_the_person_says_no_while_they_act_for_somebody_else(desk: Desk, sign_in: SignIn) -> None:
    with prepared():
        people.give_access(desk.own, desk.child, "parent")
    one = opened(desk, sign_in(desk.agent))
    theirs = sign_in(desk.own)
    assert theirs.post("/mon-compte/agir-pour", data={"patient_id": str(desk.child.id)}).status_code == 303
    assert f"/mon-compte/assistance/{one.id}/terminer" in theirs.get("/mon-compte").text
    assert theirs.post(f"/mon-compte/assistance/{one.id}/terminer").status_code == 303
    assert rows(SupportSession)[-1].ended_by == "person"
    assert sign_in(desk.colleague).post(f"/mon-compte/assistance/{one.id}/terminer").status_code == 404


def test_no_hospital_rewords_what_warns_of_its_own_agents(app: Flask) -> None:
    ours = [kind for kind in kinds.every() if kind.room == "support"]
    assert len(ours) == 3
    assert not any(kind.at_hospital for kind in ours)


def test_the_code_lives_five_minutes(desk: Desk, sign_in: SignIn) -> None:
    browser = sign_in(desk.agent)
    one = asked(desk, browser)
    aged(one, code_until=timedelta(minutes=6))
    browser.post(f"/admin/assistance/{one.id}", data={"code": one.code})
    assert rows(SupportSession)[-1].opened_at is None
    assert one.code not in sign_in(desk.own).get("/mon-compte/acces").text


def test_without_the_person_a_second_reason_is_needed_and_an_auditor_reads_it(desk: Desk, sign_in: SignIn) -> None:
    browser = sign_in(desk.agent)
    refused = browser.post(desk.question, data=answer(presence="alone"))
    assert refused.status_code == 422
    assert "Choose why you look without them" in refused.text
    one = asked(
        desk, browser, presence="alone", alone_kind="report", alone_words="Panne signalée par courrier ce matin."
    )
    assert one.opened_at is not None
    assert one.is_alone
    assert browser.get(f"/admin/assistance/{one.id}/ecrans/").status_code == 200
    page = sign_in(desk.auditor).get("/admin/assistance/registre?sans-la-personne=1").text
    assert "Panne signalée" in page
    assert "Soline Soutien" in page
    assert "An agent sees your screens" in sign_in(desk.own).get("/mon-compte/acces").text


def test_it_ends_by_the_person_the_agent_or_the_clock(desk: Desk, sign_in: SignIn) -> None:
    browser, theirs = sign_in(desk.agent), sign_in(desk.own)
    one = opened(desk, browser)
    screen = f"/admin/assistance/{one.id}/ecrans/rendez-vous"
    assert browser.get(screen).status_code == 200
    assert theirs.post(f"/mon-compte/assistance/{one.id}/terminer").status_code == 303
    assert browser.get(screen).status_code == 303
    assert rows(SupportSession)[-1].ended_by == "person"
    second = opened(desk, browser)
    aged(second, ends_at=timedelta(minutes=16))
    assert browser.get(f"/admin/assistance/{second.id}/ecrans/rendez-vous").status_code == 303
    third = opened(desk, browser)
    browser.post(f"/admin/assistance/{third.id}/terminer")
    assert browser.get(f"/admin/assistance/{third.id}/ecrans/rendez-vous").status_code == 303


def test_nothing_can_be_sent_from_the_screens(desk: Desk, sign_in: SignIn) -> None:
    """No method but GET; files and steps are not shown; what the agent may not see stays so by its own address."""
    browser = sign_in(desk.agent)
    one = opened(desk, browser)
    base = f"/admin/assistance/{one.id}/ecrans"
    for path in ("/mon-compte/agir-pour", "/deconnexion", "/rendez-vous/confirmer"):
        assert browser.post(f"{base}{path}", data={"patient_id": str(desk.child.id)}).status_code == 405
    before = audited().count("support.looked")
    for path in (
        "/mon-compte/acces/telecharger.csv",
        "/admin/",
        "/mon-compte/securite",
        "/documents/envoyer",
        "/nulle",
    ):
        seen = browser.get(f"{base}{path}")
        assert seen.mimetype == "text/html"
        assert "script-src 'none'" not in seen.headers["Content-Security-Policy"], path
    assert audited().count("support.looked") == before + 5
    assert browser.get("/mon-compte/acces").status_code == 403, "the agent’s own session is still theirs"
    assert browser.get("/admin/assistance").status_code == 200


def test_a_browser_cannot_say_that_it_is_watched(desk: Desk, client: FlaskClient) -> None:
    for header in ("parvis.watched", "Parvis-Watched", "HTTP_PARVIS_WATCHED"):
        assert client.get("/mon-compte", headers={header: "1"}).status_code == 303


def test_reasons_and_units_are_blanked_and_what_is_masked_is_absent(desk: Desk, sign_in: SignIn) -> None:
    with prepared():
        why = appointments.reason(desk.north.unit)
        consultation = appointments.consultation(desk.north, [why])
        shown = appointments.booked(desk.patient, why, consultation)
        hidden = appointments.booked(desk.patient, why, consultation, 4)
        session.execute(update(Appointment).where(Appointment.id == hidden.id).values(masked=True))
        reason, unit = shown.reason.name, shown.unit.name
    browser = sign_in(desk.agent)
    one = opened(desk, browser)
    page = browser.get(f"/admin/assistance/{one.id}/ecrans/rendez-vous").text
    assert str(shown.id) in page
    assert "•••••" in page
    assert reason not in page
    assert unit not in page
    assert str(hidden.id) not in page
    theirs = sign_in(desk.own).get("/rendez-vous").text
    assert str(hidden.id) in theirs
    assert reason in theirs


def test_who_has_no_account_has_no_screens_and_nobody_looks_at_their_own(desk: Desk, sign_in: SignIn) -> None:
    browser = sign_in(desk.agent)
    place = f"/admin/assistance/demander/{desk.north.establishment.id}/{desk.child.id}"
    assert "has no account" in browser.post(place, data=answer()).text
    with prepared():
        session.execute(update(Account).where(Account.id == desk.agent.id).values(email=desk.own.email))
    assert "your own account" in browser.post(desk.question, data=answer()).text
    assert rows(SupportSession) == []


def test_who_opened_the_file_is_hidden_and_not_said_to_be_nobody(desk: Desk, sign_in: SignIn) -> None:
    with prepared():
        why = appointments.reason(desk.north.unit)
        appointments.booked(desk.patient, why, appointments.consultation(desk.north, [why]))
        audit.record("appointment.booked", patient_id=desk.patient.id, object_kind="appointment")
    browser = sign_in(desk.agent)
    one = opened(desk, browser)
    page = browser.get(f"/admin/assistance/{one.id}/ecrans/mon-compte/acces").text
    assert "Booked" in page
    assert "•••••" in page
    assert "not signed in" not in page


def test_others_see_nothing_of_it(desk: Desk, sign_in: SignIn) -> None:
    one = opened(desk, sign_in(desk.agent))
    for other in (desk.colleague, desk.stranger):
        browser = sign_in(other)
        for address in (f"/admin/assistance/{one.id}", f"/admin/assistance/{one.id}/ecrans/"):
            assert browser.get(address).status_code == 404
    assert sign_in(desk.stranger).get(desk.question).status_code == 404
    assert "Soline" not in sign_in(desk.stranger).get("/admin/assistance/registre").text
    assert sign_in(desk.auditor).get("/admin/assistance").status_code == 403
    assert sign_in(desk.agent).get("/admin/assistance/registre").status_code == 403


def test_the_register_is_read_page_after_page(desk: Desk, sign_in: SignIn) -> None:
    """Nothing that support saw falls off its end: who answers for accesses reads all of it, the latest first."""
    here = desk.north.establishment.id
    with prepared():
        for number in range(120):
            asked_at, alone = db.now() - timedelta(days=1, minutes=number), bool(number % 2)
            one = SupportSession(
                establishment_id=here, patient_id=desk.patient.id, person_account_id=desk.own.id,
                account_id=desk.agent.id, agent_name="Soline Soutien", kind="other", words=f"Motif {number:03d}.",
                asked_at=asked_at, code_until=asked_at + timedelta(minutes=5),
                alone_kind="report" if alone else "", alone_words="Panne." if alone else "",
            )  # fmt: skip
            session.add(one)
    auditor, seen = sign_in(desk.auditor), list[str]()
    address: str | None = "/admin/assistance/registre"
    while address:
        page = parsed(auditor.get(address).text)
        seen += re.findall(r"Motif (\d{3})", page.text_content())
        address = next(iter(page.xpath("//a[@rel='next']/@href")), None)
    assert seen == [f"{number:03d}" for number in range(120)]
    alone = parsed(auditor.get("/admin/assistance/registre?sans-la-personne=1").text)
    (following,) = alone.xpath("//a[@rel='next']/@href")
    assert "sans-la-personne=1" in following
    assert "Motif 118" not in auditor.get(following).text
    assert "Motif 119" in auditor.get(following).text
    assert "The register ends before this page" in auditor.get("/admin/assistance/registre?page=40").text
    assert auditor.get("/admin/assistance/registre?page=99999999999").status_code == 200


def test_the_database_holds_the_same(desk: Desk, sign_in: SignIn) -> None:
    """Another agent, another hospital and another patient read no row; an agent gives themselves no minute more."""
    one = opened(desk, sign_in(desk.agent))
    here = desk.north.establishment.id
    everybody = {
        "nobody": db.ANONYMOUS,
        "another patient": people.as_patient(desk.own, desk.child),
        "another agent": people.as_agent(desk.colleague, here, "support", "identity"),
    }
    for who, actor in everybody.items():
        with db.transaction(actor):
            assert session.scalars(select(SupportSession)).all() == [], who
    for reader in (people.as_agent(desk.auditor, here, "audit"), people.as_patient(desk.own, desk.patient)):
        with db.transaction(reader):
            assert len(session.scalars(select(SupportSession)).all()) == 1
    with db.transaction(people.as_agent(desk.agent, here, "support")):
        longer = update(SupportSession).where(SupportSession.id == one.id)
        changed = session.execute(longer.values(ends_at=db.now() + timedelta(hours=9)))
        assert changed.rowcount == 0  # type: ignore[attr-defined]  # a cursor's result
    chosen = {"code": "123456", "code_until": db.now() + timedelta(minutes=5)}
    for facts in ({"opened_at": db.now(), "ends_at": db.now() + timedelta(hours=9)}, chosen):
        forged = SupportSession(
            establishment_id=here, patient_id=desk.patient.id, person_account_id=desk.own.id, account_id=desk.agent.id,
            agent_name="", kind="other", words="", **facts,
        )  # fmt: skip
        with pytest.raises(DBAPIError), db.transaction(people.as_agent(desk.agent, here, "support")):
            session.add(forged)


def test_pages_cost_few_statements(desk: Desk, sign_in: SignIn, statements: Callable[[], Any]) -> None:
    browser = sign_in(desk.agent)
    one = opened(desk, browser)
    auditor = sign_in(desk.auditor)
    for reader, address, most in (
        (browser, "/admin/assistance", 8),
        (browser, f"/admin/assistance/{one.id}", 8),
        (auditor, "/admin/assistance/registre", 8),
    ):
        reader.get(address)
        with statements() as seen:
            assert reader.get(address).status_code == 200
        assert len(seen) <= most, "\n".join(seen)


def test_another_question_ends_the_former_look(desk: Desk, sign_in: SignIn) -> None:
    browser = sign_in(desk.agent)
    first = opened(desk, browser)
    asked(desk, browser)
    assert browser.get(f"/admin/assistance/{first.id}/ecrans/").status_code == 303
    with db.transaction(people.as_patient(desk.own, desk.patient)):
        assert len(queries.of_person(desk.patient.id)) == 1
    with pytest.raises(NoResultFound), db.transaction(people.as_patient(desk.own, desk.child)):
        session.execute(select(SupportSession)).one()
