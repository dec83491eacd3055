"""What this room holds about a person, for the copy of their data."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from auth.account import export
from auth.account.export import Entry, Fact, Part
from services.circle import queries, wording
from services.circle.models import CircleMember


def declare() -> None:
    export.contribute("circle", part)


def part(patient_id: UUID) -> Part:
    """Everybody who is or was in the circle, with what changed."""
    circle = queries.circle(patient_id)
    return Part("circle", _l("My circle of care"), [_entry(each) for each in reversed(circle.members)])


def _entry(each: CircleMember) -> Entry:
    changes = [
        f"{change.at:%Y-%m-%d %H:%M} {change.code} {','.join(change.scopes)}".strip()
        for change in reversed(queries.changes_of(each))
    ]
    facts = [
        Fact("occupation", _l("Occupation"), each.occupation),
        Fact("place", _l("Place"), each.place),
        Fact("role", _l("Role"), each.role, wording.ROLES[each.role]),
        Fact("standing", _l("Within the care team or outside it"), each.standing),
        Fact("state", _l("Where it stands"), each.state, wording.STATES[each.state][0]),
        Fact("scopes", _l("What they may see"), list(each.scopes)),
        Fact("since_at", _l("Since"), each.since_at),
        Fact("until_at", _l("Until"), each.until_at),
        Fact("ended_at", _l("Ended"), each.ended_at),
        Fact("why", _l("Their words"), each.why),
        Fact("changes", _l("What changed"), changes),
    ]
    return Entry(each.name, facts)
