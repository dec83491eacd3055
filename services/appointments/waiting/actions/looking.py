"""The staff looks at who waits."""

from portal import audit
from portal.establishments import Unit
from services.appointments.waiting.actions import traces
from services.appointments.waiting.models import WaitingEntry


def open_list(unit: Unit) -> None:
    """An agent opens a unit's list: names are shown, so the audit knows."""
    audit.record("waiting_list.opened", establishment_id=unit.establishment_id, object_kind="unit", object_id=unit.id)


def open_entry(entry: WaitingEntry) -> None:
    """An agent opens what one patient waits for."""
    traces.audit_record(entry, "opened")
