"""What a hospital's file said of somebody's circle follows when two people turn out to be one, and comes back."""

from sqlalchemy import select, update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from services.circle import states
from services.circle.models import CircleMember


def adopt(move: Move) -> Rows:
    """What that hospital said, unless the person said otherwise: what is theirs wins, and the other stays behind."""
    said = select(CircleMember.id).where(
        CircleMember.patient_id == move.to_id, CircleMember.state.in_((states.ASKED, *states.STANDING_ONES))
    )
    moved = session.scalars(
        update(CircleMember)
        .where(
            CircleMember.establishment_id == move.establishment_id,
            CircleMember.patient_id == move.from_id,
            ~said.exists(),
        )
        .values(patient_id=move.to_id)
        .returning(CircleMember.id),
        execution_options={"synchronize_session": False},
    ).all()
    return {"circle_member": moved}


def release(move: Move, moved: Rows) -> None:
    ids = list(moved.get("circle_member", ()))
    session.execute(
        update(CircleMember).where(CircleMember.id.in_(ids)).values(patient_id=move.to_id),
        execution_options={"synchronize_session": False},
    )


def declare() -> None:
    """Say what this room holds to whoever links people."""
    register(Belongings("circle", adopt, release))
