"""What is done about agents: invitations, rights that two administrators give, departures."""

from auth.agents.actions.departures import UnknownAgent, leave
from auth.agents.actions.invitations import (
    INVITATION_LIFE,
    Draft,
    InvitationRefused,
    Proof,
    UnknownInvitation,
    accept,
    claim,
    invite,
    withdraw,
)
from auth.agents.actions.own_roles import RoleExists, change_role, name_role, remove_role
from auth.agents.actions.requests import (
    NEEDS_TWO,
    OwnRequest,
    RequestLapsed,
    UnknownRequest,
    ask,
    confirm,
    refuse,
)
from auth.agents.actions.units import place

__all__ = [
    "INVITATION_LIFE", "NEEDS_TWO", "Draft", "InvitationRefused", "OwnRequest", "Proof", "RequestLapsed",
    "RoleExists", "UnknownAgent", "UnknownInvitation", "UnknownRequest", "accept", "ask", "change_role", "claim",
    "confirm", "invite", "leave", "name_role", "place", "refuse", "remove_role", "withdraw",
]  # fmt: skip
