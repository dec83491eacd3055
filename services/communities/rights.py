"""What each role may do in a community. A role has what those before it have."""

from typing import Final, Literal

Role = Literal["member", "contributor", "moderator", "animator"]

MEMBER: Final = "member"
"""Reads everything, takes part in discussions."""
CONTRIBUTOR: Final = "contributor"
"""Also publishes announcements and documents."""
MODERATOR: Final = "moderator"
"""Also sees to what members report, pins and closes discussions, keeps themes in order."""
ANIMATOR: Final = "animator"
"""Also invites, gives roles, writes the charter, reads the journal, closes the community."""

ROLES: Final = (MEMBER, CONTRIBUTOR, MODERATOR, ANIMATOR)

ACTIVE: Final = "active"
LEFT: Final = "left"
REMOVED: Final = "removed"
STATES: Final = (ACTIVE, LEFT, REMOVED)
"""Of a member; who is only invited has a row in `community_invitation` and none here."""

KINDS: Final = ("cpts", "pathway", "board", "other")
"""A territorial community of practitioners, a care path, a board, anything else."""

NOTIFY: Final = ("all", "announcements", "none")
"""What a member is told of by message: discussions too, announcements of their themes alone, nothing."""


def at_least(role: str, least: str) -> bool:
    """Whether a role has what another one has. An unknown role has nothing."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(least)


def and_above(least: str) -> tuple[str, ...]:
    """The roles that have what this one has."""
    return ROLES[ROLES.index(least) :]
