"""What every change of a file leaves behind: a lock first, then its row, the audit, the figures, a message."""

from auth.mandates import queries as mandates
from portal import audit, db, kpi, notifications
from portal.db import session
from portal.notifications import Mail
from services.preadmission import mails, queries, states
from services.preadmission.actions import counting
from services.preadmission.actions.facts import ChangedMeanwhile
from services.preadmission.answers import Identity
from services.preadmission.models import Preadmission


def lock(preadmission: Preadmission, version: int | None = None) -> None:
    """Two people act one after the other. version: the file as the person read it; raises ChangedMeanwhile."""
    session.flush()
    session.refresh(preadmission, ["state", "version"], with_for_update={"key_share": True})
    if version is not None and version != preadmission.version:
        raise ChangedMeanwhile(preadmission.id)


def move(preadmission: Preadmission, to_state: str, reason: str = "") -> None:
    """Raises TransitionRefused."""
    row = states.change(preadmission, to_state, db.current_actor(), reason)
    counting.moved(preadmission, to_state)
    session.add(row)
    preadmission.version += 1
    tell(preadmission)
    session.flush()


def tell(preadmission: Preadmission) -> None:
    """Write the state just entered in the audit and in the figures."""
    event = states.EVENTS[preadmission.state]
    record(f"preadmission.{event}", preadmission)
    kpi.count(f"preadmission_{event}", establishment_id=preadmission.establishment_id, unit_id=preadmission.unit_id)


def record(event: str, preadmission: Preadmission, **details: str | int) -> None:
    """Write in the audit what was done to a file, or that it was opened."""
    audit.record(
        event,
        patient_id=preadmission.patient_id,
        establishment_id=preadmission.establishment_id,
        object_kind="preadmission",
        object_id=preadmission.id,
        **details,
    )


def notify(preadmission: Preadmission, mail: Mail = mails.NEWS) -> None:
    """Write to the person, or to those who act for them, at the address they gave in the file; nothing without one."""
    identity = queries.answers_of(preadmission.id).get("identity")
    to = mandates.address_for(
        preadmission.patient_id,
        "administrative",
        masked=preadmission.masked,
        account_id=preadmission.account_id,
        email=identity.email if isinstance(identity, Identity) else "",
    )
    if to is not None:
        notifications.tell(
            mail,
            recipient=to.email,
            account_id=to.account_id,
            patient_id=preadmission.patient_id,
            establishment_id=preadmission.establishment_id,
            locale=to.locale,
        )
