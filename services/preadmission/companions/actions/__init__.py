"""What the patient, those who sign with them and the hospital do about signatures."""

from services.preadmission.companions.actions.deciding import confirm_identity, receive_sheet, refuse_identity, waive
from services.preadmission.companions.actions.facts import (
    ForOneself,
    LinkDead,
    NoAddress,
    NotAHolder,
    NotInPerson,
    SameSigner,
    TooManyLinks,
    TooYoung,
)
from services.preadmission.companions.actions.forgetting import forget
from services.preadmission.companions.actions.inviting import invite, leave_to_paper
from services.preadmission.companions.actions.naming import follow_holders, follow_trust, keep
from services.preadmission.companions.actions.opening import claim
from services.preadmission.companions.actions.signing import (
    Evidence,
    decline,
    designate,
    revoke,
    revoke_for_patient,
    sign,
    sign_as_holder,
)

__all__ = [
    "Evidence",
    "ForOneself",
    "LinkDead",
    "NoAddress",
    "NotAHolder",
    "NotInPerson",
    "SameSigner",
    "TooManyLinks",
    "TooYoung",
    "claim",
    "confirm_identity",
    "decline",
    "designate",
    "follow_holders",
    "follow_trust",
    "forget",
    "invite",
    "keep",
    "leave_to_paper",
    "receive_sheet",
    "refuse_identity",
    "revoke",
    "revoke_for_patient",
    "sign",
    "sign_as_holder",
    "waive",
]
