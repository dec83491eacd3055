"""What a hospital chooses: its settings about requests, and what its agents start messages from."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from portal import audit, db, establishments
from portal.db import session
from services.documents.requests.models import RecordRequestAnswer
from services.documents.requests.settings import PREFIX


def choose(establishment_id: UUID, values: Mapping[str, str]) -> None:
    """Change this hospital's settings; keys of `settings.KEYS`. Raises BadSetting."""
    for key, value in values.items():
        establishments.change_setting(establishment_id, f"{PREFIX}{key}", value.strip())
    session.flush()
    audit.record(
        "record_requests.set",
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
        keys=",".join(sorted(values)),
    )


def keep_answer(
    establishment_id: UUID, desk: str, kind: str, title: str, body: str, former: RecordRequestAnswer | None = None
) -> RecordRequestAnswer:
    """Add what agents may start from, or change it. kind: "" for any request of that desk."""
    kept = former or RecordRequestAnswer(id=uuid4(), establishment_id=establishment_id, desk=desk)
    kept.kind, kept.title, kept.body = kind, title.strip(), body.strip()
    kept.changed_at, kept.changed_by_name = db.now(), db.current_actor().name
    session.add(kept)
    session.flush()
    _record("record_answer.kept", kept)
    return kept


def drop_answer(former: RecordRequestAnswer) -> None:
    """Take it away; what was written from it stays."""
    _record("record_answer.dropped", former)
    session.delete(former)
    session.flush()


def _record(action: str, kept: RecordRequestAnswer) -> None:
    audit.record(action, establishment_id=kept.establishment_id, object_kind="record_answer", object_id=kept.id)
