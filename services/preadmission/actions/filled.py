"""Who else has something to do when a step is saved: those who sign with the patient, the history of choices."""

from collections.abc import Callable

from services.preadmission.answers import Answers
from services.preadmission.models import Preadmission

Follower = Callable[[Preadmission, Answers], None]
_followers: dict[str, Follower] = {}


def follow(step: str, follower: Follower) -> None:
    """Call this in the transaction that saves the step, once its answers are written."""
    _followers[step] = follower


def tell(preadmission: Preadmission, answers: Answers) -> None:
    """A step has just been saved."""
    if follower := _followers.get(answers.step):
        follower(preadmission, answers)
