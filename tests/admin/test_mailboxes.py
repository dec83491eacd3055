"""Administrators hold the boxes; agents see what became of each mail, and mend what did not arrive."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.models import Account
from portal import db, establishments
from portal.audit import AuditEvent
from portal.db import ANONYMOUS, Actor, session
from services.documents.mailboxes import oppositions
from services.documents.mailboxes.models import (
    Mailbox,
    MailboxReading,
    MailOperator,
    MailOpposition,
    ReceivedMail,
    Transmission,
    TransmissionChange,
)
from tests.english import in_english as in_english
from tests.factories import people
from tests.services.documents.boxes import OURS, THEIRS, Post, mail, opening
from tests.services.documents.boxes import post as post
from tests.services.documents.conftest import Ground
from tests.services.documents.conftest import ground as ground

SignIn = Callable[[Account | UUID], FlaskClient]
BOXES, MAILS = "/admin/documents/boites", "/admin/documents/transmissions"
URL = "smtp+imap://operateur.mssante.example:587?imap=operateur.mssante.example:143&auth=client_cert"


@pytest.fixture(autouse=True)
def _ground() -> None:
    """No application context around the test: it would share `g` between its requests."""


@pytest.fixture
def administrator(ground: Ground, sign_in: SignIn) -> FlaskClient:
    with opening():
        account = people.agent(ground.here, "administration", name="Une administratrice")
    return sign_in(account)


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


def typed(ground: Ground, **changes: str) -> dict[str, str]:
    box = {
        "once": str(uuid4()), "establishment": str(ground.here), "address": "Accueil@CH-Essai.mssante.fr",
        "kind": "ORG", "label": "Accueil", "unit": str(ground.hospital.unit.id), "holder": "", "url": URL,
    }  # fmt: skip
    return box | changes


def test_a_box_is_declared_and_its_operator_s_address_is_never_shown(
    ground: Ground, administrator: FlaskClient
) -> None:
    page = administrator.post(f"{BOXES}/ajouter", data=typed(ground), follow_redirects=True)
    assert "accueil@ch-essai.mssante.fr" in page.text
    assert "operateur.mssante.example:587" in page.text
    assert "client_cert" not in page.text.replace("auth=client_cert. Empty", "")
    with opening():
        kept = session.scalars(select(Mailbox)).one()
        assert (kept.url, kept.unit_id) == (URL, ground.hospital.unit.id)
        sealed = session.connection().exec_driver_sql("select url from mailbox").scalar() or ""
        assert sealed.startswith("sealed:")
        assert "mailbox.added" in session.scalars(select(AuditEvent.action)).all()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"address": "pas une adresse"}, "This is not the address of a hospital’s box."),
        ({"address": "279035121518989@patient.mssante.fr"}, "This is not the address of a hospital’s box."),
        ({"url": "imap://nulle-part"}, "This address cannot be used"),
        ({"url": "smtp+imap://h?auth=rien"}, "This address cannot be used"),
        ({"kind": "PER"}, "Nobody with this RPPS number has signed in here yet."),
        ({"kind": "PER", "holder": "12"}, "An RPPS number has 11 digits"),
        ({"unit": str(UUID(int=1))}, "This unit is not of this hospital."),
        ({"address": ""}, "Give the address"),
    ],
)
def test_a_wrong_box_is_told_beside_its_field(
    ground: Ground, administrator: FlaskClient, changes: dict[str, str], told: str
) -> None:
    page = administrator.post(f"{BOXES}/ajouter", data=typed(ground, **changes))
    assert page.status_code == 422
    assert told in page.text


def test_a_personal_box_is_its_holder_s_and_no_job_opens_it(ground: Ground, administrator: FlaskClient) -> None:
    changes = {"kind": "PER", "holder": ground.professional.rpps}
    page = administrator.post(f"{BOXES}/ajouter", data=typed(ground, **changes), follow_redirects=True)
    assert "A personal box opens with its holder’s own session alone" in page.text
    assert "Not used by the portal" in administrator.get(BOXES).text


def test_the_same_address_is_declared_once(post: Post, administrator: FlaskClient) -> None:
    page = administrator.post(f"{BOXES}/ajouter", data=typed(post.ground, address=OURS, url=""))
    assert page.status_code == 422
    assert "This address is declared already." in page.text


def test_a_connection_is_tried_and_told_in_words(post: Post, administrator: FlaskClient) -> None:
    page = administrator.post(f"{BOXES}/{post.box_id}/essai", follow_redirects=True)
    assert "The operator lets the box in." in page.text
    post.ours.password = "un autre"
    page = administrator.post(f"{BOXES}/{post.box_id}/essai", follow_redirects=True)
    assert "The operator does not let the box in." in page.text


def test_a_box_that_cannot_be_read_says_why(post: Post, administrator: FlaskClient) -> None:
    post.twin.faults.down = True
    post.poll()
    page = administrator.get(BOXES).text
    assert "Cannot be read" in page
    assert "The operator does not answer." in page


def test_a_box_is_changed_then_closed(post: Post, administrator: FlaskClient) -> None:
    data = {"once": str(uuid4()), "label": "Le cœur", "unit": "", "url": ""}
    assert administrator.post(f"{BOXES}/{post.box_id}", data=data).status_code == 303
    administrator.post(f"{BOXES}/{post.box_id}/fermer")
    with opening():
        box = session.get_one(Mailbox, post.box_id)
        assert (box.label, box.unit_id, box.is_open) == ("Le cœur", None, False)
    assert "This box is closed here" in administrator.get(f"{BOXES}/{post.box_id}").text


def test_the_hospital_s_operator_is_sealed_and_a_wrong_one_is_told(ground: Ground, administrator: FlaskClient) -> None:
    page = f"{BOXES}/operateur/{ground.hospital.establishment.finess}"
    wrong = administrator.post(page, data={"once": str(uuid4()), "url": "http://ailleurs", "receipts": "no"})
    assert wrong.status_code == 422
    administrator.post(page, data={"once": str(uuid4()), "url": URL, "receipts": "all"})
    with opening():
        assert establishments.setting(ground.here, "mssante_url") == URL
        assert establishments.setting(ground.here, "mssante_error_receipts") == "all"
    assert "client_cert" not in administrator.get(BOXES).text


def test_agents_do_not_hold_boxes_and_administrators_do_not_read_mails(
    post: Post, agent: FlaskClient, administrator: FlaskClient
) -> None:
    assert agent.get(BOXES).status_code == 403
    assert administrator.get(MAILS).status_code == 403


# -- what became of each mail --------------------------------------------------------------------------------------


def refused(post: Post) -> UUID:
    post.write(to="inconnu@medecin.mssante.fr")
    post.send()
    return post.transmission.id


def test_a_refused_mail_comes_first_with_its_reason_and_what_to_do(post: Post, agent: FlaskClient) -> None:
    refused(post)
    post.write()
    post.send()
    page = agent.get(MAILS).text
    assert page.index("inconnu@medecin.mssante.fr") < page.index(THEIRS)
    assert "The operator knows no such box." in page
    assert "Check the address in the directory, then send to the right one." in page


def test_a_mail_is_sent_to_another_address_from_its_page(post: Post, agent: FlaskClient) -> None:
    mail_id = refused(post)
    where = f"{MAILS}/{mail_id}/autre-adresse"
    wrong = agent.post(where, data={"once": str(uuid4()), "address": "nulle part"})
    assert wrong.status_code == 422
    assert "This is not the address of a box." in wrong.text
    page = agent.post(where, data={"once": str(uuid4()), "address": THEIRS}, follow_redirects=True)
    assert "It leaves for the other address." in page.text
    post.send()
    assert len(post.theirs.now()) == 1


def test_a_mail_goes_on_paper_or_again(post: Post, agent: FlaskClient) -> None:
    mail_id = refused(post)
    assert "It leaves again." in agent.post(f"{MAILS}/{mail_id}/renvoyer", follow_redirects=True).text
    post.send()
    page = agent.post(f"{MAILS}/{mail_id}/papier", follow_redirects=True).text
    assert "It was sent on paper." in page
    late = agent.post(f"{MAILS}/{mail_id}/papier", follow_redirects=True).text
    assert "It was sent on paper." in late


@pytest.mark.parametrize(
    "query", ["?etat=mend", "?etat=waiting", "?du=2020-01-01&au=2999-01-01", "?boite=x&du=x&page=0"]
)
def test_filters_never_break(post: Post, agent: FlaskClient, query: str) -> None:
    refused(post)
    assert agent.get(MAILS + query).status_code == 200


def test_mails_put_aside_are_listed_and_decided_about(post: Post, agent: FlaskClient) -> None:
    post.ours.put(b"\x00\xff" * 500)
    post.poll()
    page = agent.get(f"{MAILS}/recus").text
    assert "It is no mail." in page
    received = post.received()[0].id
    agent.post(f"{MAILS}/recus/{received}/ecarter")
    assert "Nothing here" in agent.get(f"{MAILS}/recus").text


def test_another_hospital_s_agent_finds_nothing(post: Post, sign_in: SignIn) -> None:
    mail_id = refused(post)
    other = sign_in(post.ground.other_agent)
    assert other.get(f"{MAILS}/{mail_id}").status_code == 404
    assert "inconnu@medecin" not in other.get(MAILS).text


def test_lists_take_few_statements(
    post: Post, agent: FlaskClient, administrator: FlaskClient, statements: object
) -> None:
    for _each in range(3):
        post.write()
    post.send()
    for browser, page in ((agent, MAILS), (administrator, BOXES), (agent, f"{MAILS}/{post.transmissions()[0].id}")):
        browser.get(page)
        with statements() as seen:  # type: ignore[operator]  # a fixture
            browser.get(page)
        assert len(seen) <= 12, seen


# -- the database itself -------------------------------------------------------------------------------------------

TABLES = (Mailbox, MailboxReading, MailOperator, Transmission, TransmissionChange, ReceivedMail, MailOpposition)


@pytest.fixture
def filled(post: Post) -> Post:
    refused(post)
    post.deliver(mail())
    post.poll()
    post.twin.faults.down = True
    post.in_time()
    post.poll()
    with db.transaction(post.ground.as_agent):
        oppositions.oppose(post.ground.patient.id, post.ground.here, "professional")
    return post


def seen_by(actor: Actor) -> list[bool]:
    with db.transaction(actor):
        return [bool(session.scalars(select(table).limit(1)).first()) for table in TABLES]


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        (lambda ground: ground.as_agent, [True] * 7),
        (lambda ground: ground.as_other_agent, [False] * 7),
        (lambda ground: ground.as_patient, [False] * 6 + [True]),
        (lambda ground: ground.as_other_patient, [False] * 7),
        (lambda ground: ground.as_professional, [False] * 7),
        (lambda ground: ANONYMOUS, [False] * 7),
    ],
)
def test_each_table_is_closed_to_others(
    filled: Post, app: Flask, who: Callable[[Ground], Actor], seen: list[bool]
) -> None:
    assert seen_by(who(filled.ground)) == seen
