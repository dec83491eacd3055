"""What a patient's death leaves open here: questions that nobody can answer any more, alerts that nobody saw."""

from collections.abc import Collection, Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from auth.death import affairs
from auth.death.affairs import Affair, Kind
from portal import calendar
from portal.db import session
from services.questionnaires import states
from services.questionnaires.models import RIGHT, SentQuestionnaire


def declare() -> None:
    affairs.offer(Kind("questionnaires", _l("Questionnaires"), RIGHT, "admin_questionnaires.show", _open))


def _open(patient_id: UUID, establishments: Collection[UUID]) -> Sequence[Affair]:
    """By the day they were sent, without their titles: these may tell of health."""
    rows = session.scalars(
        select(SentQuestionnaire)
        .options(joinedload(SentQuestionnaire.establishment))
        .where(
            SentQuestionnaire.patient_id == patient_id,
            SentQuestionnaire.establishment_id.in_(establishments),
            or_(SentQuestionnaire.state.in_(states.OPEN), SentQuestionnaire.alert == states.ALERT_OPEN),
        )
        .order_by(SentQuestionnaire.sent_at)
    )
    return [
        Affair(each.establishment_id, str(each.id)[:8], calendar.civil_day(each.sent_at, each.tz), {"sent_id": each.id})
        for each in rows
    ]
