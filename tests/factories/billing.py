"""Fictional bills, and payments that went through the real door."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from auth.models import Patient
from portal import db
from portal.db import session
from portal.establishments import Establishment
from services.billing.models import Bill
from tests.factories.demonstration import World


def bill(establishment: Establishment, person: Patient | None = None, due_cents: int = 4520, **facts: Any) -> Bill:
    """A bill of a consultation, with its three shares; the total follows from them unless given."""
    number = uuid4().int % 10**8
    amo, amc = facts.pop("amo_cents", 5480), facts.pop("amc_cents", 0)
    made = Bill(
        **{
            "id": uuid4(),
            "establishment_id": establishment.id,
            "patient_id": person.id if person else None,
            "source": "regie",
            "exer": "2026",
            "reference": f"F{number:08d}",
            "refdet": f"F{number:08d}",
            "label": "Consultation de cardiologie",
            "unit": "Cardiologie",
            "care_on": date(2026, 9, 14),
            "issued_on": date(2026, 10, 1),
            "due_on": date(2026, 12, 1),
            "amo_cents": amo,
            "amc_cents": amc,
            "due_cents": due_cents,
            "total_cents": amo + amc + due_cents,
        }
        | facts
    )
    session.add(made)
    session.flush()
    return made
