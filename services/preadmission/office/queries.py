"""What agents read around a file: its story, who is on it, the sources of its traits, files that look like it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Uuid, cast, func, literal, literal_column, null, select, text, union_all
from sqlalchemy.orm import joinedload

from auth.models import Patient
from portal import db
from portal.db import session
from services.pieces.models import PieceChange
from services.preadmission.answers import Answers, Identity
from services.preadmission.asked import Facts
from services.preadmission.models import Preadmission, PreadmissionChange
from services.preadmission.office import checks, comparison
from services.preadmission.office.checks import Check, Seen
from services.preadmission.office.comparison import Description
from services.preadmission.office.models import PRESENT, CardReading, MessageTemplate, OfficeLine, Other, Presence

_ALIKE: Final = 0.8
_MOST: Final = 100
_GIVEN_UP: Final = ("draft", "cancelled_by_patient", "cancelled_by_hospital", "lapsed", "purged")
_OTHERS = text(
    "select 'card' as source, birth_name, used_name, string_to_array(first_names, ', ') as first_names, birth_on, sex"
    " from preadmission_reading where preadmission_id = :file union all"
    " select 'hospital', birth_name, used_name, first_names, birth_on, sex from preadmission_known_there(:patient, :at)"
)
SOURCES: Final = ("franceconnect", "typed", "card", "hospital")
"""In order of authority: strict traits are the identity provider's; the others are compared with them."""


@dataclass(frozen=True)
class Event:
    """One thing that happened to a file. what: "state", "piece" or a line's kind. code: the state entered. words: what
    an agent wrote, or the reason. about: a piece's kind."""

    at: datetime
    actor_name: str
    what: str
    code: str = ""
    words: str = ""
    about: str = ""
    actor: str = ""


@dataclass(frozen=True)
class Similar:
    """A file that may be of the same person or stay. why: "nir", "person", "stay" or "name"."""

    file: Preadmission
    why: str


# -- its story -----------------------------------------------------------------------------------------------------


def story(preadmission_id: UUID, piece_kinds: Mapping[UUID, str]) -> Sequence[Event]:
    """Changes of the file, of its pieces, and what agents did or noted, the latest first; at most 100.

    piece_kinds: the pieces that the agent sees. The caller has found the file under its own rules.
    """
    told = (
        _lines(preadmission_id)
        .union_all(_changes(preadmission_id), _piece_changes(list(piece_kinds)))
        .order_by(literal_column("at").desc())
        .limit(_MOST)
    )
    return [
        Event(row.at, row.actor_name, row.what, row.code, row.body or row.words, piece_kinds.get(row.about, ""),
              row.actor)
        for row in session.execute(told)
    ]  # fmt: skip


def _lines(preadmission_id: UUID) -> Any:
    """First in the union: its columns give the others their types, and what is sealed is opened."""
    table = OfficeLine
    return select(
        table.at.label("at"),
        table.actor.label("actor"),
        table.actor_name.label("actor_name"),
        table.kind.label("what"),
        literal("").label("code"),
        literal("").label("words"),
        table.body.label("body"),
        cast(null(), Uuid).label("about"),
    ).where(table.preadmission_id == preadmission_id)


def _changes(preadmission_id: UUID) -> Any:
    table = PreadmissionChange
    return select(
        table.at, table.actor, table.actor_name, literal("state"), table.to_state, table.reason, cast(null(), Text),
        cast(null(), Uuid),
    ).where(table.preadmission_id == preadmission_id)  # fmt: skip


def _piece_changes(piece_ids: list[UUID]) -> Any:
    table = PieceChange
    words = func.coalesce(func.nullif(table.note, ""), table.reason)
    return select(
        table.at, table.actor, table.actor_name, literal("piece"), table.to_state, words, cast(null(), Text),
        table.piece_id,
    ).where(table.piece_id.in_(piece_ids))  # fmt: skip


def present(preadmission_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Other]]:
    """File → the other agents who have it on their screen, the first one first."""
    found: dict[UUID, list[Other]] = {}
    if not preadmission_ids:
        return found
    rows = session.execute(
        select(Presence.preadmission_id, Presence.name, Presence.since_at)
        .where(Presence.preadmission_id.in_(preadmission_ids), *_away_from_me())
        .order_by(Presence.since_at)
    )
    for preadmission_id, name, since_at in rows:
        found.setdefault(preadmission_id, []).append(Other(name, since_at))
    return found


def _away_from_me() -> tuple[ColumnElement[bool], ...]:
    return Presence.account_id != db.current_actor().account_id, Presence.seen_at > db.now() - PRESENT


