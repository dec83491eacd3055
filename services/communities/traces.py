"""One gesture, written twice: in the audit of the portal, and in the journal that the animators of a community read."""

import json
from typing import Any
from uuid import UUID

from portal import audit, db

_INSERT = (
    "insert into community_event (community_id, actor, actor_name, action, object_kind, object_id, label, details)"
    " values (:community_id, :actor, :actor_name, :action, :object_kind, :object_id, :label, cast(:details as jsonb))"
)


def record(
    community_id: UUID,
    action: str,
    *,
    object_kind: str = "",
    object_id: UUID | None = None,
    label: str = "",
    establishment_id: UUID | None = None,
    **details: str | int | None,
) -> None:
    """Write what the current actor does in a community (`noun.past`, words in `journal.WORDS`).

    label: what it was about, in the words of the community (the title of a discussion, a member's name): for its own
    journal, never for the audit of the portal. details: codes and ids.
    """
    codes: dict[str, Any] = {"community": str(community_id), **details}
    audit.record(action, establishment_id=establishment_id, object_kind=object_kind, object_id=object_id, **codes)
    actor = db.current_actor()
    db.write_later(
        _INSERT,
        {
            "community_id": community_id,
            "actor": actor.label,
            "actor_name": actor.name,
            "action": action,
            "object_kind": object_kind,
            "object_id": object_id,
            "label": label[:200],
            "details": json.dumps(details) if details else "{}",
        },
    )
