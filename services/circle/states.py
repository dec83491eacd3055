"""Who may be around a patient, what they may see, and where a place in the circle stands."""

from typing import Final

TREATING: Final = "treating_doctor"
ROLES: Final = (
    TREATING, "doctor", "nurse", "pharmacist", "midwife", "dentist", "physiotherapist", "psychologist",
    "coordinator", "home_care", "other",
)  # fmt: skip
TEAM: Final = "team"
OUTSIDE: Final = "outside"
STANDINGS: Final = (TEAM, OUTSIDE)
"""Within the care team sharing is presumed, after information, unless the patient objects; a professional outside it
needs the patient's consent, which may be taken back at any time (CSP, L1110-4, L1110-12, D1110-3-1)."""
SCOPES: Final = ("documents", "appointments", "referrals")
"""What may be seen."""
ORIGINS: Final = ("patient", "code", "practitioner", "hospital")
"""Who wrote it: the patient, the practitioner with the patient's code or by asking, a hospital's file."""

ASKED: Final = "asked"
ACTIVE: Final = "active"
OBJECTED: Final = "objected"
REFUSED: Final = "refused"
ENDED: Final = "ended"
STATES: Final = (ASKED, ACTIVE, OBJECTED, REFUSED, ENDED)
STANDING_ONES: Final = (ACTIVE, OBJECTED)
"""In the circle, whether or not they see anything."""
_NEXT: Final = {
    "": frozenset({ASKED, ACTIVE}),
    ASKED: frozenset({ACTIVE, REFUSED, ENDED}),
    ACTIVE: frozenset({OBJECTED, ENDED}),
    OBJECTED: frozenset({ACTIVE, ENDED}),
    REFUSED: frozenset(),
    ENDED: frozenset(),
}


class NotPossible(Exception):
    """This cannot be done from where things stand."""


def check(current: str, wanted: str) -> None:
    """Raises NotPossible."""
    if wanted not in _NEXT[current]:
        raise NotPossible(f"{current} -> {wanted}")
