"""News of the demonstration: what waits for a general practitioner and for a secretary, and who else is told."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.digests.models import DigestAddress
from auth.news.models import News, NewsBox, NewsMessage
from portal import db
from portal.db import session
from portal.establishments import Unit
from services.appointments.city.models import SentAppointment
from services.documents.exchanges.models import Exchange

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def news(account_id: UUID, kind: str = "messages", path: str = "/pro", **facts: object) -> News:
    """A line that nothing has told yet."""
    made = News(**{"id": uuid4(), "account_id": account_id, "kind": kind, "path": path} | facts)
    session.add(made)
    session.flush()
    return made


def message(account_id: UUID, channel: str = "mail", **facts: object) -> NewsMessage:
    """A message that told one line."""
    usual = {"id": uuid4(), "account_id": account_id, "channel": channel, "kinds": ["messages"], "lines": 1}
    made = NewsMessage(**usual | facts)
    session.add(made)
    session.flush()
    return made


def box(account_id: UUID, address: str = "paul.leroy@medecin.mssante.fr", **facts: object) -> NewsBox:
    """A professional box, proven."""
    made = NewsBox(**{"account_id": account_id, "address": address, "verified_at": db.now()} | facts)
    session.add(made)
    session.flush()
    return made


def demonstrate(world: "World") -> None:
    gp, nurse = world.professionals["roumillac"], world.professionals["abrial"]
    for age, thread in enumerate(_threads(Exchange.professional_id == gp.id)):
        _told(gp.account_id, "messages", f"/pro/echanges/{thread}", age)
    sent = select(SentAppointment.appointment_id).where(SentAppointment.professional_id == gp.id).limit(1)
    for appointment in session.scalars(sent):
        _told(gp.account_id, "appointments", f"/pro/rendez-vous/{appointment}", 3)
    secretary = world.agents["medical-secretary"]
    for age, thread in enumerate(_threads(Exchange.state == "received")):
        _told(secretary.id, "messages", f"/admin/documents/echanges/{thread}", age)
    box(nurse.account_id, "solene.abrial@infirmier.mssante.fr")
    eyes = session.scalars(select(Unit).where(Unit.uf == "1204")).one()
    session.add(
        DigestAddress(
            id=uuid4(), establishment_id=eyes.establishment_id, unit_id=eyes.id,
            address="secretariat.ophtalmologie@ch-arceau.exemple.test",
        )
    )  # fmt: skip
    session.flush()


def _threads(which: object) -> list[UUID]:
    return list(session.scalars(select(Exchange.id).where(which).order_by(Exchange.reference).limit(3)))  # type: ignore[arg-type]  # a condition


def _told(account_id: UUID, kind: str, path: str, hours: int) -> None:
    """Told already, so that trying the portal sends nothing."""
    at = db.now() - timedelta(hours=hours, minutes=7)
    news(account_id, kind, path, created_at=at, look_at=at, waiting=False)
