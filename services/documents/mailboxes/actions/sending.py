"""The life of a mail that leaves: begun, ended as the operator said, tried again, given up; then what comes back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import audit, jobs, kpi
from portal.db import session
from services.documents import mss
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.documents.mailboxes import outgoing, states
from services.documents.mailboxes.models import MailOperator, Transmission
from services.documents.mss.addresses import checked
from services.documents.states import NotPossibleNow

MOST_TRIES: Final = 40
"""With a wait of an hour at most between two tries: a day and a half."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
_OPERATOR_WAIT, _LONGEST_OPERATOR_WAIT = timedelta(seconds=15), timedelta(minutes=15)
_A_TRY: Final = timedelta(minutes=5)
"""Longer than a try may last: one that has not ended by then died."""
UNCERTAIN_WAIT: Final = timedelta(minutes=15)
"""How long a receipt or a bounce may say what became of a mail, before it leaves again under the same Message-ID."""


@dataclass(frozen=True)
class Ending:
    """What a try gave. state: accepted | refused | uncertain | waiting. away: the operator failed, not the mail."""

    state: str
    code: str = ""
    reason: str = ""
    away: bool = False
    host: str = ""


def begin_try(transmission_id: UUID, host: str, now: datetime) -> Transmission | None:
    """Write down that a try begins; None when there is nothing to do now. host: of its operator."""
    found = _locked(transmission_id)
    if found is None or found.state not in ("waiting", "uncertain") or (found.next_at and found.next_at > now):
        return None
    if found.begun_at is not None:
        _look_at_former(found, now)
        return None
    if (again_at := rests_until(found.establishment_id, host, now)) is not None:
        _later(found, again_at)
        return None
    found.begun_at, found.next_at, found.tries = now, None, found.tries + 1
    session.flush()
    return found


def _look_at_former(found: Transmission, now: datetime) -> None:
    """A try that has not said how it ended: perhaps it still goes on; else nobody knows whether the mail left."""
    assert found.begun_at is not None
    ends_at = found.begun_at + _A_TRY
    if now < ends_at:
        jobs.enqueue("documents.send_mail", at=ends_at, transmission_id=str(found.id))
        return
    found.begun_at = None
    if found.tries >= MOST_TRIES:
        _move(found, "given_up", reason="cut")
        return
    session.add(states.move(found, "uncertain", reason="cut"))
    _later(found, now + UNCERTAIN_WAIT)


def end_try(transmission_id: UUID, ending: Ending, now: datetime) -> None:
    """Write down how a try ended, and when the next one is."""
    found = _locked(transmission_id)
    if found is None or found.begun_at is None:
        return
    found.begun_at = None
    session.flush()
    if ending.host:
        note_operator(found.establishment_id, ending.host, ending.reason if ending.away else "", now)
    if found.state not in ("waiting", "uncertain"):  # a receipt was faster than our operator's answer
        return
    if ending.state in ("accepted", "refused"):
        _move(found, ending.state, ending.code, ending.reason)
        return
    if found.tries >= MOST_TRIES:
        _move(found, "given_up", ending.code, ending.reason)
        return
    session.add(states.move(found, ending.state, ending.code, ending.reason))
    wait = UNCERTAIN_WAIT if ending.state == "uncertain" else _wait(found.tries)
    _later(found, now + wait)


def _wait(tries: int) -> timedelta:
    doubled: timedelta = _FIRST_WAIT * 2 ** min(tries - 1, 10)
    return min(doubled, _LONGEST_WAIT)


def _later(found: Transmission, at: datetime) -> None:
    found.next_at = at
    session.flush()
    jobs.enqueue("documents.send_mail", at=at, transmission_id=str(found.id))


def _move(found: Transmission, to: str, code: str = "", reason: str = "") -> None:
    is_new = found.state != to
    session.add(states.move(found, to, code, reason))
    session.flush()
    if not is_new:
        return
    audit.record(
        f"mail.{to}",
        establishment_id=found.establishment_id,
        object_kind="transmission",
        object_id=found.id,
        code=code,
        reason=reason,
    )
    if event := _EVENTS.get(to):
        audience = "patient" if mss.is_citizen(found.address) else "professional"
        kpi.count(event, establishment_id=found.establishment_id, channel="mssante", dimension=audience)


_EVENTS: Final = {"accepted": "mss_sent", "delivered": "mss_delivered", "refused": "mss_bounced"}


