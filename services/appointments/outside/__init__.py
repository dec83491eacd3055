"""What the hospital's own agenda says: sessions it opens, times it fills elsewhere than in the portal."""

from services.appointments.actions import capacity, opening
from services.appointments.outside import actions, jobs  # noqa: F401 - jobs registers


def register() -> None:
    """Whatever opens or frees time, what is busy elsewhere stays taken."""
    capacity.when_freed(actions.cover_freed)
    opening.when_opened(actions.cover_opened)
