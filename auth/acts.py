"""What people do in each service, counted apart from what it is: how many they are, and for whom they act."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from portal import db, kpi

SERVICES: Final = (
    "appointments", "preadmission", "billing", "documents", "messages", "questionnaires", "referrals",
)  # fmt: skip
OWN, PROXY = "own", "proxy"
"""For oneself, or for somebody else."""
BLOCKED = "upload_blocked"
_USERS: Final = ("patient", "professional")

Heard = Callable[[str, UUID | None], None]
_listeners: dict[str, Heard] = {}


def tell(name: str, heard: Heard) -> None:
    """A room hears of what people do: in which service, at which hospital, in the transaction that does it."""
    _listeners[name] = heard


def event(service: str) -> str:
    """The name of its event: distinct people are counted by event, so there is one a service."""
    return f"{service}_used"


def count(service: str, establishment_id: UUID | None, patient_id: UUID | None = None) -> None:
    """A signed-in patient or practitioner did something in a service; nothing is counted of anybody else."""
    actor = db.current_actor()
    if actor.kind not in _USERS or actor.account_id is None:
        return
    kpi.count(
        event(service),
        establishment_id=establishment_id,
        dimension=PROXY if patient_id in actor.proxied or actor.on_behalf_of else OWN,
        account_id=actor.account_id,
    )
    for heard in _listeners.values():
        heard(service, establishment_id)


def count_blocked_upload() -> None:
    """A file that holds a virus was refused: in a transaction of its own, since the one of the request is undone."""
    with db.transaction(db.current_actor()):
        kpi.count(BLOCKED)
