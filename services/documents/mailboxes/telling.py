"""A box of the hospital tells a practitioner that something waits for them in the portal: a mail without documents,
about nobody, which no thread keeps."""

from uuid import UUID

from sqlalchemy import select

from auth.news import boxes
from auth.news.boxes import NoBox
from portal import db, establishments
from portal.db import session
from portal.establishments import Establishment
from portal.gateways import Refused, Unavailable, UnsupportedUrl
from portal.gateways.mssante import NotLetIn, Submission
from services.directory import queries as directory
from services.documents import mss
from services.documents.mailboxes import operators
from services.documents.mailboxes.models import Mailbox
from services.documents.mailboxes.operators import NoOperator, Way
from services.documents.mss.outgoing import Outgoing, Sender


def offer() -> None:
    """Let news leave from here, and say which boxes the national directory knows."""
    boxes.known_by(known)
    boxes.written_from(send)


def known(rpps: str) -> list[str]:
    """The published boxes of a practitioner, the one to write to first."""
    return [box.address for box in directory.boxes_of(rpps)]


def send(address: str, subject: str, text: str, key: str) -> None:
    """From the first box of the group that can write. key: the same at each try, so that the mail keeps its number.

    Raises NoBox, Refused, Unavailable, OutcomeUnknown.
    """
    with db.transaction(db.system("documents.tell_news")):
        way, mail = _mail(address, subject, text, key)
    try:
        raw = mss.compose(mail)
    except mss.CannotSend:
        raise Refused("address", "no mail can be written to it") from None
    try:
        refused = way.operator.submit(way.box, Submission((address,), raw)).refused
    except NotLetIn:
        raise NoBox from None
    if code := refused.get(address, ""):
        if code.startswith("4"):
            raise Unavailable("the operator may take it later")
        raise Refused(code, "the operator does not take this address")


def _mail(address: str, subject: str, text: str, key: str) -> tuple[Way, Outgoing]:
    box, way = _box()
    domain = box.address.rpartition("@")[2]
    return way, Outgoing(
        message_id=f"<news.{key}@{domain}>",
        sender=Sender(box.address, box.label),
        recipients=(address,),
        sent_at=db.now(),
        product=_product(box.establishment_id),
        text=text,
        subject=subject,
        is_automatic=True,
    )


def _box() -> tuple[Mailbox, Way]:
    """That of an application before that of an organisation, of the first hospital of the group; never a person's.
    Raises NoBox."""
    found = session.scalars(
        select(Mailbox)
        .join(Establishment, Establishment.id == Mailbox.establishment_id)
        .where(Mailbox.kind != "PER", Mailbox.closed_at.is_(None))
        .order_by(Mailbox.kind, Establishment.finess, Mailbox.unit_id.nulls_first(), Mailbox.address)
    )
    for box in found.all():
        try:
            return box, operators.way_to(box)
        except (NoOperator, UnsupportedUrl):
            continue
    raise NoBox


def _product(establishment_id: UUID) -> str:
    return establishments.setting(establishment_id, operators.PRODUCT) or operators.USUAL_PRODUCT
