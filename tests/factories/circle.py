"""Fictional circles of care: who treats somebody, whom they let see, who asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from auth.models import Patient, Professional
from portal import db
from portal.db import session
from services.circle import states
from services.circle.actions.writing import Sharing, Somebody, new_member, write_change
from services.circle.models import CircleMember

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def identity(professional: Professional) -> str:
    return f"8{professional.rpps}" if professional.rpps else professional.subject_name_id


def member(
    patient: Patient,
    professional: Professional | None = None,
    role: str = "doctor",
    standing: str = states.TEAM,
    state: str = states.ACTIVE,
    scopes: Sequence[str] = states.SCOPES,
    until_at: datetime | None = None,
    **facts: Any,
) -> CircleMember:
    """Somebody in a circle."""
    who = Somebody(
        identity(professional) if professional else "",
        professional.titled_name if professional else "Agnès TILLOY",
        facts.pop("occupation", "Médecin généraliste"),
        facts.pop("place", "Cabinet des Tilleuls"),
    )
    origin = facts.pop("origin", "patient")
    made = new_member(patient, who, role, standing, state, origin, Sharing(tuple(scopes), until_at))
    for name, value in facts.items():
        setattr(made, name, value)
    session.add(made)
    write_change(made, {"asked": "asked", "objected": "objected", "ended": "ended"}.get(state, "added"), "")
    return made


def demonstrate(world: "World") -> None:
    """A treating doctor, a nurse, an agreement outside the team, somebody who asks."""
    dominique, suzanne = world.patients["dominique"], world.patients["suzanne"]
    gp, expert, nurse = (world.professionals[name] for name in ("roumillac", "nevelet", "abrial"))
    member(dominique, gp, states.TREATING)
    member(dominique, None, "nurse", occupation="Infirmière", place="Cabinet infirmier des Halles")
    until = db.now() + timedelta(days=200)
    member(dominique, expert, "doctor", states.OUTSIDE, scopes=("documents",), until_at=until)
    asks = "Je passe chez vous chaque semaine depuis votre sortie."
    member(dominique, nurse, "home_care", state=states.ASKED, scopes=(), origin="practitioner", why=asks)
    member(suzanne, gp, states.TREATING)
