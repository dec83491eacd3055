"""What administrators do with boxes."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.models import Professional
from portal import audit, db, establishments
from portal.db import session
from portal.establishments import Establishment, Unit
from services.documents.mailboxes import operators
from services.documents.mailboxes.models import Mailbox
from services.documents.mss import BadAddress, is_citizen
from services.documents.mss.addresses import checked

KINDS: Final = ("PER", "ORG", "APP")


class BoxTaken(Exception):
    """A box of this address is declared already."""


class NotABoxAddress(Exception):
    """Not an address that a hospital's box may have."""


class HolderMissing(Exception):
    """A personal box is somebody's, and nobody here has this RPPS number."""


class UnknownUnit(Exception):
    """No unit of this hospital has this code."""


@dataclass(frozen=True)
class BoxDraft:
    """What an administrator says of a box. unit: its UF code. holder_rpps: of a personal box. url: its operator's
    address, when it is not the hospital's; None leaves the one it has."""

    address: str
    kind: str
    label: str = ""
    unit: str = ""
    holder_rpps: str = ""
    url: str | None = ""


def add_box(hospital: Establishment, draft: BoxDraft) -> Mailbox:
    """Declare a box; one that was closed is opened again.

    Raises BoxTaken, NotABoxAddress, HolderMissing, UnknownUnit, UnsupportedUrl.
    """
    address = _address(draft.address)
    box = session.scalar(select(Mailbox).where(Mailbox.address == address).with_for_update(key_share=True))
    if box is not None and (box.is_open or box.establishment_id != hospital.id or box.kind != draft.kind):
        raise BoxTaken(address)
    if box is None:
        box = Mailbox(id=uuid4(), establishment_id=hospital.id, address=address, kind=draft.kind, created_at=db.now())
        box.holder_id = _holder(draft)
    box.closed_at = None
    _describe(box, hospital, draft)
    session.add(box)
    session.flush()
    _record("mailbox.added", box)
    return box


def change_box(box: Mailbox, draft: BoxDraft) -> Mailbox:
    """Change what may change: an address and a kind are for ever. Raises UnknownUnit, UnsupportedUrl."""
    _describe(box, session.get_one(Establishment, box.establishment_id), draft)
    session.flush()
    _record("mailbox.changed", box)
    return box


def close_box(box: Mailbox) -> None:
    """Read it no more, and write no more from it; its history stays."""
    if box.is_open:
        box.closed_at = db.now()
        session.flush()
        _record("mailbox.closed", box)


def set_operator(hospital: Establishment, url: str, error_receipts: str) -> None:
    """Say which operator holds the hospital's boxes ("" leaves it), and who is told that a letter was not filed.

    Raises UnsupportedUrl.
    """
    if url:
        establishments.change_setting(hospital.id, operators.ADDRESS, url)
    establishments.change_setting(hospital.id, operators.ERROR_RECEIPTS, error_receipts)
    audit.record(
        "mailbox.operator_set", establishment_id=hospital.id, object_kind="establishment", object_id=hospital.id
    )


def note_trial(box: Mailbox, trouble: str) -> None:
    """An administrator tried the connection of a box. trouble: our word, empty when it opens."""
    audit.record(
        "mailbox.checked",
        establishment_id=box.establishment_id,
        object_kind="mailbox",
        object_id=box.id,
        outcome=trouble or "open",
    )


def _describe(box: Mailbox, hospital: Establishment, draft: BoxDraft) -> None:
    if draft.url:
        operators.check_address(draft.url)
    box.label = " ".join(draft.label.split()) or hospital.name
    box.unit_id = _unit(hospital.id, draft.unit)
    if draft.url is not None:
        box.url = draft.url


def _address(typed: str) -> str:
    try:
        address = checked(typed.strip().lower())
    except BadAddress:
        raise NotABoxAddress(typed) from None
    if is_citizen(address):
        raise NotABoxAddress(typed)
    return address


def _holder(draft: BoxDraft) -> UUID | None:
    if draft.kind != "PER":
        return None
    holder = session.scalar(select(Professional.account_id).where(Professional.rpps == draft.holder_rpps))
    if holder is None:
        raise HolderMissing(draft.holder_rpps)
    return holder


def _unit(establishment_id: UUID, code: str) -> UUID | None:
    if not code:
        return None
    found = session.scalar(select(Unit.id).where(Unit.establishment_id == establishment_id, Unit.uf == code))
    if found is None:
        raise UnknownUnit(code)
    return found


def _record(action: str, box: Mailbox) -> None:
    audit.record(action, establishment_id=box.establishment_id, object_kind="mailbox", object_id=box.id, kind=box.kind)
