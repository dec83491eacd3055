"""Who is told, and how: the hospital system's address and codes, and the systems that subscribe to events."""

import secrets
from collections.abc import Collection
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import audit, db, establishments
from portal.db import session
from portal.gateways import his, webhooks
from services.exchanges import dialect, states, subjects
from services.exchanges.actions.following import forget_follower
from services.exchanges.models import Delivery, Follower


def change_his(establishment_id: UUID, url: str) -> None:
    """Set where the hospital's system listens. Raises UnsupportedUrl."""
    his.check(url)
    establishments.change_setting(establishment_id, dialect.ADDRESS, url.strip(), secret=True)
    audit.record("his.changed", establishment_id=establishment_id, scheme=url.partition(":")[0])


def change_dialect(establishment_id: UUID, text: str) -> None:
    """Set how the hospital's system writes our codes. Raises NotADialect."""
    dialect.read(text)
    establishments.change_setting(establishment_id, dialect.SETTING, text.strip())
    audit.record("his_dialect.changed", establishment_id=establishment_id)


def subscribe(
    establishment_id: UUID, name: str, url: str, events: Collection[str], *, anywhere: bool
) -> tuple[Follower, str]:
    """Let a system be told of these events from now on; return it with its secret. Raises UnsupportedUrl."""
    webhooks.checked(url, anywhere=anywhere)
    secret = secrets.token_urlsafe(32)
    made = Follower(
        id=uuid4(),
        establishment_id=establishment_id,
        kind=states.WEBHOOK,
        name=name.strip(),
        url=url,
        secret=secret,
        events=[event for event in subjects.events() if event in events],
    )
    session.add(made)
    session.flush()
    _audit("subscription.added", made)
    return made, secret


def rotate(follower: Follower) -> str:
    """Give a subscription another secret, in use from the next event on."""
    follower.secret = secrets.token_urlsafe(32)
    session.flush()
    _audit("subscription.rotated", follower)
    return follower.secret


def stop(follower: Follower) -> None:
    """Tell it nothing for now; what happens meanwhile waits for it."""
    follower.stopped_at = follower.stopped_at or db.now()
    session.flush()
    _audit("subscription.stopped", follower)


def resume(follower: Follower) -> None:
    """Tell it again, beginning with what waits, and at once."""
    follower.stopped_at = follower.next_try_at = follower.failing_since = None
    follower.failures = 0
    session.flush()
    _audit("subscription.resumed", follower)


def unsubscribe(follower: Follower) -> None:
    """End a subscription, and forget what it was told."""
    _audit("subscription.ended", follower)
    forget_follower(follower)


def try_out(follower: Follower) -> Delivery:
    """Ask for an event that says nothing but that the connection works."""
    made = Delivery(
        id=uuid4(),
        follower_id=follower.id,
        establishment_id=follower.establishment_id,
        event=states.TEST_EVENT,
        changed_at=db.now(),
        control_id=uuid4().hex[:16],
    )
    session.add(made)
    follower.next_try_at = None
    session.flush()
    _audit("subscription.tried", follower)
    return made


def webhook(follower_id: UUID) -> Follower | None:
    """A subscription that the actor may change."""
    return session.scalar(select(Follower).where(Follower.id == follower_id, Follower.kind == states.WEBHOOK))


def _audit(what: str, follower: Follower) -> None:
    audit.record(what, establishment_id=follower.establishment_id, object_kind="follower", object_id=follower.id)
