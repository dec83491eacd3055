"""What is asked of the hospital's system for one file, from what the patient answered and the office accepted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select

from auth.models import PatientRecord
from portal import db
from portal.db import session
from services.pieces import queries as piece_queries
from services.pieces.models import Piece, PiecePage
from services.preadmission import queries
from services.preadmission.answers import (
    AccidentFacts,
    Answers,
    Choices,
    Coverage,
    Doctor,
    Identity,
    Relative,
    Room,
    Situation,
    Trust,
)
from services.preadmission.exchanges import request as wanted
from services.preadmission.exchanges.request import Action, Request
from services.preadmission.kinds import KINDS
from services.preadmission.models import Preadmission

A = TypeVar("A", bound=Answers)
_EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/heic": "heic"}
_PROOFS = {"french": "health_card", "ame": "ame", "european": "european_card", "convention": "care_form",
           "private": "top_up_card", "c2s": "c2s"}  # fmt: skip


@dataclass(frozen=True)
class _Given:
    """The answers of a file, by their class."""

    answers: Mapping[str, Answers]

    def of(self, kind: type[A]) -> A | None:
        found = self.answers.get(kind.step)
        return found if isinstance(found, kind) else None


def gather(file: Preadmission, action: Action, control_id: str, decided_at: datetime) -> Request:
    """The file as it is now. Its unit, hospital and patient are loaded, or will be."""
    given = _Given(queries.sent_of(file))
    identity = given.of(Identity)
    told = pieces(file)
    return Request(
        reference=file.reference,
        action=action,
        control_id=control_id,
        sent_at=db.now(),
        decided_at=decided_at,
        tz=file.establishment.tz,
        person=_person(file, identity),
        stay=_stay(file, given.of(Room)),
        visit_number=file.visit_number,
        doctor=_doctor(given.of(Doctor)),
        contacts=_contacts(given),
        covers=_covers(file, given, {each.kind for each in told}),
        accident=_accident(given),
        choices=_choices(given.of(Choices), decided_at),
        interpreter=identity.interpreter if identity else "",
        pieces=tuple(_piece(each) for each in told),
    )


def pieces(file: Preadmission) -> Sequence[Piece]:
    """Those that the office accepted, and that tell nothing of health: they would be read by whoever admits."""
    of_file = piece_queries.of_folder(file.id)
    return [each for each in of_file if each.state == "accepted" and not each.rules.is_health]


def name_of(piece: Piece, page: PiecePage) -> str:
    """The name of a page's file, such as `identity-1.jpg`."""
    return f"{piece.kind}-{page.position}.{_EXTENSIONS.get(page.file.media_type, 'bin')}"


def _piece(piece: Piece) -> wanted.Piece:
    return wanted.Piece(piece.kind, piece.state, tuple(name_of(piece, page) for page in piece.pages))


def _person(file: Preadmission, identity: Identity | None) -> wanted.Person:
    patient, told = file.patient, identity or Identity()
    ipp = session.scalar(
        select(PatientRecord.ipp).where(
            PatientRecord.patient_id == file.patient_id, PatientRecord.establishment_id == file.establishment_id
        )
    )
    return wanted.Person(
        portal_id=str(patient.id),
        birth_name=patient.birth_name,
        first_names=tuple(patient.first_names),
        birth_on=patient.birth_on,
        sex=patient.sex,
        used_name=told.used_name or patient.used_name,
        used_first_name=told.used_first_name,
        birthplace=patient.birthplace_insee or patient.birthcountry_insee,
        status=patient.identity_status,
        ins=patient.shown_ins,
        ins_oid=patient.ins_oid,
        ipp=file.ipp or ipp or "",
        phone=told.phone,
        email=told.email,
        street=told.street,
        complement=told.complement,
        postcode=told.postcode,
        town=told.town,
        country=told.country,
    )


def _stay(file: Preadmission, room: Room | None) -> wanted.Stay:
    room = room or Room()
    return wanted.Stay(
        kind=file.stay_kind,
        planned_on=file.planned_on,
        patient_class=KINDS[file.stay_kind].patient_class,
        uf=file.unit.uf,
        unit_name=file.unit.name,
        site=file.unit.site.finess_et,
        confidential=file.confidential,
        transport=room.transport,
        room=room.room,
        diet=room.diet,
        companion=room.companion,
    )


def _doctor(told: Doctor | None) -> wanted.Doctor | None:
    return wanted.Doctor(told.name, told.town, told.rpps) if told and told.has_one and told.name else None


def _contacts(given: _Given) -> tuple[wanted.Contact, ...]:
    found = []
    if relative := given.of(Relative):
        found.append(wanted.Contact("C", relative.name, relative.link, relative.phone))
    trust = given.of(Trust)
    if trust is not None and trust.wanted == "yes" and trust.name:
        found.append(wanted.Contact("K", trust.name, trust.link, trust.phone, trust.address))
    return tuple(found)


def _covers(file: Preadmission, given: _Given, there: Collection[str]) -> tuple[wanted.Cover, ...]:
    told = given.of(Coverage)
    if told is None:
        return ()
    accident, situation = given.of(AccidentFacts), given.of(Situation)
    at_work = situation is not None and situation.accident == "work"
    nature = "41" if at_work else "30" if file.stay_kind == "maternity" else "10"
    found = []
    if told.amo_kind != "none":
        proof = _PROOFS[told.amo_kind]
        found.append(
            wanted.Cover(
                "AMO", told.amo_kind, "-".join(filter(None, (told.scheme, told.fund, told.centre))),
                until=told.rights_until, exemption=told.exemption, insured=told.insured,
                insured_name=told.insured_name, insured_on=told.insured_born_on, insured_id=told.nir, nature=nature,
                number=accident.number if accident and at_work else "", proof=proof if proof in there else "",
            )
        )  # fmt: skip
    if told.amc_kind != "none":
        proof = _PROOFS[told.amc_kind]
        found.append(
            wanted.Cover(
                "AMC", told.amc_kind, told.amc_number, told.amc_name, until=told.amc_until,
                insured_id=told.member_number, proof=proof if proof in there else "",
            )
        )  # fmt: skip
    return tuple(found)


def _accident(given: _Given) -> wanted.Accident | None:
    facts, situation = given.of(AccidentFacts), given.of(Situation)
    if facts is None or situation is None or situation.accident == "none":
        return None
    return wanted.Accident(situation.accident, facts.happened_on, facts.number)


def _choices(told: Choices | None, at: datetime) -> wanted.Choices:
    chosen = told or Choices()
    return wanted.Choices(chosen.record_opposed, chosen.outside_team, chosen.by_text, at)
