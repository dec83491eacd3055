"""Applicants ask a hospital for something, follow it, and have its answer where they were told it would be."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from auth.models import Account, HeldForm, PatientAccess, WebSession
from portal import catalog, db, establishments
from portal.db import session
from services.documents.requests import actions
from services.documents.requests.actions import TooMany
from services.documents.requests.models import RecordRequest, RecordRequestFile
from tests.english import in_english as in_english
from tests.factories import documents, people, record_requests
from tests.ground import audited, prepared, rows
from tests.services.documents.conftest import Ground

SignIn = Callable[[Account], FlaskClient]
PAGE = "/documents/demandes"


@pytest.fixture
def open_here(ground: Ground) -> Ground:
    with prepared():
        catalog.publish(ground.here, "documents", date(2020, 1, 1))
    return ground


@pytest.fixture
def patient(open_here: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(open_here.account)


def form_of(page: str, action: str = "") -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.S) if action else None
    part = found[1] if found else page
    hidden = re.findall(r'<input[^>]*type="hidden"[^>]*>', part)
    fields = {
        re.search(r'name="([^"]*)"', each)[1]: (re.search(r'value="([^"]*)"', each) or ["", ""])[1] for each in hidden
    }  # type: ignore[index]  # each has a name
    return {name: value for name, value in fields.items() if name != "csrf_token"}


def begun(browser: FlaskClient, slug: str, **more: str) -> str:
    """Where the first step of a new request is."""
    page = browser.get(f"{PAGE}/nouvelle/{slug}").text
    hospital = re.search(r'name="hospital"[^>]*value="([^"]+)"', page)
    assert hospital
    answer = browser.post(f"{PAGE}/nouvelle/{slug}", data=form_of(page) | {"hospital": hospital[1], **more})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def step(browser: FlaskClient, at: str, **typed: Any) -> str:
    """Fill in one step; returns where it leads."""
    answer = browser.post(at, data=form_of(browser.get(at).text, at) | typed)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def day(name: str, value: date) -> dict[str, str]:
    return {f"{name}-day": str(value.day), f"{name}-month": str(value.month), f"{name}-year": str(value.year)}


def one() -> RecordRequest:
    (found,) = rows(RecordRequest)
    return found


def test_a_patient_asks_for_their_file(patient: FlaskClient, open_here: Ground) -> None:
    with prepared():
        establishments.change_setting(open_here.here, "requests.identity", "two_factors")
    at = begun(patient, "dossier-medical", whose="person")
    at = step(patient, at)
    at = step(patient, at, extent="all", pieces=["reports", "results"], text="Cardiologie")
    at = step(patient, at, delivery="here")
    assert "The way you signed in proves your identity" in patient.get(at).text
    check = at.replace("justificatifs", "verifier")
    page = patient.get(check).text
    assert "Cardiologie" in page
    sending = f"{PAGE}/{one().id}/envoyer"
    receipt = patient.post(sending, data=form_of(page, sending), follow_redirects=True).text
    asked = one()
    assert asked.reference in receipt
    assert "Answer before the end of" in receipt
    assert asked.state == "received"
    with prepared():
        assert asked.due_on == session.get_one(RecordRequest, asked.id).sent_on + timedelta(days=8)
    assert not set(asked.reference) & set("AEIOUY01IL") - set("L")
    assert audited()[-1] == "record_request.sent"


def drafted(ground: Ground, kind: str = "record", **more: Any) -> UUID:
    with db.transaction(ground.as_patient):
        place = establishments.by_finess(ground.hospital.establishment.finess)
        return record_requests.drafted(ground.patient, place, kind, **more).id


def proof(name: str = "identite.pdf", data: bytes | None = None) -> tuple[BytesIO, str]:
    return BytesIO(documents.pdf("Carte") if data is None else data), name


def test_without_a_proof_the_request_does_not_leave(patient: FlaskClient, open_here: Ground) -> None:
    """The sign-in of these tests has two factors, and proves no civil identity."""
    draft = drafted(open_here, identity_known=False)
    answer = patient.post(f"{PAGE}/{draft}/envoyer", data={"once": str(draft)}, follow_redirects=True)
    assert one().state == "draft"
    assert "Identity document" in answer.text
    joining = f"{PAGE}/{draft}/justificatifs/identity"
    assert patient.post(joining, data={"once": str(draft), "file": proof("x.pdf", b"MZ not a pdf")}).status_code == 422
    page = patient.get(f"{PAGE}/{draft}/etape/justificatifs").text
    assert patient.post(joining, data=form_of(page, joining) | {"file": proof()}).status_code == 303
    page = patient.get(f"{PAGE}/{draft}/etape/verifier").text
    assert "identite.pdf" in page
    sending = f"{PAGE}/{draft}/envoyer"
    assert patient.post(sending, data=form_of(page, sending)).location.endswith("/recu")


def test_a_proof_joined_by_mistake_is_taken_away(patient: FlaskClient, open_here: Ground) -> None:
    draft = drafted(open_here, identity_known=False)
    joining = f"{PAGE}/{draft}/justificatifs/identity"
    patient.post(joining, data={"once": str(draft), "file": proof()})
    (joined,) = rows(RecordRequestFile)
    patient.post(f"{PAGE}/{draft}/fichiers/{joined.id}/retirer")
    assert not rows(RecordRequestFile)


def test_a_relative_of_somebody_who_died_types_traits_that_search_nobody(
    patient: FlaskClient, open_here: Ground
) -> None:
    at = begun(patient, "dossier-medical", whose="heir")
    assert patient.post(at, data=form_of(patient.get(at).text, at)).status_code == 422
    typed = {
        "birth_name": open_here.other_patient.birth_name,
        "first_name": "Zoé",
        "bond": "spouse",
        "motive": "cause",
        **day("birth_on", date(1940, 5, 17)),
    }
    before = patient.post(at, data=form_of(patient.get(at).text, at) | typed | day("death_on", date(1939, 1, 1)))
    assert "before their birth" in before.text
    step(patient, at, **typed, **day("death_on", date(2026, 1, 5)))
    asked = one()
    assert (asked.patient_id, asked.quality, asked.facts["motive"]) == (None, "heir", "cause")


def test_what_was_typed_is_there_when_one_comes_back(patient: FlaskClient, open_here: Ground) -> None:
    draft = drafted(open_here, text="Mon séjour de mars", delivery="post", address="4 rue des Lilas")
    assert "Mon séjour de mars" in patient.get(f"{PAGE}/{draft}/etape/contenu").text
    assert "4 rue des Lilas" in patient.get(f"{PAGE}/{draft}/etape/remise").text


def test_a_double_click_sends_once(patient: FlaskClient, open_here: Ground) -> None:
    draft = drafted(open_here)
    sending, key = f"{PAGE}/{draft}/envoyer", {"once": str(draft)}
    first, second = (patient.post(sending, data=key).location for _time in range(2))
    assert first == second
    assert audited().count("record_request.sent") == 1


def test_one_writes_cancels_and_asks_again(patient: FlaskClient, open_here: Ground) -> None:
    draft = drafted(open_here)
    patient.post(f"{PAGE}/{draft}/envoyer", data={"once": str(draft)})
    show = f"{PAGE}/{draft}"
    writing = f"{show}/ecrire"
    assert patient.post(writing, data=form_of(patient.get(show).text, writing) | {"text": ""}).status_code == 422
    patient.post(writing, data=form_of(patient.get(show).text, writing) | {"text": "Je pars mardi."})
    patient.post(f"{show}/annuler")
    assert one().due_on is None
    again = f"{show}/rouvrir"
    patient.post(again, data=form_of(patient.get(show).text, again) | {"text": "Finalement, si."})
    page = patient.get(show).text
    assert "Je pars mardi." in page
    assert "Asked again" in page
    assert one().due_on is not None


def test_a_draft_may_be_dropped_and_old_ones_are_forgotten(
    patient: FlaskClient, open_here: Ground, work_jobs: Callable[[], None]
) -> None:
    first, second = drafted(open_here), drafted(open_here, "presence")
    patient.post(f"{PAGE}/{first}/supprimer")
    assert one().id == second
    with prepared():
        session.execute(update(RecordRequest).values(changed_at=db.now() - timedelta(days=31)))
        assert actions.forget_drafts() == 1
    assert not rows(RecordRequest)


def test_an_account_has_a_bounded_number_of_requests(open_here: Ground) -> None:
    for _number in range(20):
        drafted(open_here, "thanks")
    with pytest.raises(TooMany):
        drafted(open_here, "thanks")


@pytest.mark.parametrize(
    ("slug", "typed"),
    [
        ("message", {"text": "a\x00b", "mediation": "none"}),
        ("message", {"text": "a" * 4001, "mediation": "none"}),
        ("message", {"text": "Bonjour", "mediation": "' or 1=1"}),
        ("message", {"text": "Bonjour", "mediation": "none", **day("when_on", date(9999, 1, 1))}),
        ("message", {"text": "  \n ", "mediation": "none"}),
    ],
)
def test_nonsense_is_told_and_not_kept(
    patient: FlaskClient, open_here: Ground, slug: str, typed: dict[str, str]
) -> None:
    draft = drafted(open_here, "complaint", text="Avant")
    at = f"{PAGE}/{draft}/etape/{slug}"
    assert patient.post(at, data=form_of(patient.get(at).text, at) | typed).status_code == 422
    assert one().text == "Avant"


def test_markup_is_shown_as_text(patient: FlaskClient, open_here: Ground) -> None:
    draft = drafted(open_here, "presence", text="<script>alert(1)</script>", companion="{{ 7*7 }}")
    page = patient.get(f"{PAGE}/{draft}/etape/verifier").text
    assert "&lt;script&gt;" in page
    assert "{{ 7*7 }}" in page


@pytest.mark.parametrize("path", ["/nouvelle/inconnue", "/etape/contenu", "/00000000-0000-0000-0000-000000000000"])
def test_what_does_not_exist_is_not_there(patient: FlaskClient, path: str) -> None:
    assert patient.get(f"{PAGE}{path}").status_code == 404


def test_a_carer_for_administrative_matters_asks_for_no_medical_file(open_here: Ground, sign_in: SignIn) -> None:
    with prepared():
        carer, _own = people.patient_with_account(birth_name="AIDANT", first_names=("Luc",))
        people.give_access(carer, open_here.patient, "carer")
        access = session.get_one(PatientAccess, (carer.id, open_here.patient.id))
        access.scopes = ["administrative"]
    browser = sign_in(carer)
    with prepared():
        session.execute(
            update(WebSession).where(WebSession.account_id == carer.id).values(patient_id=open_here.patient.id)
        )
    page = browser.get(PAGE).text
    assert open_here.patient.full_name in page
    assert "Certificate of presence" in page
    assert "Copy of the medical file" not in page
    assert browser.get(f"{PAGE}/nouvelle/dossier-medical").status_code == 403


def test_a_minor_may_ask_that_their_parents_are_not_told(ground: Ground, sign_in: SignIn) -> None:
    with prepared():
        catalog.publish(ground.here, "documents", date(2020, 1, 1))
        person = session.merge(ground.patient)
        person.birth_on = date.today() - timedelta(days=16 * 365)
        place = establishments.by_finess(ground.hospital.establishment.finess)
    with db.transaction(ground.as_patient):
        person = session.merge(ground.patient)
        person.birth_on = date.today() - timedelta(days=16 * 365)
        draft = record_requests.drafted(person, place).id
    browser, at = sign_in(ground.account), f"{PAGE}/{draft}/etape/demandeur"
    assert "my parents are not told" in browser.get(at).text
    step(browser, at, secret="y")
    assert one().masked


def test_what_was_typed_waits_for_the_same_person_to_sign_in_again(patient: FlaskClient, open_here: Ground) -> None:
    draft = drafted(open_here, "complaint", text="Avant")
    at = f"{PAGE}/{draft}/etape/message"
    fields = form_of(patient.get(at).text, at)
    with prepared():
        session.execute(update(WebSession).values(expires_at=db.now() - timedelta(minutes=1)))
    answer = patient.post(at, data=fields | {"text": "Ce que j’avais tapé", "mediation": "none"})
    assert answer.status_code == 303
    assert "/documents/demandes" in answer.location
    assert one().text == "Avant"
    assert rows(HeldForm)


def test_a_patient_keeps_a_request_from_those_who_act_for_them(open_here: Ground, sign_in: SignIn) -> None:
    with prepared():
        carer = people.account(name="Luc AIDANT", email="luc@exemple.test")
        people.give_access(carer, open_here.patient, "carer")
        place = establishments.by_finess(open_here.hospital.establishment.finess)
        asked = record_requests.sent(open_here.patient, open_here.account, place).id
    browser = sign_in(open_here.account)
    page = browser.get(f"{PAGE}/{asked}").text
    change = re.search(r'action="(/[^"]*record_request[^"]*)"', page)
    assert change
    browser.post(change[1], data=form_of(page, change[1]) | {"masked": "1"})
    assert one().masked
