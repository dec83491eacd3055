"""Agents answer requests: what is missing is asked for, what is answered reaches the applicant and nobody else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from auth.models import Account
from portal import catalog, db, establishments
from portal.db import ANONYMOUS, Actor, session
from portal.notifications import Notification
from services.documents.models import Document
from services.documents.requests import actions, queries, states
from services.documents.requests.actions import ChangedMeanwhile, NotThere, ProofMissing, StillReflecting
from services.documents.requests.actions.delivering import Item, Numbered
from services.documents.requests.models import (
    HospitalCertificate,
    RecordRequest,
    RecordRequestAnswer,
    RecordRequestChange,
    RecordRequestFile,
    RecordRequestMessage,
)
from services.documents.requests.queries import Desk
from services.documents.requests.states import NotAllowed
from tests.english import in_english as in_english
from tests.factories import documents, people, record_requests
from tests.ground import audited, prepared, rows
from tests.services.documents.conftest import Ground
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
TABLES = (
    RecordRequest,
    RecordRequestChange,
    RecordRequestMessage,
    RecordRequestFile,
    HospitalCertificate,
    RecordRequestAnswer,
)
TRAY, USERS = "/admin/documents/demandes", "/admin/usagers/demandes"


def ask(ground: Ground, kind: str = "record", days: int = 3, **more: Any) -> RecordRequest:
    """What the patient asked some days ago."""
    with prepared():
        place = establishments.by_finess(ground.hospital.establishment.finess)
        made = record_requests.sent(ground.patient, ground.account, place, kind, **more)
        if days:
            record_requests.aged(made, days)
    return made


def desk(ground: Ground, right: str = "documents") -> Desk:
    return Desk(right, frozenset({ground.here}))


def decided(ground: Ground, act: Callable[..., Any], asked: RecordRequest, *arguments: Any, **named: Any) -> Any:
    """An agent's gesture, on what they see now."""
    right = asked.desk
    with db.transaction(people.as_agent(ground.agent, ground.here, right)):
        now = session.scalar(select(RecordRequest.version).where(RecordRequest.id == asked.id))
        return act(desk(ground, right), asked.id, *arguments, version=now, **named)


def uploaded(actor: Actor, name: str = "dossier.pdf") -> Item:
    with db.transaction(actor):
        return Item(documents.stored(documents.pdf("Copie"), name).id, "Copie du dossier", "11490-0", "Lettre")


def now_of(asked: RecordRequest) -> RecordRequest:
    return next(each for each in rows(RecordRequest) if each.id == asked.id)


# -- answers -----------------------------------------------------------------------------------------------------


def test_the_copy_is_on_the_patients_shelf(ground: Ground) -> None:
    asked = ask(ground)
    decided(ground, actions.deliver, asked, [uploaded(ground.as_agent)], "Voici.")
    assert now_of(asked).state == "answered"
    assert now_of(asked).delivered_by == "shelf"
    with db.transaction(ground.as_patient):
        letter = session.scalars(select(Document)).one()
        assert (letter.title, letter.patient_id) == ("Copie du dossier", ground.patient.id)
    assert {"document.published", "record_request.answered"} <= set(audited())


def test_nothing_is_handed_over_before_forty_eight_hours(ground: Ground) -> None:
    asked, item = ask(ground, days=0), uploaded(ground.as_agent)
    with pytest.raises(StillReflecting):
        decided(ground, actions.deliver, asked, [item], "")
    assert not rows(Document)


def test_a_file_asked_again_was_reflected_upon_already(ground: Ground) -> None:
    asked = ask(ground)
    decided(ground, actions.deliver, asked, [uploaded(ground.as_agent)], "")
    with db.transaction(ground.as_patient):
        actions.reopen(session.get_one(RecordRequest, asked.id), "Il manque l’imagerie.")
    decided(ground, actions.deliver, asked, [uploaded(ground.as_agent)], "La voici.")
    assert now_of(asked).state == "answered"


def test_what_a_minor_keeps_secret_is_masked_on_the_shelf_too(ground: Ground) -> None:
    asked = ask(ground, masked=True)
    decided(ground, actions.deliver, asked, [uploaded(ground.as_agent)], "")
    (letter,) = rows(Document)
    assert letter.masked


