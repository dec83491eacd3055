"""What a file's signatures amount to, for the pages of the patient and of the agent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.pieces import queries as piece_queries
from services.preadmission.answers import Answers, Situation
from services.preadmission.asked import Facts
from services.preadmission.companions import queries, states
from services.preadmission.companions.actions import composing
from services.preadmission.companions.actions.naming import OPERATED
from services.preadmission.companions.models import Companion, Signature
from services.preadmission.companions.states import Proof, Signer, Standing
from services.preadmission.models import Preadmission


@dataclass(frozen=True)
class Theatre:
    """The authorisation to operate: who signs, who has, and what is missing. standing: "" when none is needed."""

    standing: Standing | str
    holders: Sequence[Companion]
    signatures: Mapping[UUID, Sequence[Signature]]
    authority: str = ""

    @property
    def is_ready(self) -> bool:
        return self.standing in ("", "ready")


def theatre(preadmission: Preadmission, answers: Mapping[str, Answers]) -> Theatre:
    """Whether an operation that is not an emergency may take place, as far as signatures go."""
    situation = answers.get("situation")
    authority = situation.authority if isinstance(situation, Situation) else ""
    if not is_minors(preadmission) or preadmission.stay_kind not in OPERATED:
        return Theatre("", (), {}, authority)
    holders = [each for each in queries.of_file(preadmission.id) if each.role == "holder" and not each.is_over]
    made = queries.signatures([each.id for each in holders])
    signers = [Signer(each.rank, each.state, _is_current(each, made[each.id])) for each in holders]
    proof = _proof(preadmission) if authority == "sole" else "none"
    return Theatre(states.standing(authority, signers, proof), holders, made, authority)


def is_minors(preadmission: Preadmission) -> bool:
    """Whether the patient is a minor on the day of the stay."""
    return Facts(preadmission.stay_kind, preadmission.planned_on, preadmission.patient.birth_on).is_minor


def _is_current(companion: Companion, made: Sequence[Signature]) -> bool:
    """Whether the child, the hospital, the day and the name that they signed are those of the file today.

    Not the words around them: these may be put better, or in another language, without undoing a signature.
    """
    last = next((each for each in made if each.decision in ("signed", "received")), None)
    if last is None or companion.state != "signed":
        return True
    return all(fact in last.words for fact in composing.facts_of(companion, last.locale).values())


def _proof(preadmission: Preadmission) -> Proof:
    pieces = [each for each in piece_queries.of_folder(preadmission.id) if each.kind == "parental_authority"]
    if any(each.state == "accepted" for each in pieces):
        return "accepted"
    return "sent" if any(each.is_there for each in pieces) else "none"


@dataclass(frozen=True)
class Trusted:
    """The person of trust of this stay. named_at: the patient has signed. accepted: they have."""

    companion: Companion
    signatures: Sequence[Signature]

    @property
    def is_named(self) -> bool:
        return any(each.by_patient and each.decision == "signed" for each in self.signatures)

    @property
    def is_whole(self) -> bool:
        on_sheet = any(each.decision == "received" for each in self.signatures)
        return self.companion.state == "signed" and (self.is_named or on_sheet)


def trusted(preadmission: Preadmission) -> Trusted | None:
    """Nobody when the patient named nobody here."""
    found = queries.standing_one(preadmission.id, "trust")
    return Trusted(found, queries.signatures([found.id])[found.id]) if found is not None else None
