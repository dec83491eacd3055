"""Which secret of the portal signs, since when, and what was made with another one and is of use still."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from auth.enrolment.models import LinkCode
from auth.factors import recovery
from auth.factors.models import RecoveryCode
from auth.keys.models import SecretKeyMark
from portal import db, jobs
from portal.db import session

ROLLING: Final = timedelta(hours=1)
"""How long processes with the former key may have signed after the first worker with the new one."""
TOLD_FOR: Final = timedelta(days=30)
"""Messages sent with the former key are read by then, and most codes printed have ended."""

Count = Callable[[datetime], int]
"""A moment → how many things that are of use were made before it. In a transaction of the system."""
_kinds: dict[str, Count] = {}


def offer(what: str, count: Count) -> None:
    """Something that people hold and that only the secret that made it recognises. what: as an operator calls it."""
    _kinds[what] = count


def register() -> None:
    """What the sign-in has of it."""
    offer("recovery codes", _recovery_codes)
    offer("codes to link an account", _link_codes)


@jobs.periodic("*/5 * * * *", "keys.note")
def note() -> None:
    """Remember when a key began to sign: the first one that is ever seen always has."""
    with jobs.reading() as current:
        is_first = current.scalar(select(func.count()).select_from(SecretKeyMark)) == 0
        mark = insert(SecretKeyMark).values(name=_names()[0], signs_since=None if is_first else db.now())
        current.execute(mark.on_conflict_do_nothing())


def since() -> datetime | None:
    """When the key that signs began to; None when no other one was ever seen. In a transaction of the system."""
    return session.scalar(select(SecretKeyMark.signs_since).where(SecretKeyMark.name == _names()[0]))


def depending() -> dict[str, int]:
    """What was made with a former key, by kind; {} when nothing was, or no other key was ever seen."""
    began = since()
    if began is None:
        return {}
    counted = {what: count(began + ROLLING) for what, count in _kinds.items()}
    return {what: number for what, number in counted.items() if number}


def is_former_known() -> bool:
    """Whether a key that signed before is among the fallbacks."""
    query = select(func.count()).select_from(SecretKeyMark).where(SecretKeyMark.name.in_(_names()[1:]))
    return bool(session.scalar(query))


def advice(now: datetime) -> str:
    """What an operator has to do about it, or nothing."""
    began = since()
    if began is None:
        return ""
    if is_former_known():
        is_over = began < now - TOLD_FOR and not depending()
        return "nothing needs the former one any more: take it out of PORTAL_SECRET_KEY_FALLBACKS" if is_over else ""
    lost = depending() if began > now - TOLD_FOR else {}
    return f"the key that made them is not in PORTAL_SECRET_KEY_FALLBACKS: {told(lost)}" if lost else ""


def told(counted: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counted.items())


def _names() -> list[str]:
    """Of the keys of the configuration, the one that signs first."""
    return [_name_of(each) for each in current_app.config["SETTINGS"].secret_keys()]


def _name_of(secret: str) -> str:
    return hashlib.sha256(b"mark:" + secret.encode()).hexdigest()[:16]


def _recovery_codes(before: datetime) -> int:
    unused = RecoveryCode.used_at.is_(None), RecoveryCode.created_at < before, ~recovery.is_sealed(RecoveryCode.digest)
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


def _link_codes(before: datetime) -> int:
    unused = LinkCode.used_at.is_(None), LinkCode.expires_at > db.now(), LinkCode.made_at < before
    return session.scalar(select(func.count()).select_from(LinkCode).where(*unused)) or 0
