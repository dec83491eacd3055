"""Choices are noted each time, and can be changed after the file was sent: no agent has to open it again."""

from uuid import UUID, uuid4

from flask_babel import get_locale
from sqlalchemy import delete, select

from portal import audit, calendar, db
from portal.db import session
from services.preadmission.actions import preparing, traces
from services.preadmission.actions.facts import NotEditable
from services.preadmission.answers import Answers, Choices
from services.preadmission.choices import texts
from services.preadmission.choices.models import ChoiceMade
from services.preadmission.models import OPEN_STATES, Preadmission
from services.preadmission.states import READY

_CHANGEABLE = (*OPEN_STATES, *READY)


def note(preadmission: Preadmission, answers: Answers) -> None:
    """Keep what has just been chosen, with the version that was read; the same thing saved again adds nothing."""
    assert isinstance(answers, Choices), "it follows the step of the choices"
    last = session.scalar(
        select(ChoiceMade).where(ChoiceMade.preadmission_id == preadmission.id).order_by(ChoiceMade.at.desc()).limit(1)
    )
    chosen, actor = answers.model_dump_json(), db.current_actor()
    if last is not None and last.choices == chosen:
        return
    version, locale = texts.PUBLISHED.get(answers.text_version, texts.IN_FORCE), str(get_locale() or "fr")
    session.add(
        ChoiceMade(
            id=uuid4(),
            preadmission_id=preadmission.id,
            at=db.now(),
            actor=actor.label,
            actor_name=actor.name,
            choices=chosen,
            text_version=version.code,
            locale=locale,
            digest=version.digest(locale),
        )
    )
    session.flush()
    traces.record("choices.made", preadmission, version=version.code)


def is_changeable(preadmission: Preadmission) -> bool:
    """Until the day of the stay is over, while somebody still needs the file."""
    today = calendar.civil_day(db.now(), preadmission.establishment.tz)
    return preadmission.state in _CHANGEABLE and preadmission.planned_on >= today


def change(preadmission: Preadmission, choices: Choices, version: int) -> None:
    """Change one's mind, in a file that was sent. version: of the answers as they were read.

    Raises NotEditable (the stay is over), ChangedMeanwhile.
    """
    traces.lock(preadmission)
    if not is_changeable(preadmission):
        raise NotEditable(preadmission.id)
    preparing.write_answers(preadmission, choices, version)
    preadmission.confidential = choices.confidential
    session.flush()
    note(preadmission, choices)


def forget(preadmission_id: UUID) -> int:
    """Delete the history of a file's choices; return how many rows there were. As the system."""
    gone = session.scalars(
        delete(ChoiceMade).where(ChoiceMade.preadmission_id == preadmission_id).returning(ChoiceMade.id)
    ).all()
    if gone:
        audit.record("choices.forgotten", object_kind="preadmission", object_id=preadmission_id, choices=len(gone))
    return len(gone)