def test_for_somebody_the_hospital_does_not_know_the_answer_is_beside_the_request(ground: Ground) -> None:
    with prepared():
        place = establishments.by_finess(ground.hospital.establishment.finess)
        asked = record_requests.sent(ground.other_patient, ground.other_account, place)
        record_requests.aged(asked, 3)
    decided(ground, actions.deliver, asked, [uploaded(ground.as_agent)], "")
    assert not rows(Document)
    with db.transaction(ground.as_other_patient):
        (joined,) = queries.files_of(asked.id)
        assert joined.file.state == "clean"


def test_a_refusal_says_why_and_where_to_appeal(ground: Ground, sign_in: SignIn) -> None:
    asked = ask(ground)
    decided(ground, actions.refuse, asked, "nothing_found", "Nous n’avons rien trouvé.")
    page = sign_in(ground.account).get(f"/documents/demandes/{asked.id}").text
    assert "holds nothing that answers" in page
    assert "CADA" in page
    assert "Nous n’avons rien trouvé." in page


def test_asking_for_a_proof_stops_the_clock_and_the_proof_starts_it_again(ground: Ground) -> None:
    asked = ask(ground, days=5)
    decided(ground, actions.ask_for, asked, ["identity"], "Votre pièce d’identité, s’il vous plaît.")
    assert now_of(asked).due_on is None
    with db.transaction(ground.as_patient):
        request = session.get_one(RecordRequest, asked.id)
        with pytest.raises(ProofMissing):
            actions.supply(request, "La voici.")
        stored = documents.stored()
        actions.join_proof(request, stored.id, "identity")
        actions.supply(request, "La voici.")
        assert request.due_on == request.today + timedelta(days=8)
    assert now_of(asked).missing == []


def test_a_late_answer_is_late_for_ever(ground: Ground) -> None:
    asked = ask(ground, days=12)
    decided(ground, actions.mark_sent, asked, "post", "")
    assert now_of(asked).was_late


def test_older_information_takes_two_months_from_the_same_day(ground: Ground) -> None:
    asked = ask(ground, days=3)
    decided(ground, actions.change_age, asked, is_old=True)
    with prepared():
        found = session.get_one(RecordRequest, asked.id)
        assert found.due_on == states.clock.last_day(found.sent_on, found.definition.old_term, "")  # type: ignore[arg-type]  # this kind has one


def test_two_agents_do_not_decide_on_one_another(ground: Ground) -> None:
    asked = ask(ground)
    with db.transaction(ground.as_agent), pytest.raises(ChangedMeanwhile):
        actions.take(desk(ground), asked.id, version=asked.version - 1)


def test_an_answered_request_is_answered_once(ground: Ground) -> None:
    asked = ask(ground)
    decided(ground, actions.mark_sent, asked, "post", "")
    with pytest.raises(NotAllowed):
        decided(ground, actions.mark_sent, asked, "post", "")


def test_thanks_are_passed_on(ground: Ground) -> None:
    asked = ask(ground, "thanks")
    decided(ground, actions.pass_on, asked, "Maternité")
    decided(ground, actions.answer_in_words, asked, "Merci, l’équipe est très touchée.")
    assert now_of(asked).facts["passed_to"] == "Maternité"


def test_the_applicant_is_told_without_a_word_of_what_it_is(ground: Ground, work_jobs: Callable[[], None]) -> None:
    asked = ask(ground, "complaint")
    decided(ground, actions.write, asked, "Nous cherchons ce qui s’est passé en cardiologie.")
    work_jobs()
    told = rows(Notification)
    assert told
    for each in told:
        assert "cardiologie" not in each.body
        assert "omplaint" not in each.subject + each.body
        assert ground.patient.birth_name not in each.body


# -- certificates ------------------------------------------------------------------------------------------------


def certified(ground: Ground, kind: str = "presence") -> HospitalCertificate:
    asked = ask(ground, kind, days=0)
    item = uploaded(ground.as_agent, "attestation.pdf")
    facts = record_requests.FACTS[kind]
    made: HospitalCertificate = decided(ground, actions.certify, asked, Numbered.drawn(), facts, item)
    return made


def test_anybody_checks_a_certificate_and_learns_no_name(ground: Ground, client: FlaskClient) -> None:
    made = certified(ground)
    page = client.get(f"/documents/attestations/verifier?number={made.number}&code={made.printed_code}").text
    assert "This certificate is genuine" in page
    assert "09:00" in page
    assert ground.patient.birth_name not in page


