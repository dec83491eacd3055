"""An account opened at the desk on an identity document, for whoever cannot use FranceConnect."""

from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.local import actions as local
from auth.models import Account, Identity, Patient, PatientAccess, PatientRecord
from auth.records import as_system
from portal import audit, db, establishments
from portal.db import session

SETTING: Final = "local_accounts"
"""Of an establishment; "yes" to open accounts at the desk."""
DOCUMENTS: Final = ("identity_card", "passport", "residence_permit", "other_european", "guardian")
"""What was checked, the person being there; `guardian`: whoever represents them showed theirs and the judgement."""


class NotOffered(Exception):
    """The hospital does not open accounts at the desk, or the agent has no say about this patient."""


class HasAccount(Exception):
    """The person acts for themselves with an account already."""


def is_offered(establishment_id: UUID) -> bool:
    return establishments.setting(establishment_id, SETTING) == "yes"


def open_account(patient_id: UUID, establishment_id: UUID, document: str) -> str:
    """Open the account of a patient who shows an identity document; return the token of the link to print.

    The link lives fifteen minutes and asks for a passkey, or a password with an application: never a password alone.
    Raises NotOffered, HasAccount.
    """
    assert document in DOCUMENTS, document
    patient = session.get(Patient, patient_id)
    is_known = session.get(PatientRecord, (patient_id, establishment_id)) is not None
    if patient is None or not is_known or patient.deceased_on is not None or not is_offered(establishment_id):
        raise NotOffered
    if not db.current_actor().may("identity", establishment_id):
        raise NotOffered
    account_id = uuid4()
    with as_system("desk.open_account"):
        # Two agents at two desks: the second waits here and finds the first one's account.
        whole = session.get_one(Patient, patient_id, with_for_update={"key_share": True})
        own = _own_access(patient_id)
        taken = own is not None and _has_served(own.account_id)
        if own is not None:
            account_id = own.account_id  # opened before, and its link lapsed before it was used
        else:
            session.add(Account(id=account_id, audience="patient", name=whole.full_name, email=whole.email))
            session.flush()
            session.add(PatientAccess(account_id=account_id, patient_id=patient_id, relation="self"))
            session.flush()
    if taken:
        raise HasAccount
    audit.record(
        "account.opened_at_desk",
        patient_id=patient_id,
        establishment_id=establishment_id,
        object_kind="account",
        object_id=account_id,
        document=document,
    )
    return local.invite(account_id, printed=True)


def _has_served(account_id: UUID) -> bool:
    """Whether somebody has ever signed in with it, by a provider or by a link of ours."""
    identity = session.scalar(select(Identity.id).where(Identity.account_id == account_id).limit(1))
    return identity is not None or local.is_local(account_id)


def _own_access(patient_id: UUID) -> PatientAccess | None:
    return session.scalar(
        select(PatientAccess)
        .where(
            PatientAccess.patient_id == patient_id,
            PatientAccess.relation == "self",
            PatientAccess.revoked_at.is_(None),
        )
        .limit(1)
    )
