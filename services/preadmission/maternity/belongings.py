"""Places asked for at maternity units: they follow their file when two accounts are one person's, and come back; they
are in the copy of a person's data."""

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from services.preadmission.maternity import wording
from services.preadmission.maternity.models import MaternityRequest, MaternityWish
from services.preadmission.models import Preadmission

_TABLES: dict[str, Any] = {"maternity_request": MaternityRequest, "maternity_wish": MaternityWish}


def declare() -> None:
    """Once, when the application starts."""
    register(Belongings("maternity", adopt, release))
    export.contribute("maternity_requests", part)


def adopt(move: Move) -> Rows:
    """With the files of that hospital, whichever hospitals were asked."""
    here = select(Preadmission.id).where(Preadmission.establishment_id == move.establishment_id)
    return {
        name: session.scalars(
            update(table)
            .where(table.preadmission_id.in_(here), table.patient_id == move.from_id)
            .values(patient_id=move.to_id)
            .returning(table.id),
            execution_options={"synchronize_session": False},
        ).all()
        for name, table in _TABLES.items()
    }


def release(move: Move, moved: Rows) -> None:
    for name, table in _TABLES.items():
        session.execute(update(table).where(table.id.in_(moved.get(name, ()))).values(patient_id=move.to_id))


def part(patient_id: UUID) -> Part:
    """Each site asked, with its answer."""
    wishes = session.scalars(
        select(MaternityWish)
        .where(MaternityWish.patient_id == patient_id)
        .options(joinedload(MaternityWish.request), joinedload(MaternityWish.site))
        .order_by(MaternityWish.changed_at)
    )
    return Part("maternity_requests", _l("Places at the maternity unit"), [_entry(each) for each in wishes])


def _entry(each: MaternityWish) -> Entry:
    facts = [
        Fact("site", _l("Site"), each.site.name),
        Fact("due_on", _l("Birth expected on"), each.request.due_on),
        Fact("state", _l("State"), each.state, wording.STATES[each.state][0]),
        Fact("words", _l("The maternity unit writes:"), each.words),
        Fact("sent_on", _l("Sent on"), each.request.created_at),
    ]
    return Entry(each.site.name, facts)
