"""Hospitals say when they remind people; people say whether they want it."""

from typing import Any
from uuid import UUID

from portal import audit, db
from portal.db import session
from services.appointments.models import Reason
from services.appointments.reminders.models import ReminderChoice, ReminderPolicy, ReminderSetting

_RULES = ("is_on", "mail_days", "text_days", "near_mail", "near_text", "late_text")


def change_setting(establishment_id: UUID, values: dict[str, Any]) -> None:
    """What a hospital wants. values: columns of ReminderSetting."""
    session.merge(ReminderSetting(establishment_id=establishment_id, **values))
    session.flush()
    audit.record(
        "reminder_rules.changed",
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
        is_on="yes" if values["is_on"] else "no",
    )


def change_policy(reason: Reason, values: dict[str, Any] | None) -> None:
    """What one reason wants instead; None: as its hospital does."""
    former = session.get(ReminderPolicy, reason.id)
    if values is None:
        if former is not None:
            session.delete(former)
    else:
        own = former or ReminderPolicy(reason_id=reason.id, establishment_id=reason.establishment_id)
        for name in _RULES:
            setattr(own, name, values[name])
        session.add(own)
    session.flush()
    audit.record(
        "reminder_rules.changed",
        establishment_id=reason.establishment_id,
        object_kind="reason",
        object_id=reason.id,
        is_on="as_hospital" if values is None else "yes" if values["is_on"] else "no",
    )


def choose(*, wanted: bool, discreet: bool) -> None:
    """What the signed-in person wants."""
    account_id = db.current_actor().account_id
    session.merge(ReminderChoice(account_id=account_id, wanted=wanted, discreet=discreet))
    session.flush()
    audit.record("reminder_choice.changed", object_kind="account", object_id=account_id)
