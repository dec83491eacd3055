"""A community begins, says what it is for and what its members agree to, and ends."""

import re
import unicodedata
from secrets import token_hex
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import db, kpi
from portal.db import session
from services.communities import rights, traces
from services.communities.actions import CommunityClosed, writable
from services.communities.models import Community, CommunityMember
from services.communities.queries import Seat


def create(establishment_id: UUID | None, name: str, kind: str, purpose: str, charter: str) -> Community:
    """A new community, without anybody: its first animator is invited next."""
    made = Community(
        id=uuid4(),
        establishment_id=establishment_id,
        slug=_slug(name),
        name=name,
        kind=kind,
        purpose=purpose,
        charter=charter,
        charter_version=1,
    )
    session.add(made)
    session.flush()
    _note(made, "community.created")
    kpi.count("community_created", establishment_id=establishment_id)
    return made


def describe(seat: Seat, name: str, purpose: str) -> None:
    """Change the name and the purpose. Raises CommunityClosed, NotAllowed."""
    writable(seat, rights.ANIMATOR)
    seat.community.name, seat.community.purpose = name, purpose
    _note(seat.community, "community.described")


def rewrite_charter(seat: Seat, charter: str) -> None:
    """A new version, that every member is asked to accept before they go on; whoever writes it accepts it.

    Raises CommunityClosed, NotAllowed.
    """
    writable(seat, rights.ANIMATOR)
    community = _locked(seat.community.id)
    if charter == community.charter:
        return
    community.charter, community.charter_at = charter, db.now()
    community.charter_version += 1
    _accept(seat.member, community)
    _note(community, "community_charter.changed", version=community.charter_version)


def accept_charter(seat: Seat, version: int) -> bool:
    """The member agrees to the charter that they read; False when it has changed meanwhile."""
    if version != seat.community.charter_version:
        return False
    if not seat.charter_accepted:
        _accept(seat.member, seat.community)
        _note(seat.community, "community_charter.accepted", version=version)
    return True


def close(community: Community) -> None:
    """Everything stays readable for its members; nothing is written any more. Raises CommunityClosed."""
    community = _locked(community.id)
    if community.closed_at is not None:
        raise CommunityClosed
    community.closed_at = db.now()
    _note(community, "community.closed")


def reopen(community: Community) -> None:
    """Members may write again."""
    community = _locked(community.id)
    if community.closed_at is not None:
        community.closed_at = None
        _note(community, "community.reopened")


def _accept(member: CommunityMember, community: Community) -> None:
    member.charter_version, member.charter_at = community.charter_version, db.now()


def _locked(community_id: UUID) -> Community:
    query = select(Community).where(Community.id == community_id).with_for_update(key_share=True)
    return session.scalars(query, execution_options={"populate_existing": True}).one()


def _note(community: Community, action: str, version: int | None = None) -> None:
    traces.record(
        community.id,
        action,
        object_kind="community",
        object_id=community.id,
        establishment_id=community.establishment_id,
        version=version,
    )


def _slug(name: str) -> str:
    """A readable name for exports and files, with what makes it unlike any other."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-')[:60] or 'groupe'}-{token_hex(3)}"
