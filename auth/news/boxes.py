"""The professional box (MSSanté) where somebody is told: known by the national directory as theirs, or proven by a link
sent to it. Rooms give the two doors: what the directory knows, and a box of the hospital to write from."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from auth.identity import sealing
from auth.models import Professional
from auth.news import gathering
from auth.news.models import NewsBox
from portal import audit, db, jobs
from portal.db import session

LINK_LIFE: Final = timedelta(days=2)
_PAUSE: Final = timedelta(minutes=2)


class NoBox(Exception):
    """No box of the hospital can write now: there is none, or no operator is set."""


class NotABox(Exception):
    """The address is not one of the secure space."""


class TooSoon(Exception):
    """A link has just been sent: the next one may be asked for in two minutes."""


Known = Callable[[str], Sequence[str]]
"""An RPPS number → the addresses of the boxes that the national directory publishes, the one to write to first."""
Send = Callable[[str, str, str, str], None]
"""Send a text from a box of the hospital: address, subject, text, a key that is the same at each try. Only from a job.
Raises NoBox, Refused, Unavailable, OutcomeUnknown."""
_known: list[Known] = []
_send: list[Send] = []


def known_by(known: Known) -> None:
    """Let a room say what the directory knows."""
    _known[:] = [known]


def written_from(send: Send) -> None:
    """Let a room write from a box of the hospital."""
    _send[:] = [send]


def send(address: str, subject: str, text: str, key: str) -> None:
    """Write to a professional box. Raises NoBox, Refused, Unavailable, OutcomeUnknown."""
    if not _send:
        raise NoBox
    _send[0](address, subject, text, key)


def proposed() -> Sequence[str]:
    """The boxes of the signed-in practitioner that the directory knows."""
    rpps = session.scalar(select(Professional.rpps).where(Professional.account_id == db.current_actor().account_id))
    return _known[0](rpps) if rpps and _known else ()


def choose(address: str) -> NewsBox:
    """Be told in this box: at once when the directory says that it is theirs, else once the link sent there is opened.

    Raises NotABox, TooSoon.
    """
    address, account_id = address.strip().lower(), _account_id()
    if not is_secure(address) and address not in proposed():
        raise NotABox
    before = session.get(NewsBox, account_id)
    if before is not None and before.digest and db.now() - before.asked_at < _PAUSE:
        raise TooSoon
    is_known, now = address in proposed(), db.now()
    values = {
        "address": address,
        "asked_at": now,
        "digest": None if is_known else digest(_tokens(account_id, address, now)[0]),
        "verified_at": now if is_known else None,
        "trouble": "",
    }
    row = insert(NewsBox).values(account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=values))
    audit.record("news_box.chosen", object_kind="account", object_id=account_id)
    if is_known:
        gathering.look_again(account_id)
    else:
        jobs.enqueue("news.prove_box", account_id=str(account_id))
    session.expire_all()
    return session.get_one(NewsBox, account_id)


def confirm(token: str) -> bool:
    """Whether this is the link that was sent to the box of the signed-in person, in the last two days; once."""
    box = session.get(NewsBox, _account_id(), with_for_update={"key_share": True})
    if box is None or box.digest != digest(token) or db.now() - box.asked_at > LINK_LIFE:
        return False
    box.verified_at, box.digest, box.trouble = db.now(), None, ""
    session.flush()
    gathering.look_again(box.account_id)
    audit.record("news_box.verified", object_kind="account", object_id=box.account_id)
    return True


def remove() -> None:
    """No box any more: plain mail again, as is usual."""
    account_id = _account_id()
    box = session.get(NewsBox, account_id)
    if box is not None:
        session.delete(box)
        session.flush()
        gathering.look_again(account_id)
        audit.record("news_box.removed", object_kind="account", object_id=account_id)


def is_secure(address: str) -> bool:
    """Whether the address is one of the secure space of professionals, which ends so (MSSanté, socle 1)."""
    local, at, domain = address.partition("@")
    return bool(local and at) and domain.endswith(".mssante.fr") and not domain.startswith("patient.")


def proof(account_id: UUID) -> tuple[str, str] | None:
    """As the system: the address of a box that is to be proven, and the token of the link; the same at each try."""
    box = session.get(NewsBox, account_id)
    if box is None or box.digest is None or box.verified_at is not None:
        return None
    made = _tokens(account_id, box.address, box.asked_at)
    return box.address, next((each for each in made if digest(each) == box.digest), made[0])


def note_trouble(account_id: UUID, address: str, trouble: str) -> None:
    """As the system: nothing could be written to this box. trouble: no_box | refused."""
    box = session.get(NewsBox, account_id, with_for_update={"key_share": True}, populate_existing=True)
    if box is not None and box.address == address:
        box.trouble = trouble
        session.flush()


def _tokens(account_id: UUID, address: str, asked_at: datetime) -> list[str]:
    made = sealing.digests("news box", f"{account_id} {address} {asked_at.astimezone(UTC).isoformat()}")
    return [urlsafe_b64encode(each[:18]).decode() for each in made]


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _account_id() -> UUID:
    account_id = db.current_actor().account_id
    assert account_id is not None, "a signed-in person"
    return account_id
