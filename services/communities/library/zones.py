"""The clock of a community: that of the hospital that hosts it."""

from zoneinfo import ZoneInfo

from portal.db import session
from portal.establishments import Establishment
from services.communities.models import Community

_OF_THE_GROUP = ZoneInfo("Europe/Paris")


def zone_of(community: Community) -> ZoneInfo:
    """A community of the whole group has the mainland's."""
    host = session.get(Establishment, community.establishment_id) if community.establishment_id else None
    return host.tz if host else _OF_THE_GROUP
