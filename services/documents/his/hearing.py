"""What a message of the hospital system does to documents: a new one, another version, one taken back.

In two steps: `prepare` scans, stores and reads what it carries, with no transaction open; what it returns writes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid5

from portal import db, files
from portal.db import session
from portal.establishments import Establishment
from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import Message, NotHl7
from services.documents import actions, cda, jobs
from services.documents.actions import Outcome
from services.documents.his import laboratory, message, numbers, person
from services.documents.his.message import Carried, Told
from services.documents.jobs import Parcel, Prepared
from services.documents.models import Document
from services.documents.parcels import Letter, ParcelReason, Said
from services.documents.reading import results
from services.documents.reading.results import Row
from services.exchanges.dialect import Dialect
from services.exchanges.subjects import Hear, Heard

_TOMORROW = timedelta(days=1)


@dataclass
class _Instance:
    production: bool = False


_instance = _Instance()


def configure(*, production: bool) -> None:
    """Say, when the application starts, whether this instance holds real identities."""
    _instance.production = production


@dataclass(frozen=True)
class Taken:
    """What a message says, its documents scanned and stored, and the results beside them."""

    told: Told
    documents: tuple[Prepared, ...]
    rows: tuple[Row, ...] = ()


def prepare(place: Establishment, sent: Message) -> Hear:
    """Scan, store and read what a message carries; what is returned writes it down."""
    try:
        taken = take(place, sent)
    except NotHl7 as error:
        return _refusing(error)

    def hear(where: Establishment, _sent: Message, _codes: Dialect) -> Heard:
        return settle(where, taken)[0]

    return hear


def _refusing(error: NotHl7) -> Hear:
    def hear(_place: Establishment, _sent: Message, _codes: Dialect) -> Heard:
        raise error

    return hear


def hear(place: Establishment, sent: Message, codes: Dialect) -> Heard:
    """Both steps at once."""
    return prepare(place, sent)(place, sent, codes)


def take(place: Establishment, sent: Message) -> Taken:
    """Raises NotHl7."""
    told = message.read(sent, place.tz)
    return replace(take_told(place, told), rows=tuple(laboratory.rows(sent, place.tz)))


def take_told(place: Establishment, told: Told) -> Taken:
    """The documents of what is told, scanned, stored and read."""
    if told.withdraws:
        return Taken(told, ())
    parcels = (_parcel(place, told, rank, each) for rank, each in enumerate(told.documents, start=1))
    prepared = tuple(_told_by(told, jobs.prepare(parcel, production=_instance.production, letter=letter))
                     for parcel, letter in parcels)  # fmt: skip
    return Taken(told, prepared)


def take_in_message(place: Establishment, body: bytes) -> list[Outcome] | None:
    """A message that somebody brought as a file. None when it is none that is taken here: it goes to quarantine."""
    try:
        taken = take(place, hl7v2.read(body))
    except NotHl7:
        return None
    heard, outcomes = settle(place, taken)
    if outcomes:
        return outcomes
    done = heard.answer == "AA"
    return [Outcome("withdrawn" if done else "quarantined", "" if done else "906", heard.reason, heard.subject_id)]


def _parcel(place: Establishment, told: Told, rank: int, carried: Carried) -> tuple[Parcel, Letter | None]:
    name = message.name_of(told, rank, carried)
    parcel = Parcel(place.id, told.channel, name, carried.data, files.from_bytes([carried.data]))
    return parcel, _plain(place, told, name, carried) if carried.is_plain else None


def _plain(place: Establishment, told: Told, name: str, carried: Carried) -> Letter:
    """A file without envelope, as a letter: the message says all that an envelope would."""
    own = f"2.25.{uuid5(place.id, f'{told.sender} {told.number} {name} {sha256(carried.data).hexdigest()}').int}"
    header = cda.Header(
        unique_id=own,
        set_id=own,
        version=1,
        replaces=None,
        type_code=carried.code,
        type_label=carried.label,
        title=carried.label or carried.code,
        created_at=told.created_at,
        confidentiality=told.confidentiality,
        patient=told.person,
        author=replace(told.author, organization=place.name),
        custodian=cda.Organization(id=numbers.custodian(told.sender), name=place.name),
        level="FILE",
        media_type="",
        warnings=person.warnings(told.person),
    )
    return Letter(name, carried.data, header, None)


def _told_by(told: Told, prepared: Prepared) -> Prepared:
    """The letters with what the message adds to each; refused when the two name two people (ECO.2.1.1)."""
    if any(person.has_another_number(told.person, each.letter.header.patient) for each in prepared.kept):
        return Prepared(prepared.came, prepared.stored_id, refusal=ParcelReason.PATIENTS_DIFFER)
    kept = tuple(replace(each, letter=_with_message(told, each.letter)) for each in prepared.kept)
    return replace(prepared, kept=kept)


def _with_message(told: Told, letter: Letter) -> Letter:
    doubt = told.doubt or ("message_differs" if person.differs(told.person, letter.header.patient) else "")
    header = letter.header
    if told.confidentiality != "N" and header.confidentiality == "N":
        header = replace(header, confidentiality=told.confidentiality)
    return replace(letter, header=header, said=Said(told.visibility, told.wishes, doubt))


# -- writing it down -----------------------------------------------------------------------------------------------


def settle(place: Establishment, taken: Taken) -> tuple[Heard, list[Outcome]]:
    """Write down what a message says; what is answered, and what became of each document."""
    told = taken.told
    if told.said_at > db.now() + _TOMORROW:
        return Heard("AR", "102", "wrong_clock"), []
    outcomes: list[Outcome] = []
    if told.withdraws:
        heard = _withdraw(place, told)
    elif told.replaces and message.VISIBILITY_ONLY in told.wishes and numbers.find(place.id, told.sender, told.number):
        heard = _rehide(place, told)
    else:
        heard, outcomes = _receive(place, taken)
    return replace(heard, external_id=told.number, said_at=told.said_at), outcomes


def _receive(place: Establishment, taken: Taken) -> tuple[Heard, list[Outcome]]:
    if not taken.documents:
        return Heard("AE", "101", "no_document"), []
    wrong = [each for each in taken.documents if each.refusal or each.stored_id is None]
    # Taken whole or refused whole: half of a message in a patient's file would be read as the whole of it.
    outcomes = [outcome for each in wrong or taken.documents for outcome in jobs.settle(_versioned(place, taken, each))]
    if wrong:
        return Heard("AE", "102", outcomes[0].reason), outcomes
    documents = [session.get_one(Document, each.document_id) for each in outcomes if each.document_id]
    first = documents[0]
    for document in documents:
        numbers.remember(place.id, taken.told.sender, taken.told.number, document, taken.told.said_at)
    if taken.rows and outcomes[0].outcome != "duplicate":
        results.keep(first, taken.rows)
    waits = any(each.outcome == "tray" for each in outcomes)
    return Heard(reason="to_sort" if waits else "", subject_id=first.id, patient_id=first.patient_id), outcomes


def _versioned(place: Establishment, taken: Taken, prepared: Prepared) -> Prepared:
    """With the version that each letter replaces, which only the base knows by the sender's number."""
    told = taken.told
    known = numbers.find(place.id, told.sender, told.parent or told.number)
    if not told.replaces and (known is None or told.parent):
        return prepared
    return replace(
        prepared, kept=tuple(replace(each, letter=_version(each.letter, told, known)) for each in prepared.kept)
    )