@pytest.mark.parametrize("change", [{"code": "AAAAAAAAAA"}, {"number": "C22222222"}])
def test_a_wrong_number_or_code_gets_the_same_answer(
    ground: Ground, client: FlaskClient, change: dict[str, str]
) -> None:
    made = certified(ground)
    page = client.get(
        "/documents/attestations/verifier", query_string={"number": made.number, "code": made.code} | change
    )
    assert "We know no certificate" in page.text


def test_a_revoked_certificate_holds_no_longer(ground: Ground, client: FlaskClient) -> None:
    made = certified(ground, "situation")
    with db.transaction(ground.as_agent):
        actions.revoke(desk(ground), made.request_id, made.id)
    page = client.get(f"/documents/attestations/verifier?number={made.number}&code={made.code}").text
    assert "holds no longer" in page


def test_an_agent_checks_the_facts_and_the_portal_writes_the_sheet(ground: Ground, sign_in: SignIn) -> None:
    asked, browser = ask(ground, "presence", days=0), sign_in(ground.agent)
    at = f"{TRAY}/{asked.id}/certifier"
    browser.get(at)
    version = now_of(asked).version
    typed = {
        "once": "6f3d3c0e-4a1f-4d64-8a6a-1f7a9a3f0b11",
        "version": str(version),
        "visit_on-day": "2",
        "visit_on-month": "3",
        "visit_on-year": "2026",
        "from_at": "9h00",
        "until_at": "10:30",
        "for_whom": "employer",
    }
    assert browser.post(at, data=typed).status_code == 422
    assert browser.post(at, data=typed | {"checked": "y"}).status_code == 303
    (made,) = rows(HospitalCertificate)
    assert made.facts["from_at"] == "09:00"
    (letter,) = rows(Document)
    assert made.number in letter.title


# -- who sees what -----------------------------------------------------------------------------------------------


@pytest.fixture
def filled(ground: Ground) -> Ground:
    """A file with a message, a proof and a certificate beside; a complaint; a prepared answer."""
    asked = ask(ground)
    with db.transaction(ground.as_patient):
        request = session.get_one(RecordRequest, asked.id)
        actions.join_proof(request, documents.stored().id, "other")
        actions.go_on(request, "Merci d’avance.")
    with prepared():
        place = establishments.by_finess(ground.hospital.establishment.finess)
        record_requests.sent(ground.patient, ground.account, place, "complaint")
    certified(ground)
    with db.transaction(ground.as_agent):
        actions.keep_answer(ground.here, "documents", "record", "Bonjour", "Bonjour.")
    return ground


def seen_by(actor: Actor) -> list[int]:
    with db.transaction(actor):
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]


def proxy(ground: Ground, *scopes: str) -> Actor:
    """A parent whose mandate reaches these matters."""
    mine = frozenset({ground.patient.id})
    told = {scope: mine if scope in scopes else frozenset() for scope in db.SCOPES}
    return replace(ground.as_other_patient, patients=mine, proxied=mine, scopes=told)


def test_each_desk_sees_its_own(filled: Ground) -> None:
    documents_desk = seen_by(filled.as_agent)
    users = seen_by(people.as_agent(filled.agent, filled.here, "administration"))
    assert (documents_desk[0], users[0]) == (2, 1)
    assert documents_desk[2:] == [1, 2, 1, 1]
    assert users[2:] == [0, 0, 0, 0]


def test_the_patient_sees_all_but_the_offices_own(filled: Ground) -> None:
    seen = seen_by(filled.as_patient)
    assert seen[0] == 3
    assert seen[5] == 0


