"""Communities for their members: always for a given account or seat (row-level security is the second lock)."""

from services.communities.queries.seats import Seat, community_of, membership, seat, seats

__all__ = ["Seat", "community_of", "membership", "seat", "seats"]
