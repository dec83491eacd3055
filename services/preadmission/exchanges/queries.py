"""What agents see of exchanges about pre-admissions, always of their hospitals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import case, select

from auth.identity import nir
from portal import establishments
from portal.db import session
from services.exchanges import dialect
from services.exchanges import states as delivered
from services.exchanges.models import Delivery, Follower
from services.preadmission.exchanges import folder, pam, readable, states
from services.preadmission.exchanges.actions import telling
from services.preadmission.exchanges.readable import Lines
from services.preadmission.exchanges.request import Request


def known_there(files: Collection[UUID]) -> Mapping[UUID, str]:
    """File → how the hospital's system knows it: `accepted`, `waiting`, `refused` or `set_aside`; none without a
    system. What is not settled says more than what is."""
    rank = case((Delivery.state == delivered.REFUSED, 3), (Delivery.state == delivered.WAITING, 2), else_=1)
    rows = session.execute(
        select(Delivery.subject_id, Delivery.state)
        .join(Delivery.follower)
        .where(
            Follower.kind == delivered.HIS,
            Delivery.subject_id.in_(files),
            Delivery.subject_kind == states.SUBJECT,
            Delivery.state != delivered.NOT_NEEDED,
        )
        .order_by(rank, Delivery.changed_at)
    )
    return {row.subject_id: row.state for row in rows}


def format_of(establishment_id: UUID) -> str:
    """How this hospital's system takes our requests: one of `states.FORMATS`."""
    return establishments.setting(establishment_id, states.FORMAT, states.NONE)


def as_told(delivery: Delivery) -> Sequence[tuple[str, Lines]]:
    """What a message says, in words, as it would leave now; numbers of social security are hidden, as on the file's own
    page. Nothing when its file is gone."""
    request = telling.request_of(delivery)
    if request is None:
        return ()
    hidden = _hidden(request)
    if format_of(delivery.establishment_id) == states.CSV:
        return [(folder.CSV_NAME, [(name, value) for name, value in folder.columns(hidden) if value])]
    codes = dialect.read(establishments.setting(delivery.establishment_id, dialect.SETTING))
    return readable.in_words(pam.write(hidden, codes.named(delivery.follower.establishment.finess)))


def _hidden(request: Request) -> Request:
    covers = tuple(
        replace(each, insured_id=nir.masked(each.insured_id)) if each.payer == "AMO" and each.insured_id else each
        for each in request.covers
    )
    return replace(request, covers=covers)
