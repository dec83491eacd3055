"""What people ask hospitals for, as data: whose matter it is, what is filled in, what is proven, how long it may take.

A new kind is an entry here, its words in `wording`, and its form in `forms.STEPS` when it asks something new.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.documents.requests.clock import Term

DESKS: Final = ("documents", "administration")
"""Rights of the agents who answer. Complaints go to those who administer the hospital: whoever sorts the letters of a
unit may be whom the complaint is about, and it is the hospital's legal representative who answers (CSP R1112-91)."""
PROOFS: Final = ("identity", "quality")
"""identity: who applies. quality: as what (parent, guardian, heir), when the portal has not checked it already."""


@dataclass(frozen=True)
class Kind:
    """code: in the database. slug: in addresses. desk: of DESKS. scope: what a proxy's mandate must reach.

    steps: of `forms.STEPS`, in order. term: how long the hospital has; old_term: when all the information is older than
    five years. setting: of a hospital's settings, which may change `term.count`. reflects: the 48 hours before which
    nothing is handed over. restarts: what was missing belonged to the request, whose clock had not begun (else it goes
    on where it stood). proven: whether identity is proven. heirs: somebody else than the patient may ask after a death.
    certified: the portal writes the answer.
    """

    code: str
    slug: str
    desk: str
    scope: str
    icon: str
    steps: tuple[str, ...]
    term: Term
    old_term: Term | None = None
    setting: str = ""
    reflects: bool = False
    restarts: bool = False
    proven: bool = False
    heirs: bool = False
    certified: bool = False


ALL: Final = (
    Kind(
        "record",
        "dossier-medical",
        "documents",
        "medical",
        "folder-open",
        ("applicant", "contents", "delivery", "proofs", "check"),
        Term(8, "days"),
        Term(2, "months"),
        reflects=True,
        restarts=True,
        proven=True,
        heirs=True,
    ),
    Kind(
        "situation",
        "bulletin-de-situation",
        "documents",
        "administrative",
        "hospital",
        ("stay", "check"),
        Term(3, "business_days"),
        setting="requests.certificate_days",
        certified=True,
    ),
    Kind(
        "presence",
        "attestation-de-presence",
        "documents",
        "administrative",
        "calendar-check",
        ("visit", "check"),
        Term(3, "business_days"),
        setting="requests.certificate_days",
        certified=True,
    ),
    Kind(
        "complaint",
        "reclamation",
        "administration",
        "administrative",
        "message-square",
        ("complaint", "check"),
        Term(30, "days"),
        setting="requests.complaint_days",
    ),
    Kind(
        "thanks",
        "remerciements",
        "administration",
        "administrative",
        "heart-pulse",
        ("thanks", "check"),
        Term(30, "days"),
        setting="requests.complaint_days",
    ),
)
KINDS: Final[Mapping[str, Kind]] = {kind.code: kind for kind in ALL}
BY_SLUG: Final[Mapping[str, Kind]] = {kind.slug: kind for kind in ALL}

QUALITIES: Final = ("patient", "parent", "guardian", "curator", "carer", "heir")
"""As what one applies (CSP R1111-1). A doctor whom the patient designates receives the copy: see DELIVERIES."""
CHECKED_QUALITIES: Final = ("patient", "parent", "guardian", "curator", "carer")
"""The portal knows them: an account of one's own, or a mandate whose proof an agent has checked."""
MOTIVES: Final = ("cause", "memory", "rights")
"""Why a relative of somebody who died may know (CSP L1110-4): the causes of the death, the memory, rights."""
BONDS: Final = ("heir", "spouse", "partner", "civil_partner")
PIECES: Final = ("all", "reports", "letters", "results", "images", "nursing", "other")
DELIVERIES: Final = ("here", "post", "on_site", "doctor")
MEDIATIONS: Final = ("none", "medical", "other")
"""Whom one would meet: the mediator who is a doctor, or the one who is not (CSP R1112-93)."""
REFUSALS: Final[Mapping[str, tuple[str, ...]]] = {
    "record": ("not_entitled", "no_motive", "opposed", "nothing_found", "third_party", "identity", "other_hospital"),
    "situation": ("nothing_found", "identity", "other_hospital"),
    "presence": ("nothing_found", "identity", "other_hospital"),
    "complaint": ("other_hospital", "abusive"),
    "thanks": ("other_hospital", "abusive"),
}


def needed_proofs(kind: Kind, quality: str, *, identity_known: bool) -> tuple[str, ...]:
    """What must be joined before the request is complete."""
    if not kind.proven:
        return ()
    known = {"identity": identity_known, "quality": quality in CHECKED_QUALITIES}
    return tuple(proof for proof in PROOFS if not known[proof])
