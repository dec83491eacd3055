"""What is done about circles later: looking for whom a practitioner described, telling, forgetting what nobody
answered."""

from uuid import UUID

from portal import jobs
from services.circle import actions, mails, telling
from services.circle.models import CircleMember, CircleProposal


@jobs.task("circle.look_for")
def look_for(proposal_id: str) -> None:
    """Show a proposal to the one patient who is so."""
    with jobs.effect() as current:
        proposal = current.get(CircleProposal, UUID(proposal_id), with_for_update={"key_share": True})
        if proposal is not None:
            actions.look_for(proposal)


@jobs.task("circle.tell_professional")
def tell_professional(member_id: str) -> None:
    """Somebody accepted what they asked."""
    with jobs.effect() as current:
        telling.tell_professional(current.get_one(CircleMember, UUID(member_id)), mails.ACCEPTED)


@jobs.task("circle.first_opening")
def first_opening(patient_id: str) -> None:
    """Somebody whom the patient let in has looked for the first time."""
    with jobs.effect():
        telling.tell_patient(UUID(patient_id), mails.FIRST_OPENING)


@jobs.periodic("17 3 * * *", "circle.lapse")
def lapse() -> None:
    """Forget the proposals of a month ago."""
    with jobs.reading():
        actions.lapse()
