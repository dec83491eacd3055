"""Fictional letters, packages, mails and exchanges, as hospitals and practitioners send them."""

import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pikepdf
from sqlalchemy import select

from auth.models import Patient, PatientAccess, Professional
from portal import db, files
from portal.db import Actor, session
from portal.establishments import Establishment, Unit
from portal.files import StoredFile
from services.documents import actions, cda, jobs
from services.documents.actions import Outcome, Publication
from services.documents.exchanges import states as exchange_states
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage
from services.documents.models import Document, DocumentReading
from services.documents.wording import TYPES

if TYPE_CHECKING:
    from tests.factories.demonstration import World

TEST_INS, TEST_OID = "279035121518989", "1.2.250.1.213.1.4.10"
AUTHOR = cda.Author(
    id="810000000009",
    family="MERCIER",
    given="Hélène",
    speciality="G15_10/SM04",
    speciality_label="Cardiologie",
    organization="Hôpital d’essai",
    organization_id="1990000017",
)


def qualified(patient: Patient, ins: str = TEST_INS, oid: str = TEST_OID) -> Patient:
    """The patient with a national identity that a hospital has qualified."""
    patient.ins, patient.ins_oid, patient.identity_status = ins, oid, "QUAL"
    session.flush()
    return patient


# -- files ---------------------------------------------------------------------------------------------------------


def pdf(*lines: str) -> bytes:
    """A one-page PDF with these lines."""
    made = pikepdf.new()
    made.add_blank_page(page_size=(595, 842))
    page = made.pages[0]
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name.Helvetica,
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=made.make_indirect(font)))
    words = b"".join(_pdf_line(line) for line in lines or ("Document de démonstration",))
    page.Contents = made.make_stream(b"BT /F1 13 Tf 60 770 Td 20 TL " + words + b"ET")
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _pdf_line(line: str) -> bytes:
    return b"(" + re.sub(rb"([\\()])", rb"\\\1", line.encode("cp1252", "replace")) + b") Tj T* "


def traits(patient: Patient) -> cda.Patient:
    """The patient as a letter names them."""
    return cda.Patient(
        ins=patient.ins,
        ins_oid=patient.ins_oid,
        birth_name=patient.birth_name,
        first_names=" ".join(patient.first_names),
        first_name=patient.first_name,
        sex=patient.sex,
        birth_on=patient.birth_on,
        birthplace_insee=patient.birthplace_insee,
    )


def letter(about: cda.Patient, **changes: Any) -> bytes:
    """A CDA letter (N1) about somebody, with a PDF in its envelope."""
    own = f"2.25.{uuid4().int}"
    said: dict[str, Any] = {
        "unique_id": own,
        "set_id": own,
        "type_code": "11490-0",
        "type_label": "Lettre de liaison à la sortie d'un établissement de soins",
        "title": "Lettre de sortie",
        "created_at": datetime(2026, 11, 3, 9, 30, tzinfo=UTC),
        "patient": about,
        "author": AUTHOR,
        "custodian": cda.Organization("1990000017", "Hôpital d’essai"),
        "body": pdf("Lettre de sortie", "Tout va bien."),
    }
    return cda.write_letter(cda.Letter(**said | changes))


def structured(about: cda.Patient, sections: Sequence[tuple[str, str]], **changes: Any) -> bytes:
    """A CDA letter (N3) of these sections: titles, and text in the markup of CDA."""
    body = "".join(
        f"<component><section><title>{title}</title><text>{text}</text></section></component>"
        for title, text in sections
    )
    enveloped = letter(about, **changes)
    start, end = enveloped.index(b"<nonXMLBody>"), enveloped.index(b"</nonXMLBody>") + len(b"</nonXMLBody>")
    return enveloped[:start] + f"<structuredBody>{body}</structuredBody>".encode() + enveloped[end:]


