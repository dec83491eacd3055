"""A unit writes to a box of the national directory: the exchange says honestly that the mail only waits to leave."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Text, insert

from auth.after_sign_in import JustSignedIn
from auth.models import Account
from portal import db
from portal.db import session
from portal.notifications import Notification
from services.directory.models import directory_box, directory_person
from services.documents.exchanges import actions
from services.documents.exchanges.actions import Closed, Words
from services.documents.exchanges.jobs import claim_threads
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.documents.mailboxes.models import Mailbox, Transmission
from services.documents.states import NotPossibleNow
from tests.english import in_english as in_english
from tests.factories import documents
from tests.ground import rows
from tests.services.documents.conftest import Ground
from tests.services.documents.test_exchanges import written

SignIn = Callable[[Account | UUID], FlaskClient]
THEIRS = "claire.roumillac@medecin.mssante.fr"
WRITE = f"/admin/documents/echanges/nouveau/boite?adresse={THEIRS}"


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


@pytest.fixture
def box(ground: Ground) -> UUID:
    """A box of the whole hospital, and a practitioner's in the national directory."""
    with db.transaction(db.system("tests")):
        ours = Mailbox(
            id=uuid4(),
            establishment_id=ground.here,
            address="accueil@ch-essai.mssante.fr",
            kind="ORG",
            label="CH d’Essai",
        )
        session.add(ours)
        facts = {column.name: "" for column in directory_box.c if isinstance(column.type, Text)}
        known = {"address": THEIRS, "kind": "PER", "person_id": "810000000090", "holder": "Dre Claire ROUMILLAC"}
        given = {"digest": uuid4(), "red_list": False, "paperless": False, "rank": 1}
        session.execute(insert(directory_box).values(**{**facts, **known, **given}))
        return ours.id


def typed(ground: Ground, **changes: str) -> dict[str, Any]:
    return written(unit_id=str(ground.hospital.unit.id), **changes)


def test_a_document_waits_to_leave_from_the_units_box(ground: Ground, agent: FlaskClient, box: UUID) -> None:
    page = agent.get(WRITE)
    assert THEIRS in page.text
    assert agent.post(WRITE, data=typed(ground, ipp="0012345", receipt_wanted="y")).status_code == 303
    (thread,), (message,), (planned,) = rows(Exchange), rows(ExchangeMessage), rows(Transmission)
    assert (thread.kind, thread.correspondent, thread.about_id) == (
        "address",
        "Dre Claire ROUMILLAC",
        ground.patient.id,
    )
    assert (planned.state, planned.address, planned.role, planned.mailbox_id) == ("waiting", THEIRS, "to", box)
    assert planned.message_key == message.message_key
    assert message.message_key.endswith("@ch-essai.mssante.fr>")
    assert planned.receipt_asked


def test_a_number_of_another_patient_sends_nothing(ground: Ground, agent: FlaskClient, box: UUID) -> None:
    refused = agent.post(WRITE, data=typed(ground, ipp="0099"))
    assert refused.status_code == 422
    assert "No patient of this hospital has this number" in refused.text
    assert rows(Exchange) == []


def test_a_unit_without_a_box_is_told(ground: Ground, agent: FlaskClient, box: UUID) -> None:
    with db.transaction(db.system("tests")) as current:
        current.get_one(Mailbox, box).closed_at = db.now()
    refused = agent.post(WRITE, data=typed(ground))
    assert refused.status_code == 422
    assert "no MSSanté box to write from" in refused.text


def test_an_address_out_of_the_directory_is_not_written_to(agent: FlaskClient, box: UUID) -> None:
    assert agent.get(WRITE.replace("claire", "autre")).status_code == 404


def test_whoever_has_an_account_gets_a_copy_from_the_units_box(
    ground: Ground, agent: FlaskClient, box: UUID, sign_in: SignIn
) -> None:
    with db.transaction(db.system("tests")) as current:
        current.merge(ground.professional).rpps = "10000000090"
    assert agent.post(WRITE, data=typed(ground)).status_code == 303
    (planned,) = rows(Transmission)
    assert (planned.role, planned.address) == ("copy", THEIRS)
    assert "Avis cardiologique" in sign_in(ground.professional.account_id).get("/pro").text


