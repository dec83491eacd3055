"""The hospital's system is the master of stays: another day, another unit, and the file follows."""

from services.preadmission.actions import traces
from services.preadmission.actions.preparing import Stay
from services.preadmission.models import Preadmission


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
