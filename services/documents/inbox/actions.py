"""What agents write for each other: texts ready to use, absences."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from portal import audit, db
from portal.db import session
from services.documents.inbox.models import Absence, ReplyText


@dataclass(frozen=True)
class Away:
    """Days of an absence, both included, and who stands in."""

    first_on: date
    last_on: date
    deputy_id: UUID
    deputy_name: str


def write_text(establishment_id: UUID, unit_id: UUID | None, title: str, text: str) -> ReplyText:
    """Add a text ready to use, for one unit or for all of a hospital."""
    made = ReplyText(id=uuid4(), establishment_id=establishment_id, unit_id=unit_id, title=title, text=text)
    session.add(made)
    session.flush()
    _record("reply_text.written", made)
    return made


def change_text(made: ReplyText, unit_id: UUID | None, title: str, text: str) -> None:
    """Change a text ready to use: what was sent with it stays as it was."""
    made.unit_id, made.title, made.text, made.changed_at = unit_id, title, text, db.now()
    _record("reply_text.changed", made)


def remove_text(made: ReplyText) -> None:
    """Offer a text no more."""
    made.removed_at = db.now()
    _record("reply_text.removed", made)


def be_away(establishment_id: UUID, away: Away) -> Absence:
    """Whoever acts says when they are away, and who gets what is answered to them meanwhile."""
    actor = db.current_actor()
    assert actor.account_id is not None, "agents have accounts"
    made = Absence(
        id=uuid4(),
        establishment_id=establishment_id,
        account_id=actor.account_id,
        account_name=actor.name,
        deputy_id=away.deputy_id,
        deputy_name=away.deputy_name,
        first_on=away.first_on,
        last_on=away.last_on,
    )
    session.add(made)
    session.flush()
    _record("absence.declared", made)
    return made


def come_back(absence: Absence) -> None:
    """End an absence before its last day."""
    absence.ended_at = db.now()
    _record("absence.ended", absence)


def _record(action: str, made: ReplyText | Absence) -> None:
    audit.record(action, establishment_id=made.establishment_id, object_kind=made.__tablename__, object_id=made.id)
