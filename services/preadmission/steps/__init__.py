"""The steps of a file that have questions, one module each: form, words, summary."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from services.preadmission.answers import Answers
from services.preadmission.asked import ORDER
from services.preadmission.steps import (
    accident,
    choices,
    coverage,
    directives,
    doctor,
    holders,
    identity,
    maternity,
    protector,
    relative,
    room,
    situation,
    trust,
)
from services.preadmission.steps.step import Rows, Step, StepForm

__all__ = ["BY_SLUG", "STEPS", "TITLES", "Rows", "Step", "StepForm", "told_of"]

STEPS: Final[Mapping[str, Step]] = {
    module.STEP.code: module.STEP
    for module in (
        situation, identity, doctor, coverage, accident, maternity, holders, protector, relative, trust, room,
        directives, choices,
    )
}  # fmt: skip
BY_SLUG: Final[Mapping[str, Step]] = {step.slug: step for step in STEPS.values()}

TITLES: Final[Mapping[str, Any]] = {
    "stay": _l("Your stay"),
    **{code: step.title for code, step in STEPS.items()},
    "pieces": _l("Your documents"),
    "check": _l("Check and send"),
}
"""Every page of a draft → its title."""


def told_of(answers: Mapping[str, Answers], *, own: bool = False) -> Sequence[tuple[Step, Rows]]:
    """The answers that were given, in the order of the pages: what summaries show. own: to whom gave them."""
    return [
        (STEPS[code], _rows(STEPS[code], answers[code], own)) for code in ORDER if code in answers and code in STEPS
    ]


def _rows(step: Step, answers: Answers, own: bool) -> Rows:
    return (step.own_rows or step.rows)(answers) if own else step.rows(answers)
