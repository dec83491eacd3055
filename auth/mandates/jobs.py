"""What happens to mandates with time: warned, prompted, closed. Each access ends by itself at its midnight; these jobs
say so afterwards."""

from collections.abc import Callable, Sequence
from uuid import UUID

from auth.mandates import actions, ages, queries, states
from portal import db, jobs

WARN_DAYS = 30


@jobs.periodic("17 * * * *", "mandates.follow")
def follow() -> None:
    """Every hour, since each hospital has its own midnight. One transaction a mandate; a second run finds it done."""
    _each("mandates.close", queries.over_now, actions.close)
    _each("mandates.lapse", queries.codes_over, actions.lapse)
    _each("mandates.warn", lambda: queries.ending_soon(WARN_DAYS), actions.warn)
    _each("mandates.prompt", _of_age_to_sign_in, actions.prompt)


def _of_age_to_sign_in() -> Sequence[UUID]:
    return queries.children_born_by(ages.born_by(ages.today_in("Europe/Paris", db.now()), ages.MAY_SIGN_IN))


def _each(name: str, find: Callable[[], Sequence[UUID]], act: Callable[[UUID], None]) -> None:
    actor = db.system(name)
    with db.transaction(actor):
        found = find()
    for mandate_id in found:
        try:
            with db.transaction(actor):
                act(mandate_id)
        except states.TransitionRefused:  # it ended in the meantime
            continue
