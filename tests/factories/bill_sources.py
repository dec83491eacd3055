"""Fictional bill sources."""

from typing import Any
from uuid import uuid4

from portal import db
from portal.db import session
from portal.establishments import Establishment
from services.billing.ledger.actions import Posting, Side, post
from services.billing.models import Bill
from services.billing.sources.models import BillSource
from tests.factories.demonstration import World


def source(place: Establishment, code: str = "regie", kind: str = "regie", **facts: Any) -> BillSource:
    """A source with a PayFiP counter in test mode, unless told otherwise."""
    made = BillSource(
        **{
            "id": uuid4(), "establishment_id": place.id, "code": code, "kind": kind, "name": f"Régie {code}",
            "numcli": "090909", "saisie": "T", "means": ["payfip"], "access": "key", "several": False,
            "reminds": False, "contact_name": "", "contact_phone": "", "contact_email": "", "contact_hours": "",
            "difficulties": "", "instalments": "", "is_active": True, **facts,
        }
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def entry(owed: Bill, cents: int, kind: str = "payment", **facts: Any) -> None:
    """A movement of this bill's money at its counter: a payment, or the other way round."""
    counter, debtor = f"clearing:{facts.get('psp', 'payfip')}:090909", "receivable"
    into, out_of = (counter, debtor) if kind in ("payment", "refund_failed") else (debtor, counter)
    post(
        Posting(
            **{
                "establishment_id": owed.establishment_id, "psp": "payfip", "psp_ref": str(uuid4()), "kind": kind,
                "account": "090909", "means": "card", "bill_source": owed.source, "moved_at": db.now(),
                "sides": [
                    Side(into, debit=cents, bill_id=owed.id if into == debtor else None),
                    Side(out_of, credit=cents, bill_id=owed.id if out_of == debtor else None),
                ],
                **facts,
            }
        )
    )  # fmt: skip


def demonstrate(world: World) -> None:
    """Two sources described at the northern hospital, one of them closed; the southern one follows its settings."""
    north = world.north.establishment
    source(
        north, name="Régie des consultations", numcli="090909", saisie="T", several=True, reminds=True,
        contact_name="Bureau des factures", contact_phone="01 99 00 10 42", contact_email="factures@exemple.test",
        contact_hours="Du lundi au vendredi, de 9 h à 16 h",
        difficulties="Appelez-nous : l’assistante sociale du service peut vous recevoir sans rendez-vous.",
        instalments="En trois fois au plus, à demander au bureau des factures avant la date limite.",
    )  # fmt: skip
    source(
        north, "titre", "titre", name="Avis des sommes à payer", numcli="090911", saisie="T", access="amount_birth",
        contact_name="Trésorerie hospitalière", contact_phone="01 99 00 20 00",
        instalments="Auprès du Trésor public, avec l’avis des sommes à payer.",
    )  # fmt: skip
    source(north, "REG-OLD", name="Ancienne régie du site Est", numcli="090912", is_active=False)
