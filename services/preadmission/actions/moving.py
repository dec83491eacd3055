"""Where and when the stay takes place changes, and the file follows: the hospital's system is the master of stays, and
units close."""

from portal.db import session
from portal.establishments import Unit
from services.preadmission.actions import deciding, traces
from services.preadmission.actions.preparing import Stay
from services.preadmission.models import Preadmission
from services.preadmission.states import TransitionRefused


def move_stay(preadmission: Preadmission, stay: Stay) -> None:
    """The stay is moved: the file's deadlines follow, and its patient is told. The kind changes in a draft alone:
    what was asked of a sent file was asked for its kind."""
    traces.lock(preadmission)
    before = (preadmission.unit_id, preadmission.planned_on)
    preadmission.unit_id, preadmission.planned_on = stay.unit_id, stay.planned_on
    if preadmission.state == "draft":
        preadmission.stay_kind = stay.stay_kind
    preadmission.version += 1
    traces.record("preadmission.moved", preadmission)
    if before != (stay.unit_id, stay.planned_on):
        traces.notify(preadmission)


def hand_over(preadmission: Preadmission, unit: Unit) -> None:
    """The unit closes before the stay: another one of its hospital expects the patient, who is told. Raises
    TransitionRefused when nothing is expected of the file any more."""
    _lock_open(preadmission, "in_review")
    preadmission.unit_id, preadmission.unit = unit.id, unit
    preadmission.version += 1
    session.flush()
    traces.record("preadmission.handed_over", preadmission, unit=str(unit.id))
    traces.notify(preadmission)


def give_back(preadmission: Preadmission, words: str) -> None:
    """The unit closes before the stay and nobody takes it over: a file that was sent is refused with these words, a
    draft ends with them. Raises TransitionRefused when nothing is expected of the file any more."""
    _lock_open(preadmission, "refused")
    if preadmission.state != "draft":
        deciding.refuse(preadmission, words)
        return
    traces.move(preadmission, "cancelled_by_hospital", words)
    preadmission.decision_reason = words
    session.flush()
    traces.notify(preadmission)


def _lock_open(preadmission: Preadmission, wanted: str) -> None:
    traces.lock(preadmission)
    if not preadmission.is_open:
        raise TransitionRefused(preadmission.state, wanted)
