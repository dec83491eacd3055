"""What the account's pages show; always the signed-in person's own (row-level security says the same)."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from auth.account import texts
from auth.account.models import Consent, DataExport, DataRequest, KnownDevice
from auth.account.states import CLOSED, FIRST_MONTHS, FURTHER_MONTHS, months_after
from auth.account.texts import Text
from auth.models import Account
from portal import calendar, db
from portal.db import session

SHOWN = 200
_SOON = timedelta(days=7)


def devices() -> Sequence[KnownDevice]:
    """The browsers the account was opened with, last used first."""
    mine = KnownDevice.account_id == db.current_actor().account_id
    return session.scalars(select(KnownDevice).where(mine).order_by(KnownDevice.last_seen_at.desc())).all()


# -- consents ----------------------------------------------------------------------------------------------------


def consents() -> Sequence[Consent]:
    """What the account agreed to, latest first, withdrawn ones included."""
    mine = Consent.account_id == db.current_actor().account_id
    return session.scalars(select(Consent).where(mine).order_by(Consent.given_at.desc()).limit(SHOWN)).all()


def texts_due(account: Account) -> Sequence[Text]:
    """Texts in force that the account has not agreed to, or no longer."""
    current = texts.in_force(account.audience)
    agreed = session.execute(
        select(Consent.kind, Consent.version).where(
            Consent.account_id == account.id, Consent.withdrawn_at.is_(None), Consent.patient_id.is_(None)
        )
    ).all()
    return [text for text in current if (text.kind, text.version) not in {(kind, version) for kind, version in agreed}]


def own_account() -> Account:
    return session.get_one(Account, db.current_actor().account_id)


# -- my data -----------------------------------------------------------------------------------------------------


def exports() -> Sequence[DataExport]:
    """The copies asked for, latest first."""
    mine = DataExport.account_id == db.current_actor().account_id
    return session.scalars(select(DataExport).where(mine).order_by(DataExport.requested_at.desc()).limit(10)).all()


def requests_of(patient_id: UUID) -> Sequence[DataRequest]:
    """Requests about this person's data, latest first."""
    return session.scalars(
        select(DataRequest)
        .options(joinedload(DataRequest.establishment))
        .where(DataRequest.patient_id == patient_id)
        .order_by(DataRequest.received_at.desc())
        .limit(SHOWN)
    ).all()


def request_of(patient_id: UUID, request_id: UUID) -> DataRequest | None:
    return session.scalar(
        select(DataRequest)
        .options(joinedload(DataRequest.establishment), joinedload(DataRequest.patient))
        .options(selectinload(DataRequest.changes))
        .where(DataRequest.id == request_id, DataRequest.patient_id == patient_id)
    )


# -- the hospital's side -----------------------------------------------------------------------------------------


def requests_at(establishment_ids: frozenset[UUID], *, is_open: bool) -> Sequence[DataRequest]:
    """The hospitals' requests: those to answer, the most urgent first; or those that are over, latest first."""
    state = DataRequest.state.not_in(CLOSED) if is_open else DataRequest.state.in_(CLOSED)
    return session.scalars(
        select(DataRequest)
        .options(joinedload(DataRequest.establishment), joinedload(DataRequest.patient))
        .where(DataRequest.establishment_id.in_(establishment_ids), state)
        .order_by(DataRequest.due_on if is_open else DataRequest.received_at.desc(), DataRequest.id)
        .limit(SHOWN)
    ).all()


def register_at(establishment_ids: frozenset[UUID]) -> Sequence[DataRequest]:
    """Every request, oldest first: the register that the data protection officer keeps."""
    return session.scalars(
        select(DataRequest)
        .options(joinedload(DataRequest.establishment))
        .where(DataRequest.establishment_id.in_(establishment_ids))
        .order_by(DataRequest.received_at, DataRequest.id)
    ).all()


def request_at(establishment_ids: frozenset[UUID], request_id: UUID) -> DataRequest | None:
    return session.scalar(
        select(DataRequest)
        .options(joinedload(DataRequest.establishment), joinedload(DataRequest.patient))
        .options(selectinload(DataRequest.changes))
        .where(DataRequest.id == request_id, DataRequest.establishment_id.in_(establishment_ids))
    )


def urgency(asked: DataRequest, today: date) -> str:
    """late | soon (a week or less) | ""."""
    if not asked.is_open:
        return ""
    if asked.due_on < today:
        return "late"
    return "soon" if asked.due_on <= today + _SOON else ""


def extended_until(asked: DataRequest) -> date:
    """The legal date when the hospital takes all the time that it may: counted from the receipt, in its civil days."""
    received_on = calendar.civil_day(asked.received_at, asked.establishment.tz)
    return months_after(received_on, FIRST_MONTHS + FURTHER_MONTHS)
