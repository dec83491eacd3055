"""What was chosen, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.db import session
from services.preadmission.answers import Choices
from services.preadmission.choices.models import ChoiceMade


@dataclass(frozen=True)
class Made:
    """One time of choosing."""

    at: datetime
    by: str
    choices: Choices
    text_version: str


def history(preadmission_id: UUID) -> Sequence[Made]:
    """Every time, the latest first; the caller has found the file under its own rules."""
    rows = session.scalars(
        select(ChoiceMade)
        .where(ChoiceMade.preadmission_id == preadmission_id)
        .order_by(ChoiceMade.at.desc(), ChoiceMade.id)
    )
    return [Made(row.at, row.actor_name, Choices.model_validate_json(row.choices), row.text_version) for row in rows]
