"""The bills of a campaign, and what opens them."""

import secrets
from uuid import UUID

from auth import sessions
from auth.models import WebSession
from portal import db, establishments
from portal.db import session
from tests.campaign.payers import Owed
from tests.factories import billing, hospitals, people

_BILLS_EACH = 4


def owed(count: int) -> list[Owed]:
    """That many bills of one hospital with a till of test, four a patient, each patient signed in."""
    with db.transaction(db.system("campaign")):
        place = hospitals.hospital().establishment
        establishments.change_setting(place.id, "payfip_numcli", "090909")
        establishments.change_setting(place.id, "payfip_saisie", "T")
        made = list[Owed]()
        while len(made) < count:
            account, patient = people.patient_with_account(birth_name=f"CAMPAGNE{len(made)}")
            cookies = _signed_in(account.id)
            for nth in range(min(_BILLS_EACH, count - len(made))):
                cents = 1000 + 37 * (len(made) + nth)
                made.append(Owed(billing.bill(place, patient, cents).id, cents, cookies))
        return made


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