def _locked(transmission_id: UUID) -> Transmission | None:
    return session.get(Transmission, transmission_id, with_for_update={"key_share": True}, populate_existing=True)


# -- operators -----------------------------------------------------------------------------------------------------


def rests_until(establishment_id: UUID, host: str, now: datetime) -> datetime | None:
    """Until when an operator that failed is left alone."""
    known = session.get(MailOperator, (establishment_id, host))
    return known.again_at if known and known.again_at and known.again_at > now else None


def note_operator(establishment_id: UUID, host: str, trouble: str, now: datetime) -> None:
    """An operator answered, or failed once more (trouble: our word): it is left alone a little longer each time."""
    known = session.get(MailOperator, (establishment_id, host), with_for_update={"key_share": True})
    if known is None and not trouble:
        return
    if known is None:
        known = MailOperator(establishment_id=establishment_id, host=host, failures=0, trouble="")
        session.add(known)
    elif known.trouble == trouble == "":
        return
    known.failures = known.failures + 1 if trouble else 0
    wait = min(_OPERATOR_WAIT * 2 ** min(known.failures, 8), _LONGEST_OPERATOR_WAIT)
    known.trouble, known.changed_at = trouble, now
    known.again_at = now + wait if trouble else None
    session.flush()


# -- what comes back -----------------------------------------------------------------------------------------------


def hear_back(transmission: Transmission, to: str, code: str = "", reason: str = "") -> bool:
    """A receipt or a bounce says what became of it; False when that is no news."""
    session.refresh(transmission, with_for_update={"of": Transmission, "key_share": True})
    before = transmission.state
    try:
        if before in ("waiting", "uncertain", "given_up"):
            _move(transmission, "accepted")  # what is told of it says that it left
        if to == "read" and transmission.state == "accepted":
            _move(transmission, "delivered")  # whoever read it received it
        _move(transmission, to, code, reason)
    except NotPossibleNow:
        return False
    return True


# -- gestures of agents --------------------------------------------------------------------------------------------


def send_again(transmission: Transmission) -> None:
    """An agent mended what was wrong. Raises NotPossibleNow."""
    session.refresh(transmission, with_for_update={"of": Transmission, "key_share": True})
    session.add(states.move(transmission, "waiting"))
    transmission.tries, transmission.next_at, transmission.begun_at = 0, None, None
    session.flush()
    jobs.enqueue("documents.send_mail", transmission_id=str(transmission.id))
    _record("mail.sent_again", transmission)


def send_elsewhere(transmission: Transmission, address: str) -> Transmission:
    """An agent gives another address of the same correspondent: the thread goes on there.

    Raises NotPossibleNow, `mss.BadAddress`.
    """
    session.refresh(transmission, with_for_update={"of": Transmission, "key_share": True})
    address = checked(address.strip().lower())
    if transmission.state not in ("refused", "given_up"):
        raise NotPossibleNow(transmission.state)
    message = session.get_one(ExchangeMessage, transmission.message_id)
    exchange = session.get_one(Exchange, message.exchange_id, with_for_update={"key_share": True})
    exchange.address = address
    planned = outgoing.plan(exchange, message)
    assert planned is not None, "the thread has an address and a box"
    if transmission.state == "refused":
        session.add(states.move(transmission, "given_up", reason="other_address"))
    _record("mail.sent_elsewhere", transmission)
    return planned


def send_on_paper(transmission: Transmission) -> None:
    """An agent sends the letter by post instead. Raises NotPossibleNow."""
    session.refresh(transmission, with_for_update={"of": Transmission, "key_share": True})
    session.add(states.move(transmission, "given_up", reason="paper"))
    session.flush()
    _record("mail.sent_on_paper", transmission)


def _record(action: str, transmission: Transmission) -> None:
    audit.record(
        action,
        establishment_id=transmission.establishment_id,
        object_kind="transmission",
        object_id=transmission.id,
    )


def transmission_of(message_key: str, establishment_id: UUID, address: str) -> Transmission | None:
    """The mail of this Message-ID to this address; when it left twice, the latest."""
    return session.scalars(
        select(Transmission)
        .where(
            Transmission.message_key == message_key,
            Transmission.establishment_id == establishment_id,
            Transmission.address == address.lower(),
        )
        .order_by(Transmission.created_at.desc())
        .limit(1)
    ).first()


def new_key(domain: str) -> str:
    """A Message-ID of ours."""
    return f"<{uuid4().hex}@{domain}>"
