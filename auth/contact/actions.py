"""A person gives where they may be reached, and proves it with a code; they choose how they are told."""

import hmac
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select

from auth.contact import mails
from auth.contact.models import ContactPoint
from auth.factors import codes
from auth.identity import sealing
from auth.models import Account, Patient, PatientAccess
from auth.records import as_system
from portal import audit, db, jobs, notifications
from portal.db import session

CODE_LIFE: Final = codes.LIFE
MOST_TRIES: Final = 5
MOST_CODES: Final = 5
_SPAN: Final = timedelta(hours=1)
_PURPOSE: Final = "contact code"


class TooManyCodes(Exception):
    """Too many codes were asked for lately."""


class NeedsMobile(Exception):
    """Nobody is told by text message without a verified number, nor by nothing at all."""


def ask_code(kind: str, value: str) -> ContactPoint:
    """Send a code to the new address or number; nothing changes until it comes back. Raises TooManyCodes."""
    account_id = _account_id()
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"contact {account_id}", 0))))
    recent = select(func.count()).where(
        ContactPoint.account_id == account_id, ContactPoint.created_at > db.now() - _SPAN
    )
    if (session.scalar(recent) or 0) >= MOST_CODES:
        raise TooManyCodes
    code, point_id = codes.six_digits(), uuid4()
    point = ContactPoint(
        id=point_id,
        account_id=account_id,
        kind=kind,
        value=value,
        code_digest=_digests(point_id, code)[0],
        code_sealed=sealing.seal(_PURPOSE, code),
        code_expires_at=db.now() + CODE_LIFE,
    )
    session.add(point)
    session.flush()
    audit.record("contact.asked", object_kind="account", object_id=account_id, kind=kind)
    jobs.enqueue("contact.send_code", point_id=str(point_id))
    return point


def confirm(point: ContactPoint, typed: str) -> bool:
    """Whether the code is right: then the former address is replaced, and told. Five tries, once, ten minutes.

    Its own transaction must be kept when the answer is no: the try counts.
    """
    session.refresh(point, with_for_update={"key_share": True})
    point.tries += 1
    good = (
        point.verified_at is None
        and point.tries <= MOST_TRIES
        and point.code_expires_at > db.now()
        and any([hmac.compare_digest(point.code_digest, each) for each in _digests(point.id, codes.digits_of(typed))])  # noqa: C419 - never stops at the first
    )
    session.flush()
    if good:
        _replace(point)
        audit.record("contact.verified", object_kind="account", object_id=point.account_id, kind=point.kind)
    return good


def choose(locale: str, channels: list[str]) -> None:
    """Language of the messages, and how they come. Raises NeedsMobile."""
    account = session.get_one(Account, _account_id())
    if not channels or ("sms" in channels and current(account.id, "mobile") is None):
        raise NeedsMobile
    account.locale, account.channels = locale, channels
    session.flush()
    audit.record("notification_choice.changed", object_kind="account", object_id=account.id)


def remove_mobile() -> None:
    """No number any more; text messages stop, mail goes on."""
    account = session.get_one(Account, _account_id())
    point = current(account.id, "mobile")
    if point is None:
        return
    point.replaced_at = db.now()
    account.channels = ["mail"]
    session.flush()
    audit.record("contact.removed", object_kind="account", object_id=account.id, kind="mobile")
    _write_to_patient(account.id, "mobile", "")
    notifications.tell(mails.changed("mobile"), recipient=account.email, locale=account.locale)


def current(account_id: UUID, kind: str) -> ContactPoint | None:
    """The verified address or number in use: the only one that ever gets a code."""
    return session.scalar(
        select(ContactPoint).where(
            ContactPoint.account_id == account_id,
            ContactPoint.kind == kind,
            ContactPoint.verified_at.is_not(None),
            ContactPoint.replaced_at.is_(None),
        )
    )


def _replace(point: ContactPoint) -> None:
    account, former = session.get_one(Account, point.account_id), current(point.account_id, point.kind)
    former_mail = account.email
    if former is not None:
        former.replaced_at = db.now()
        session.flush()
    point.verified_at = db.now()
    if point.kind == "mail":
        account.email = point.value
    session.flush()
    _write_to_patient(point.account_id, point.kind, point.value)
    # To the former address itself, whatever the person chose: it is how a theft is noticed.
    notifications.tell(mails.changed(point.kind), recipient=former_mail, locale=account.locale)
    if former is not None and former.kind == "mobile" and former.value != point.value:
        jobs.enqueue("contact.tell_former", point_id=str(former.id))


def _write_to_patient(account_id: UUID, kind: str, value: str) -> None:
    """Hospitals reach the patient where the person can be reached."""
    with as_system("contact.copy"):
        patient = session.scalar(
            select(Patient)
            .join(PatientAccess, PatientAccess.patient_id == Patient.id)
            .where(PatientAccess.account_id == account_id, PatientAccess.relation == "self")
        )
        if patient is not None:
            setattr(patient, "email" if kind == "mail" else "mobile", value)


def _digests(point_id: UUID, code: str) -> tuple[bytes, ...]:
    return sealing.digests(_PURPOSE, f"{point_id} {code}")


def _account_id() -> UUID:
    account_id = db.current_actor().account_id
    assert account_id is not None, "a signed-in person"
    return account_id
