"""What agents do with lists of correspondents."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from portal import audit, db
from portal.db import session
from portal.establishments import Unit
from services.directory.queries import Box
from services.documents.exchanges import actions as exchanges
from services.documents.exchanges import queries
from services.documents.exchanges.actions import Draft
from services.documents.exchanges.models import Exchange
from services.documents.lists.models import CorrespondentList, ListMember


class NoBox(Exception):
    """The unit has no MSSanté box to write from."""


def keep(establishment_id: UUID, name: str, theme: str, boxes: Sequence[Box]) -> CorrespondentList:
    """Add a list of boxes of the national directory."""
    made = CorrespondentList(id=uuid4(), establishment_id=establishment_id, name=name, theme=theme)
    made.members = _members(made, boxes)
    session.add(made)
    session.flush()
    _record("correspondent_list.kept", made)
    return made


def change(kept: CorrespondentList, name: str, theme: str, boxes: Sequence[Box]) -> None:
    """Change a list; messages already sent stay as they are."""
    kept.name, kept.theme, kept.changed_at = name, theme, db.now()
    kept.members.clear()
    session.flush()
    kept.members = _members(kept, boxes)
    session.flush()
    _record("correspondent_list.changed", kept)


def remove(kept: CorrespondentList) -> None:
    """Write to a list no more."""
    kept.removed_at = db.now()
    _record("correspondent_list.removed", kept)


def send(kept: CorrespondentList, unit: Unit, draft: Draft) -> list[Exchange]:
    """A unit writes to each member of a list, in a thread of their own: nobody reads who else got it.

    About nobody: the draft names no patient. Raises NoBox, EmptyMessage, FileNotReadable.
    """
    assert draft.about_id is None, "what goes to a list is about nobody"
    assert not draft.birth_name, "what goes to a list is about nobody"
    box = queries.box_of(unit)
    if box is None:
        raise NoBox
    sent = [exchanges.send_to_address(unit, box, each.address, each.label, draft) for each in kept.members]
    _record("correspondent_list.written_to", kept)
    return sent


def _members(kept: CorrespondentList, boxes: Sequence[Box]) -> list[ListMember]:
    return [
        ListMember(list_id=kept.id, establishment_id=kept.establishment_id, address=each.address, label=each.label)
        for each in {box.address: box for box in boxes}.values()
    ]


def _record(action: str, kept: CorrespondentList) -> None:
    audit.record(action, establishment_id=kept.establishment_id, object_kind="correspondent_list", object_id=kept.id)