def package(*letters: bytes, ins: str = "", unique_id: str = "") -> bytes:
    """An IHE_XDM package of these letters; its metadata may lie about the INS and the identifier."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        described = []
        for number, data in enumerate(letters, start=1):
            made.writestr(f"IHE_XDM/SUBSET01/DOC{number:04}.XML", data)
            described.append(_described(data, f"DOC{number:04}.XML", ins, unique_id))
        registry = (
            f'<SubmitObjectsRequest xmlns="{_LCM}" xmlns:rim="{_RIM}">{"".join(described)}</SubmitObjectsRequest>'
        )
        made.writestr("IHE_XDM/SUBSET01/METADATA.XML", registry)
    return out.getvalue()


_LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
_RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
_PATIENT_SCHEME = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
_UNIQUE_ID_SCHEME = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"


def _described(data: bytes, uri: str, ins: str, unique_id: str) -> str:
    header = cda.read_header(data)
    slots = {"URI": uri, "size": str(len(data)), "hash": hashlib.sha1(data, usedforsecurity=False).hexdigest()}
    said = unique_id or header.unique_id
    patient = f"{ins or header.patient.ins}^^^&amp;{header.patient.ins_oid}&amp;ISO^NH"
    return (
        '<rim:ExtrinsicObject mimeType="text/xml">'
        + "".join(
            f'<rim:Slot name="{name}"><rim:ValueList><rim:Value>{value}</rim:Value></rim:ValueList></rim:Slot>'
            for name, value in slots.items()
        )
        + f'<rim:ExternalIdentifier identificationScheme="{_PATIENT_SCHEME}" value="{patient}"/>'
        + f'<rim:ExternalIdentifier identificationScheme="{_UNIQUE_ID_SCHEME}" value="{said}"/>'
        + "</rim:ExtrinsicObject>"
    )


def mail(*attachments: tuple[str, bytes]) -> bytes:
    """A mail that carries these files."""
    message = EmailMessage()
    message["From"], message["To"] = "adam.hoda@medecin.mssante.fr", "cardiologie@ch-essai.mssante.fr"
    message["Subject"], message["Message-ID"] = "XDM/1.0/DDM+Lettre", f"<{uuid4()}@medecin.mssante.fr>"
    message.set_content("Bonjour, veuillez trouver ce courrier.")
    for name, data in attachments:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


# -- in the portal -------------------------------------------------------------------------------------------------


def receive(hospital: Establishment, data: bytes, name: str = "lettre.xml", channel: str = "command") -> Outcome:
    """Take in a file as the system does, and return the outcome of its only letter."""
    outcomes = jobs.take_in_file(hospital.id, channel, name, data, production=False)
    assert len(outcomes) == 1, outcomes
    return outcomes[0]


def received(hospital: Establishment, data: bytes, name: str = "lettre.xml") -> Document:
    """The document that a file became."""
    outcome = receive(hospital, data, name)
    assert outcome.document_id, outcome
    return session.get_one(Document, outcome.document_id)


def stored(data: bytes | None = None, name: str = "courrier.pdf", **limits: Any) -> StoredFile:
    """An upload of the current actor, which no form has taken yet. limits: as portal.files.receive."""
    return files.receive(files.from_bytes([data or pdf()]), name, **limits)


def exchange(
    unit: Unit,
    professional: Professional,
    *said: tuple[str, str, str],
    subject: str = "Avis avant consultation",
    about: tuple[str, str, date] = ("VALMORIN", "Suzanne", date(1944, 5, 17)),
    days_ago: int = 1,
    opened: bool = False,
) -> Exchange:
    """A thread of messages (sender, author, text), each with a PDF, written by the system in their names."""
    began = db.now() - timedelta(days=days_ago)
    made = Exchange(
        id=uuid4(),
        reference=f"TEST-{uuid4().hex[:8].upper()}",
        establishment_id=unit.establishment_id,
        unit_id=unit.id,
        professional_id=professional.id,
        subject=subject,
        birth_name=about[0],
        first_name=about[1],
        birth_on=about[2],
        state="",
        created_at=began,
    )
    steps: list[tuple[str, str]] = []
    for sender, author, _text in said:
        if sender == "unit" and steps:
            steps.append(("opened", author))
        steps.append(("received" if sender == "professional" else "delivered", author))
    if opened:
        sender = said[-1][0]
        steps.append(("opened", "Inès Tavernoy") if sender == "professional" else ("read", professional.full_name))
    changes = []
    for rank, (state, author) in enumerate(steps):
        change = exchange_states.move(made, state, Actor("system", author))
        change.at = made.changed_at = began + timedelta(hours=2 * rank)
        changes.append(change)
    session.add(made)
    session.flush()
    session.add_all(changes)
    for rank, (sender, author, text) in enumerate(said):
        _message(made, sender, author, text, began + timedelta(hours=4 * rank))
    session.flush()
    return made


def _message(made: Exchange, sender: str, author: str, text: str, at: datetime) -> None:
    file = files.attach(
        stored(pdf(made.subject, text), "courrier.pdf" if sender == "professional" else "compte-rendu.pdf").id,
        establishment_id=made.establishment_id,
        staff_right="documents",
        professional_id=made.professional_id,
    )
    identifier = uuid4()
    session.add(
        ExchangeMessage(
            id=identifier,
            exchange_id=made.id,
            establishment_id=made.establishment_id,
            sent_at=at,
            sender=sender,
            author_name=author,
            text=text,
        )
    )
    session.flush()
    session.add(
        ExchangeFile(
            message_id=identifier,
            establishment_id=made.establishment_id,
            file_id=file.id,
        )
    )


# -- the demonstration ---------------------------------------------------------------------------------------------

_BLOOD_TEST = (
    ("Motif", "<paragraph>Bilan de surveillance, à jeun.</paragraph>"),
    (
        "Résultats",
        "<table><thead><tr><th>Examen</th><th>Résultat</th><th>Valeurs habituelles</th></tr></thead><tbody>"
        "<tr><td>Hémoglobine</td><td>13,2 g/dL</td><td>12,0 à 16,0</td></tr>"
        '<tr><td>Glycémie</td><td><content styleCode="Bold">1,18 g/L</content></td><td>0,70 à 1,05</td></tr>'
        "<tr><td>TSH</td><td>2,1 mUI/L</td><td>0,4 à 4,0</td></tr></tbody></table>",
    ),
    (
        "Conclusion",
        "<paragraph>Glycémie un peu élevée : à contrôler dans trois mois.</paragraph>"
        "<list><item>Même traitement.</item><item>Rendez-vous avec votre médecin traitant.</item></list>",
    ),
)


def demonstrate(world: "World") -> None:
    """For Dominique a shelf with new letters, an opened one and a replaced one; a tray in each of its corners."""
    _fill_shelf(world)
    _fill_tray(world)
    _fill_exchanges(world)


def _author(family: str, given: str, speciality: str, hospital: Establishment) -> cda.Author:
    return cda.Author(
        id="810000000009",
        family=family,
        given=given,
        speciality="G15_10/SM04",
        speciality_label=speciality,
        organization=hospital.name,
        organization_id=f"1{hospital.finess}",
    )


def _days_ago(days: int) -> datetime:
    return (db.now() - timedelta(days=days)).replace(hour=9, minute=30, second=0, microsecond=0)


def _fill_shelf(world: "World") -> None:
    north, south = world.north.establishment, world.south.establishment
    dominique, mother = world.patients["dominique"], world.patients["camille"]
    about = traits(dominique)
    heart = _author("MERCIER", "Hélène", "Cardiologie", north)
    received(
        north,
        structured(
            about,
            _BLOOD_TEST,
            title="Résultats de biologie",
            type_code="11502-2",
            type_label="CR d'examens biologiques",
            created_at=_days_ago(2),
            author=_author("OUÉDRAOGO", "Awa", "Biologie médicale", south),
        ),
    )
    first = letter(
        about,
        title="Compte rendu de consultation",
        type_code="11488-4",
        created_at=_days_ago(9),
        type_label="CR ou fiche de consultation ou de visite",
        author=heart,
        body=pdf("Compte rendu de consultation", "Cardiologie", "Examen normal."),
    )
    header = cda.read_header(first)
    received(north, first)
    received(
        north,
        letter(
            about,
            title="Compte rendu de consultation (complété)",
            type_code="11488-4",
            type_label="CR ou fiche de consultation ou de visite",
            created_at=_days_ago(8),
            author=heart,
            set_id=header.set_id,
            version=2,
            replaces=header.unique_id,
            body=pdf("Compte rendu de consultation", "Cardiologie", "Examen normal, ECG joint."),
        ),
    )
    old = received(north, letter(about, title="Lettre de sortie", created_at=_days_ago(120), author=heart))
    _read(old)
    _publish(north, dominique, "Ordonnance de sortie", "57833-6")
    _publish(south, mother, "Calendrier de suivi de grossesse", "51851-4")


def _read(document: Document) -> None:
    for access in session.scalars(select(PatientAccess).where(PatientAccess.patient_id == document.patient_id)):
        session.add(
            DocumentReading(
                document_id=document.id,
                account_id=access.account_id,
                patient_id=document.patient_id,
                read_at=_days_ago(100),
            )
        )


def _publish(hospital: Establishment, patient: Patient, title: str, code: str) -> None:
    file = stored(pdf(title), "document.pdf")
    document = actions.publish(hospital, file.id, Publication(patient.id, title, code, str(TYPES[code])))
    document.author_name = "Secrétariat médical"


def _fill_tray(world: "World") -> None:
    north, south = world.north.establishment, world.south.establishment
    suzanne, dominique = world.patients["suzanne"], world.patients["dominique"]
    heart = _author("MERCIER", "Hélène", "Cardiologie", north)
    received(
        north, letter(traits(suzanne), title="Lettre de sortie de cardiologie", created_at=_days_ago(1), author=heart)
    )
    wrong_key = cda.Patient(**traits(dominique).__dict__ | {"ins": "279035121518988"})
    received(north, letter(wrong_key, title="Compte rendu d’échographie", created_at=_days_ago(3), author=heart))
    stranger = cda.Patient(
        ins="160012A00100171",
        ins_oid=TEST_OID,
        birth_name="SANTONI",
        first_names="ANGE",
        first_name="ANGE",
        sex="M",
        birth_on=date(1960, 1, 12),
    )
    received(
        south,
        letter(
            stranger,
            title="Compte rendu d’imagerie",
            created_at=_days_ago(4),
            author=_author("OUÉDRAOGO", "Awa", "Radiologie", south),
        ),
    )
    receive(north, b"<?xml version='1.0'?><note>Bonjour</note>", "note.xml")
    receive(south, b"MSH|^~\\&|LABO|CH|", "resultats.hl7")


def _fill_exchanges(world: "World") -> None:
    people = list(world.professionals.values())
    if len(people) < 2:
        return
    doctor, heart = people[0], people[1]
    agent = "Inès Tavernoy"
    north, south = world.north.unit, world.south.unit
    exchange(
        north,
        doctor,
        (
            "professional",
            doctor.full_name,
            "Bonjour, voici le courrier de ma patiente avant votre "
            "consultation. Merci de votre avis sur son essoufflement.",
        ),
        subject="Essoufflement à l’effort",
        days_ago=0,
    )
    exchange(
        north,
        doctor,
        ("professional", doctor.full_name, "Merci de la recevoir rapidement."),
        ("unit", agent, "Bonjour, le rendez-vous est pris. Le compte rendu est joint."),
        subject="Demande de consultation",
        about=("OUARDALI", "Yacine", date(1988, 1, 1)),
        days_ago=3,
    )
    exchange(
        south,
        heart,
        ("professional", heart.full_name, "Pour information, ECG joint."),
        days_ago=2,
        opened=True,
        subject="ECG de contrôle",
        about=("LORMEVAL", "Camille", date(1991, 9, 12)),
    )