def busy(establishment_ids: Collection[UUID]) -> Sequence[UUID]:
    """Files that other agents have on their screens now."""
    here = Presence.establishment_id.in_(establishment_ids)
    return session.scalars(select(Presence.preadmission_id).where(here, *_away_from_me())).all()


def colleagues(establishment_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Agents who have files in charge there, by name: to whom one may be given."""
    rows = session.execute(
        select(Preadmission.agent_id, func.max(Preadmission.agent_name))
        .where(Preadmission.establishment_id.in_(establishment_ids), Preadmission.agent_id.is_not(None))
        .group_by(Preadmission.agent_id)
        .order_by(func.max(Preadmission.agent_name))
    )
    return {account_id: name for account_id, name in rows if account_id is not None}


# -- its traits ----------------------------------------------------------------------------------------------------


def descriptions(file: Preadmission, answers: Mapping[str, Answers]) -> Mapping[str, Description]:
    """Source → how it describes the patient, those that say something alone. In one statement."""
    typed = answers.get("identity")
    found = {"franceconnect": _of_patient(file.patient)}
    if isinstance(typed, Identity) and (typed.used_name or typed.used_first_name):
        found["typed"] = Description(used_name=typed.used_name, first_names=comparison.split(typed.used_first_name))
    for row in session.execute(_OTHERS, {"file": file.id, "patient": file.patient_id, "at": file.establishment_id}):
        found[row.source] = Description(row.birth_name, row.used_name, row.first_names, row.birth_on, row.sex)
    return found


def _of_patient(person: Patient) -> Description:
    return Description(person.birth_name, person.used_name, person.first_names, person.birth_on, person.sex)


def is_from_provider(file: Preadmission) -> bool:
    """Whether the patient's own traits come from an identity provider, rather than from an agent who typed them."""
    return file.account_id is not None


# -- what does not agree -------------------------------------------------------------------------------------------


def checked(file: Preadmission, facts: Facts, pieces: Sequence[checks.Dated], similar: int) -> Sequence[Check]:
    return checks.checks(Seen(facts, file.planned_on, file.patient.sex, pieces, file.late, similar))


def similar(file: Preadmission) -> Sequence[Similar]:
    """Other files there of somebody with the same number, or born the same day with almost the same name."""
    same_day = (
        select(Preadmission.id)
        .join(Patient, Patient.id == Preadmission.patient_id)
        .where(Preadmission.establishment_id == file.establishment_id, Patient.birth_on == file.patient.birth_on)
    )
    same_number = select(Preadmission.id).where(
        Preadmission.establishment_id == file.establishment_id, Preadmission.nir_digest == file.nir_digest
    )
    ids = union_all(same_day, same_number) if file.nir_digest else same_day
    found = session.scalars(
        select(Preadmission)
        .options(joinedload(Preadmission.patient), joinedload(Preadmission.unit))
        .where(Preadmission.id.in_(ids), Preadmission.id != file.id, Preadmission.state.not_in(_GIVEN_UP))
        .order_by(Preadmission.planned_on.desc())
        .limit(50)
    ).all()
    told = [Similar(each, why) for each in found if (why := _likeness(file, each))]
    return told[:10]


def _likeness(file: Preadmission, other: Preadmission) -> str:
    """Why two files may be of one person or stay, "" when they may not. One person's two stays are no wonder."""
    if other.patient_id == file.patient_id:
        return "stay" if other.planned_on == file.planned_on else ""
    if file.nir_digest and other.nir_digest == file.nir_digest:
        return "nir"
    mine, theirs = file.patient, other.patient
    if mine.birth_on != theirs.birth_on:
        return ""
    alike = SequenceMatcher(None, mine.name_key, theirs.name_key).ratio() >= _ALIKE
    same_first = mine.first_key == theirs.first_key
    used = mine.used_name and mine.used_name.upper() == theirs.birth_name.upper()
    return "name" if (alike or used) and same_first else ""


# -- messages ------------------------------------------------------------------------------------------------------


def messages(establishment_ids: Collection[UUID], occasion: str = "") -> Sequence[MessageTemplate]:
    """The messages that these hospitals keep, by occasion and title."""
    wanted = select(MessageTemplate).where(MessageTemplate.establishment_id.in_(establishment_ids))
    if occasion:
        wanted = wanted.where(MessageTemplate.occasion == occasion)
    return session.scalars(wanted.order_by(MessageTemplate.occasion, MessageTemplate.title)).all()


def message(establishment_ids: Collection[UUID], message_id: UUID) -> MessageTemplate | None:
    return session.scalar(
        select(MessageTemplate).where(
            MessageTemplate.id == message_id, MessageTemplate.establishment_id.in_(establishment_ids)
        )
    )


def reading_of(preadmission_id: UUID) -> CardReading | None:
    return session.get(CardReading, preadmission_id)