@pytest.mark.parametrize(
    "who",
    [
        lambda ground: ground.as_other_patient,
        lambda ground: ground.as_other_agent,
        lambda ground: ground.as_professional,
        lambda ground: ANONYMOUS,
        lambda ground: people.as_agent(ground.agent, ground.here, "billing"),
    ],
    ids=["other patient", "other agent", "professional", "anybody", "billing"],
)
class TestAStranger:
    def test_sees_nothing(self, filled: Ground, who: Callable[[Ground], Actor]) -> None:
        assert seen_by(who(filled)) == [0] * len(TABLES)

    def test_writes_no_copy(self, filled: Ground, who: Callable[[Ground], Actor]) -> None:
        for table in TABLES:
            with db.transaction(db.system("tests")):
                row = dict(session.execute(select(*table.__table__.columns)).mappings().first() or {})
            row |= {"id": filled.other_patient.id} | {key: "COPY" for key in ("reference", "number") if key in row}
            refused = pytest.raises(DBAPIError, match=f'row-level security.* "{table.__tablename__}"')
            with refused, db.transaction(who(filled)):
                session.execute(insert(table).inline().values(row))

    def test_changes_nothing(self, filled: Ground, who: Callable[[Ground], Actor]) -> None:
        with db.transaction(who(filled)):
            changed = session.execute(update(RecordRequest).values(applicant_name="x"))
            dropped = session.execute(delete(RecordRequest))
        assert (changed.rowcount, dropped.rowcount) == (0, 0)  # type: ignore[attr-defined]  # a cursor's result


def test_a_mandate_shows_what_it_reaches(filled: Ground) -> None:
    def kinds(actor: Actor) -> list[str]:
        with db.transaction(actor):
            return sorted(session.scalars(select(RecordRequest.kind)))

    assert kinds(proxy(filled, "medical")) == ["record"]
    assert kinds(proxy(filled, "administrative")) == ["complaint", "presence"]
    assert kinds(proxy(filled, "payment")) == []


def test_what_is_masked_is_kept_from_a_parent(ground: Ground) -> None:
    ask(ground, masked=True)
    assert seen_by(proxy(ground, *db.SCOPES))[:4] == [0, 0, 0, 0]


def test_a_draft_is_nobodys_but_its_authors(ground: Ground) -> None:
    with db.transaction(ground.as_patient):
        place = establishments.by_finess(ground.hospital.establishment.finess)
        record_requests.drafted(ground.patient, place)
    assert seen_by(ground.as_agent)[0] == 0


def test_an_heir_sees_their_request_and_nobody_else_does(ground: Ground) -> None:
    with db.transaction(ground.as_patient):
        place = establishments.by_finess(ground.hospital.establishment.finess)
        traits = {"birth_name": "DEFUNT", "first_name": "Paul", "birth_on": date(1930, 1, 1)}
        made = record_requests.drafted(
            None, place, quality="heir", death_on="2026-01-05", bond="heir", motive="cause", **traits
        )
        with pytest.raises(ProofMissing):
            actions.send(made)
        actions.join_proof(made, documents.stored().id, "quality")
        actions.send(made)
    assert seen_by(ground.as_patient)[0] == 1
    assert seen_by(ground.as_agent)[0] == 1
    assert seen_by(ground.as_other_patient)[0] == 0


def test_a_desk_does_not_open_the_others_requests(filled: Ground, sign_in: SignIn) -> None:
    complaint = next(each for each in rows(RecordRequest) if each.kind == "complaint")
    browser = sign_in(filled.agent)
    assert browser.get(f"{TRAY}/{complaint.id}").status_code == 404
    assert browser.get(f"{USERS}/{complaint.id}").status_code == 403


def test_another_patient_opens_nothing(filled: Ground, sign_in: SignIn) -> None:
    record = next(each for each in rows(RecordRequest) if each.kind == "record")
    joined = rows(RecordRequestFile)[0]
    stranger = sign_in(filled.other_account)
    for path in ("", "/recu", f"/fichiers/{joined.id}", "/etape/contenu"):
        assert stranger.get(f"/documents/demandes/{record.id}{path}").status_code == 404


# -- the tray ----------------------------------------------------------------------------------------------------


def test_late_requests_are_on_top_and_in_red(ground: Ground, sign_in: SignIn) -> None:
    recent, late = ask(ground, "presence", days=0), ask(ground, days=12)
    page = sign_in(ground.agent).get(TRAY).text
    assert page.index(late.reference) < page.index(recent.reference)
    assert "4 days late" in page


@pytest.mark.parametrize("typed", [str.lower, lambda text: f" {text[:4]}-{text[4:]} "])
def test_a_request_is_found_by_its_reference(ground: Ground, sign_in: SignIn, typed: Callable[[str], str]) -> None:
    asked = ask(ground)
    answer = sign_in(ground.agent).post(f"{TRAY}/recherche", data={"q": typed(asked.reference)})
    assert answer.location.endswith(str(asked.id))


