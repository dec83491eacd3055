"""The life of a questionnaire's definition, and of one sent to somebody: allowed changes as data."""

from collections.abc import Mapping

DRAFT = "draft"
PUBLISHED = "published"
RETIRED = "retired"
DEFINITION_STATES = (DRAFT, PUBLISHED, RETIRED)
DEFINITION_TRANSITIONS: Mapping[str, frozenset[str]] = {
    DRAFT: frozenset({PUBLISHED}),
    PUBLISHED: frozenset({RETIRED}),
    RETIRED: frozenset(),
}
"""What was published is never changed: a new version is a new draft."""

WAITING = "waiting"
BEGUN = "begun"
ANSWERED = "answered"
EXPIRED = "expired"
WITHDRAWN = "withdrawn"
FORGOTTEN = "forgotten"
OPEN = (WAITING, BEGUN)
STATES = (WAITING, BEGUN, ANSWERED, EXPIRED, WITHDRAWN, FORGOTTEN)
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({WAITING}),
    WAITING: frozenset({BEGUN, ANSWERED, EXPIRED, WITHDRAWN}),
    BEGUN: frozenset({ANSWERED, EXPIRED, WITHDRAWN}),
    ANSWERED: frozenset({ANSWERED, FORGOTTEN}),
    EXPIRED: frozenset({FORGOTTEN}),
    WITHDRAWN: frozenset({FORGOTTEN}),
    FORGOTTEN: frozenset(),
}
"""To ANSWERED again: corrected, as a new version. What was answered is never taken back, even when the stay is."""

NO_ALERT = ""
ALERT_OPEN = "open"
ALERT_SEEN = "seen"
ALERTS = (NO_ALERT, ALERT_OPEN, ALERT_SEEN)

# Codes, never free text: a reason typed by hand would hold health data.
WITHDRAWN_BECAUSE = ("cancelled", "moved", "by_hand", "death", "unit_closed")


class NotAllowed(Exception):
    """It cannot go from this state to that one."""


def check(from_state: str, to_state: str, table: Mapping[str, frozenset[str]] = TRANSITIONS) -> None:
    """Raises NotAllowed when the change is not in the table."""
    if to_state not in table[from_state]:
        raise NotAllowed(f"{from_state} → {to_state}")