def test_nobody_writes_in_a_closed_exchange_until_it_is_reopened(ground: Ground, agent: FlaskClient, box: UUID) -> None:
    agent.post(WRITE, data=typed(ground))
    (thread,) = rows(Exchange)
    address = f"/admin/documents/echanges/{thread.id}"
    agent.post(f"{address}/fermer")
    assert "This exchange is closed" in agent.get(address).text
    with db.transaction(ground.as_agent) as current, pytest.raises(Closed):
        actions.answer(current.get_one(Exchange, thread.id), Words("Encore un mot"))
    with db.transaction(ground.as_agent) as current, pytest.raises(NotPossibleNow):
        actions.close(current.get_one(Exchange, thread.id))
    agent.post(f"{address}/rouvrir")
    assert agent.post(address, data={"once": str(uuid4()), "text": "Encore un mot"}).status_code == 303
    assert len(rows(Transmission)) == 2


# -- without MSSanté -----------------------------------------------------------------------------------------------

RPPS = "10000000090"
LINK = f"/admin/documents/echanges/nouveau/lien?rpps={RPPS}"


@pytest.fixture
def person(ground: Ground) -> None:
    """Somebody of the national directory who has no published box."""
    with db.transaction(db.system("tests")):
        facts = {column.name: "" for column in directory_person.c if isinstance(column.type, Text)}
        known = {"id": f"8{RPPS}", "family": "ROUMILLAC", "given": "Claire", "digest": uuid4()}
        session.execute(insert(directory_person).values(**{**facts, **known}))


def test_whoever_has_no_box_gets_a_link_and_reads_after_signing_in(
    ground: Ground, agent: FlaskClient, person: None, sign_in: SignIn, work_jobs: Callable[[], None]
) -> None:
    assert agent.post(LINK, data=typed(ground, email="cabinet@exemple.test")).status_code == 303
    work_jobs()
    (mail,) = [each for each in rows(Notification) if each.recipient == "cabinet@exemple.test"]
    assert "cardio" not in mail.body.lower()
    (thread,) = rows(Exchange)
    doctor = sign_in(ground.professional.account_id)
    assert doctor.get(f"/pro/echanges/{thread.id}").status_code == 404, "it is not theirs yet"
    with db.transaction(db.system("tests")) as current:
        current.merge(ground.professional).rpps = RPPS
    claim_threads(JustSignedIn("prosanteconnect", ground.professional.account_id, ""))
    page = doctor.get(f"/pro/echanges/{thread.id}")
    assert "Avis cardiologique" in page.text
    file = page.text.split(f"/pro/echanges/{thread.id}/fichiers/")[1].split('"')[0]
    assert doctor.get(f"/pro/echanges/{thread.id}/fichiers/{file}").status_code == 200
    answer = {"once": str(uuid4()), "text": "Merci", "file": (BytesIO(documents.pdf("Avis")), "avis.pdf")}
    assert doctor.post(f"/pro/echanges/{thread.id}", data=answer).status_code == 303
    assert "Merci" in agent.get(f"/admin/documents/echanges/{thread.id}").text


def test_nobody_claims_the_threads_of_another_number(ground: Ground, agent: FlaskClient, person: None) -> None:
    agent.post(LINK, data=typed(ground, email="cabinet@exemple.test"))
    claim_threads(JustSignedIn("prosanteconnect", ground.professional.account_id, ""))
    assert [each.professional_id for each in rows(Exchange)] == [None]


def test_a_link_needs_an_address(ground: Ground, agent: FlaskClient, person: None) -> None:
    assert agent.post(LINK, data=typed(ground, email="cabinet")).status_code == 422
    assert agent.get(LINK.replace(RPPS, "10000000091")).status_code == 404
    assert rows(Exchange) == []
