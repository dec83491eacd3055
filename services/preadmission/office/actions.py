"""What agents do around a file: be on it, hand it to one another, note, read the card, write to the patient again."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import delete, text

from portal import audit, db, reading_only
from portal.db import session
from services.preadmission import actions as file_actions
from services.preadmission.actions import Stay, traces
from services.preadmission.actions.facts import HeldByAnother
from services.preadmission.models import Preadmission
from services.preadmission.office.comparison import Description
from services.preadmission.office.models import PRESENT, CardReading, MessageTemplate, OfficeLine, Other, Presence

_OTHERS = (
    "select name, since_at from preadmission_presence"
    " where preadmission_id = :file and account_id <> :account and seen_at > :gone order by since_at"
)
_ARRIVE = text(
    "with mine as (insert into preadmission_presence"
    " (preadmission_id, account_id, establishment_id, name, since_at, seen_at)"
    " values (:file, :account, :hospital, :name, :now, :now)"
    " on conflict (preadmission_id, account_id) do update set seen_at = excluded.seen_at, since_at ="
    " case when preadmission_presence.seen_at < :gone then excluded.since_at else preadmission_presence.since_at end)"
    f" {_OTHERS}"
)
_WHO_IS_THERE = text(_OTHERS)


@dataclass(frozen=True)
class Speaker:
    """Who is on the phone. link: "self", or who they are to the patient. name: "" for the patient."""

    link: str
    name: str = ""


# -- who is on it --------------------------------------------------------------------------------------------------


def look(preadmission: Preadmission) -> Sequence[Other]:
    """Open the file: written down, and colleagues see that it is open. Returns those who have it open already."""
    file_actions.look(preadmission)
    return stay_on(preadmission)


def stay_on(preadmission: Preadmission) -> Sequence[Other]:
    """The file is still on the agent's screen; its opening was written down. Returns who else has it."""
    actor, now = db.current_actor(), db.now()
    if actor.account_id is None:
        return []
    session.flush()
    known = {"file": preadmission.id, "account": actor.account_id, "gone": now - PRESENT}
    if reading_only.is_on():
        others = session.execute(_WHO_IS_THERE, known)
    else:
        mine = {"hospital": preadmission.establishment_id, "name": actor.name, "now": now}
        others = session.execute(_ARRIVE, known | mine)
    return [Other(name, since_at) for name, since_at in others]


def leave(preadmission_id: UUID) -> None:
    """The agent goes to another file; nothing is decided by it."""
    found = session.get(Presence, (preadmission_id, db.current_actor().account_id))
    if found is not None:
        session.delete(found)
        session.flush()


def take_over(preadmission: Preadmission, why: str = "", version: int | None = None) -> None:
    """Take a file from the colleague who has it, openly: a line of its history says so.

    Raises ChangedMeanwhile, TransitionRefused.
    """
    traces.lock(preadmission, version)
    former, actor = preadmission.agent_name, db.current_actor()
    if preadmission.state != "in_review":
        traces.move(preadmission, "in_review")
    preadmission.agent_id, preadmission.agent_name = actor.account_id, actor.name
    preadmission.version += 1
    _write(preadmission, "taken_over", " – ".join(filter(None, (former, why))))
    traces.record("preadmission.taken_over", preadmission)


def assign(preadmission: Preadmission, account_id: UUID, name: str, version: int | None = None) -> None:
    """Give the file to a colleague, or to oneself; its state stays. Raises ChangedMeanwhile, HeldByAnother."""
    traces.lock(preadmission, version)
    actor = db.current_actor()
    if preadmission.state == "in_review" and preadmission.agent_id not in (None, actor.account_id):
        raise HeldByAnother(preadmission.agent_name)
    preadmission.agent_id, preadmission.agent_name = account_id, name
    preadmission.version += 1
    _write(preadmission, "assigned", name)
    traces.record("preadmission.assigned", preadmission)


