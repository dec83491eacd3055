"""Screens that support saw in the demonstration: with the person on the phone, without them, and one never let."""

from datetime import timedelta
from typing import TYPE_CHECKING

from auth.support.models import SupportSession
from portal import audit, db
from portal.db import session

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def demonstrate(world: "World") -> None:
    """Three looks of the last days, by the administrator, who gives support too."""
    with_dominique = _look(world, "dominique", 26, words="Elle ne retrouve pas sa facture du mois dernier.")
    _seen(with_dominique, minutes=6, ended_by="person")
    alone = _look(world, "suzanne", 50, kind="does_not_work", words="La page des documents reste vide chez elle.")
    alone.alone_kind, alone.alone_words = (
        "report",
        "Panne signalée par courriel ; la personne ne répond pas au téléphone.",
    )
    _seen(alone, minutes=15)
    never = _look(world, "yacine", 3, words="Il ne comprend pas où envoyer sa carte de mutuelle.")
    never.code_until = never.asked_at + timedelta(minutes=5)
    session.flush()


def _look(world: "World", who: str, hours_ago: int, *, kind: str = "cannot_find", words: str) -> SupportSession:
    from tests.factories.demonstration import account_of

    agent, patient = world.agents["administrator"], world.patients[who]
    made = SupportSession(
        establishment_id=world.north.establishment.id,
        patient_id=patient.id,
        person_account_id=account_of(patient),
        account_id=agent.id,
        agent_name=agent.name,
        kind=kind,
        words=words,
        asked_at=db.now() - timedelta(hours=hours_ago),
    )
    session.add(made)
    session.flush()
    return made


def _seen(look: SupportSession, *, minutes: int, ended_by: str = "") -> None:
    look.opened_at = look.asked_at + timedelta(minutes=1)
    look.ends_at = look.opened_at + timedelta(minutes=15)
    if ended_by:
        look.ended_at, look.ended_by = look.opened_at + timedelta(minutes=minutes), ended_by
    audit.record(
        "support.opened",
        patient_id=look.patient_id,
        establishment_id=look.establishment_id,
        object_kind="support_session",
        object_id=look.id,
        kind=look.kind,
    )