def _version(letter: Letter, told: Told, known: Document | None) -> Letter:
    if not told.replaces:
        # A new document under a number that another one bears: a repetition, or a mistake of the sender.
        return letter if known and _is_it(known, letter) else _doubting(letter, "number_taken")
    if known is None:
        return letter if letter.header.replaces else _doubting(letter, "nothing_to_replace")
    if letter.header.replaces or _is_it(known, letter):
        return letter
    version = known.version + 1 if letter.header.level == "FILE" else max(letter.header.version, known.version + 1)
    header = replace(letter.header, set_id=known.set_id, version=version)
    return replace(letter, header=header, said=replace(letter.said, replaces=known.unique_id))


def _is_it(known: Document, letter: Letter) -> bool:
    return known.unique_id == letter.header.unique_id


def _doubting(letter: Letter, reason: str) -> Letter:
    return replace(letter, said=replace(letter.said, doubt=letter.said.doubt or reason))


# -- taking back ---------------------------------------------------------------------------------------------------


def _withdraw(place: Establishment, told: Told) -> Heard:
    return _about_known(place, told, lambda each: actions.withdraw(each, "sender_withdrew"))


def _rehide(place: Establishment, told: Told) -> Heard:
    """MODIF_CONF_CODE: the same document, seen by others than before."""
    return _about_known(place, told, lambda each: actions.change_visibility(each, told.visibility))


def _about_known(place: Establishment, told: Told, do: Callable[[Document], None]) -> Heard:
    """Every document of this number, all of them or none; only by whoever sent them (901), about whom they say."""
    documents = numbers.every(place.id, told.sender, told.number)
    if not documents:
        unknown = "not_yours" if numbers.is_anothers(place.id, told.number) else "unknown_document"
        return Heard("AE", "204", unknown)
    if any(_is_about_another(told, each) for each in documents):
        return Heard("AE", "204", "patients_differ")
    for each in documents:
        if each.state != "withdrawn":
            do(each)
    return Heard(subject_id=documents[0].id, patient_id=documents[0].patient_id)


def _is_about_another(told: Told, document: Document) -> bool:
    said = cda.Patient(
        ins=document.ins,
        ins_oid=document.ins_oid,
        birth_name=document.birth_name,
        first_name=document.first_name,
        birth_on=document.birth_on,
        sex=document.sex,
    )
    return person.has_another_number(told.person, said) or person.differs(told.person, said)


def patient_of(document_id: UUID) -> UUID | None:
    """Of a document that a message was about."""
    document = session.get(Document, document_id)
    return document.patient_id if document else None