def release(preadmission: Preadmission, version: int | None = None) -> None:
    """Give the file back to everybody. Raises ChangedMeanwhile, HeldByAnother."""
    traces.lock(preadmission, version)
    if preadmission.agent_id not in (None, db.current_actor().account_id):
        raise HeldByAnother(preadmission.agent_name)
    preadmission.agent_id, preadmission.agent_name = None, ""
    preadmission.version += 1
    _write(preadmission, "released")
    traces.record("preadmission.released", preadmission)


# -- what is written beside it -------------------------------------------------------------------------------------


def note(preadmission: Preadmission, body: str) -> None:
    """Leave a note for colleagues: the patient never reads it, and no decision waits for it."""
    _write(preadmission, "note", body)
    traces.record("preadmission.noted", preadmission)


def read_card(preadmission: Preadmission, read: Description) -> None:
    """Write down the traits that are on the identity document, to compare them."""
    found = session.get(CardReading, preadmission.id)
    if found is None:
        found = CardReading(preadmission_id=preadmission.id, establishment_id=preadmission.establishment_id)
        session.add(found)
    found.birth_name, found.used_name = read.birth_name.strip(), read.used_name.strip()
    found.first_names, found.birth_on, found.sex = ", ".join(read.first_names), read.birth_on, read.sex
    found.read_by_name, found.read_at = db.current_actor().name, db.now()
    _write(preadmission, "compared")
    traces.record("preadmission.compared", preadmission)
    session.flush()


def send_link_again(preadmission: Preadmission) -> None:
    """Write to the patient once more that there is something for them; the message says nothing else."""
    traces.notify(preadmission)
    _write(preadmission, "link_resent")
    traces.record("preadmission.link_resent", preadmission)


def begin_for(patient_id: UUID, stay: Stay, speaker: Speaker) -> Preadmission:
    """Begin a file for somebody on the phone or at the desk. Raises UnitNotOpen, StayInThePast."""
    made = file_actions.start(patient_id, stay, origin="desk")
    actor = db.current_actor()
    made.agent_id, made.agent_name = actor.account_id, actor.name
    _write(made, "spoken_with", f"{speaker.link}|{speaker.name.strip()}")
    session.flush()
    return made


def forget(preadmission: Preadmission) -> None:
    """Erase what the office kept beside a file whose contents are erased: as the system, which alone may."""
    for table in (OfficeLine, CardReading, Presence):
        session.execute(delete(table).where(table.preadmission_id == preadmission.id))
    traces.record("preadmission.office_forgotten", preadmission)


def _write(preadmission: Preadmission, kind: str, body: str = "") -> None:
    actor = db.current_actor()
    session.add(
        OfficeLine(
            id=uuid4(),
            preadmission_id=preadmission.id,
            establishment_id=preadmission.establishment_id,
            kind=kind,
            body=body,
            actor=actor.label,
            actor_name=actor.name,
            at=db.now(),
        )
    )
    session.flush()


# -- messages of a hospital ----------------------------------------------------------------------------------------


def keep_message(
    establishment_id: UUID, occasion: str, title: str, body: str, message: MessageTemplate | None = None
) -> MessageTemplate:
    """Add a message that agents may start from, or change one. occasion: of `models.OCCASIONS`."""
    kept = message or MessageTemplate(id=uuid4(), establishment_id=establishment_id)
    kept.occasion, kept.title, kept.body = occasion, title.strip(), body.strip()
    kept.changed_at, kept.changed_by_name = db.now(), db.current_actor().name
    session.add(kept)
    session.flush()
    _record_message("preadmission_message.kept", kept)
    return kept


def drop_message(message: MessageTemplate) -> None:
    """Take a message away; what was written from it stays."""
    _record_message("preadmission_message.dropped", message)
    session.delete(message)
    session.flush()


def _record_message(event: str, message: MessageTemplate) -> None:
    audit.record(
        event,
        establishment_id=message.establishment_id,
        object_kind="preadmission_message",
        object_id=message.id,
    )