def test_the_next_one_is_the_most_urgent_that_nobody_has(ground: Ground, sign_in: SignIn) -> None:
    ask(ground, "presence", days=0)
    late = ask(ground, days=12)
    assert sign_in(ground.agent).post(f"{TRAY}/suivante").location.endswith(str(late.id))


def test_counts_name_nobody(ground: Ground, sign_in: SignIn) -> None:
    asked = ask(ground, days=12)
    decided(ground, actions.mark_sent, asked, "post", "")
    text = sign_in(ground.agent).get(f"{TRAY}/chiffres.csv").text
    assert ground.patient.birth_name not in text
    assert ";1;1;0;0;1;" in text


@pytest.mark.parametrize(
    "path", ["", "?groupe=closed&nature=record&agent=mine&delai=late", "?page=-4&groupe=x&hopital=z"]
)
def test_the_tray_takes_few_statements_and_any_address(app: Flask, ground: Ground, sign_in: SignIn, path: str) -> None:
    for _number in range(4):
        ask(ground)
    browser = sign_in(ground.agent)
    browser.get(TRAY)
    with executed(app) as seen:
        assert browser.get(f"{TRAY}{path}").status_code == 200
    assert len(seen) <= 12


def test_a_request_takes_few_statements_on_each_side(app: Flask, ground: Ground, sign_in: SignIn) -> None:
    asked = ask(ground)
    for browser, path, most in (
        (sign_in(ground.agent), f"{TRAY}/{asked.id}", 16),
        (sign_in(ground.account), f"/documents/demandes/{asked.id}", 12),
    ):
        browser.get(path)
        with executed(app) as seen:
            browser.get(path)
        assert len(seen) <= most, len(seen)


def test_reading_and_printing_are_written_down(ground: Ground, sign_in: SignIn) -> None:
    asked, browser = ask(ground), sign_in(ground.agent)
    browser.get(f"{TRAY}/{asked.id}")
    assert browser.get(f"{TRAY}/{asked.id}/fiche.pdf").data.startswith(b"%PDF")
    assert audited()[-2:] == ["record_request.opened", "record_request.downloaded"]


# -- settings ----------------------------------------------------------------------------------------------------


def test_a_hospital_chooses_its_delays_but_not_the_laws(ground: Ground) -> None:
    with prepared():
        establishments.change_setting(ground.here, "requests.certificate_days", "1")
    certificate, record = ask(ground, "presence", days=0), ask(ground, days=0)
    assert now_of(certificate).due_on < now_of(record).due_on  # type: ignore[operator]  # both run
    with pytest.raises(ValueError, match="90"), prepared():
        establishments.change_setting(ground.here, "requests.complaint_days", "0")


def test_a_closed_kind_is_not_offered(ground: Ground, sign_in: SignIn) -> None:
    with prepared():
        for place in (ground.here, ground.other_hospital.establishment.id):
            catalog.publish(place, "documents", date(2020, 1, 1))
            establishments.change_setting(place, "requests.closed", "thanks")
    page = sign_in(ground.account).get("/documents/demandes").text
    assert "Certificate of presence" in page
    assert "Thanks to a team" not in page


def test_an_administrator_sets_what_is_asked_online(ground: Ground, sign_in: SignIn) -> None:
    with prepared():
        admin = people.agent(ground.here, "administration", name="Ada")
    browser, at = sign_in(admin), f"/admin/reglages-des-demandes/{ground.here}"
    assert browser.get(at).status_code == 200
    typed = {"opened": ["record"], "certificate_days": "5", "complaint_days": "", "identity": "two_factors"}
    assert browser.post(at, data=typed | {"mailbox": "not an address"}).status_code == 422
    assert browser.post(at, data=typed).status_code == 303
    with prepared():
        assert establishments.setting(ground.here, "requests.closed") == "situation,presence,complaint,thanks"


def test_a_stranger_to_a_request_is_nobody(ground: Ground) -> None:
    asked = ask(ground)
    with db.transaction(ground.as_other_agent), pytest.raises(NotThere):
        actions.open_request(Desk("documents", ground.as_other_agent.establishments), asked.id)


def test_to_whoever_is_at_another_desk_a_request_is_not_there_before_what_they_typed_is_read(
    ground: Ground, sign_in: SignIn
) -> None:
    asked, away = ask(ground, "thanks"), sign_in(ground.other_agent)
    assert away.post(f"{TRAY}/{asked.id}/transmettre", data={"once": str(uuid4()), "unit": ""}).status_code == 404
