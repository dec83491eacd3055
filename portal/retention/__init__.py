"""How long things are kept, what is erased when that is over, and the proof of it.

Each room offers its rules (`offer`). A rule says what is due at a hospital; `run` erases it in batches, one transaction
each, with the row that proves it. A legal hold on a thing, its file or its patient blocks every erasure. Bytes are
erased by `portal.files`, which makes sure that they are gone; what the storage still has is asked again every night.
"""

from portal.retention.erasing import (
    BATCH,
    STORAGE,
    Outcome,
    ask_storage_again,
    digest,
    look,
    not_erased_yet,
    proofs,
    run,
)
from portal.retention.holds import AlreadyHeld, NotHeld, hold, hold_at, holds_at, holds_on, lift
from portal.retention.models import LegalHold, LegalHoldLift, RetentionProof
from portal.retention.registry import Due, NotALife, Rule, change_life, deleting, life, lives, offer, rule, rules

__all__ = [
    "BATCH", "STORAGE", "AlreadyHeld", "Due", "LegalHold", "LegalHoldLift", "NotALife", "NotHeld", "Outcome",
    "RetentionProof", "Rule", "ask_storage_again", "change_life", "deleting", "digest", "hold", "hold_at", "holds_at",
    "holds_on", "life", "lift", "lives", "look", "not_erased_yet", "offer", "proofs", "rule", "rules", "run",
]  # fmt: skip
