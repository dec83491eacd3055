"""The bills of a campaign, what opens them, and the debits that banks give back. Inside an application's context."""

import secrets
from uuid import UUID

from sqlalchemy import select

from auth import sessions
from auth.models import WebSession
from portal import db, establishments
from portal.db import session
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill
from services.billing.settlement.actions.rejecting import reject
from tests.campaign.payers import Owed
from tests.factories import billing, hospitals, people

_OWN, _BILLS_EACH = 4, 6


def owed(count: int) -> list[Owed]:
    """That many bills of one hospital with a till of test: four a patient who is signed in, then two of payers without
    an account, and so on."""
    with db.transaction(db.system("campaign")):
        place = hospitals.hospital().establishment
        establishments.change_setting(place.id, "payfip_numcli", "090909")
        establishments.change_setting(place.id, "payfip_saisie", "T")
        made = list[Owed]()
        while len(made) < count:
            account, patient = people.patient_with_account(birth_name=f"CAMPAGNE{len(made)}")
            cookies = _signed_in(account.id)
            for nth in range(_BILLS_EACH):
                bill = billing.bill(place, patient if nth < _OWN else None, 1000 + 37 * (len(made) + nth))
                made.append(_owed(bill, cookies, len(made)))
        return made[:count]


def _owed(bill: Bill, cookies: dict[str, str], number: int) -> Owed:
    address = f"10.{number // 250}.{number % 250}.1"
    if bill.patient_id is not None:
        return Owed(bill.id, cookies, {}, address)
    return Owed(bill.id, {}, {"reference": bill.reference, "access_key": billing.LETTER_KEY}, address)


def give_back(psp_ref: str) -> None:
    """The bank's list says that this debit order was rejected."""
    with db.transaction(db.system("campaign")):
        booked = select(LedgerEntry).where(LedgerEntry.psp_ref == psp_ref, LedgerEntry.kind == "payment")
        reject(session.scalars(booked).one(), "campaign")


def _signed_in(account_id: UUID) -> dict[str, str]:
    """The cookie of a browser of this person, without the trip to the identity provider."""
    token = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            digest=sessions.digest(token), account_id=account_id, provider="franceconnect", acr="eidas1", amr="mfa",
            activity={}, expires_at=db.now() + sessions.LIMITS["patient"].absolute,
        )
    )  # fmt: skip
    return {sessions.cookie_name(secure=False): token}
