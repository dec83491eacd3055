"""A piece asked of a patient (identity card, insurance card…), its pages, and every change it went through."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, CheckConstraint, Date, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from portal.files import StoredFile


@dataclass(frozen=True)
class Kind:
    """What may be asked of a patient.

    has_expiry: it bears a date after which it is worth nothing. is_identity: the scan of an identity document, kept
    for the shortest time, shown to agents with a watermark and never downloaded. is_health: it tells of somebody's
    health, so that the care team sees it and the admissions office does not. most_pages: files in one piece.
    of_shelf: it goes to those who keep the documents of patients, whatever stay it is about.
    """

    code: str
    has_expiry: bool = False
    is_identity: bool = False
    is_health: bool = False
    most_pages: int = 6
    of_shelf: bool = False

    @property
    def staff_right(self) -> str:
        """Which right at the hospital shows it."""
        if self.of_shelf:
            return "documents"
        return "care" if self.is_health else "preadmission"


KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("identity", has_expiry=True, is_identity=True, most_pages=4),
        Kind("address_proof", most_pages=4),
        Kind("health_card", most_pages=4),
        Kind("top_up_card", has_expiry=True, most_pages=4),
        Kind("insurer_agreement", has_expiry=True),
        Kind("c2s", has_expiry=True, most_pages=4),
        Kind("ame", has_expiry=True, most_pages=4),
        Kind("work_accident"),
        Kind("maternity_booklet", is_health=True, most_pages=20),
        Kind("family_book", most_pages=12),
        Kind("birth_recognition"),
        Kind("european_card", has_expiry=True, most_pages=2),
        Kind("care_form", has_expiry=True),
        Kind("payment_guarantee", has_expiry=True, most_pages=10),
        Kind("military_booklet"),
        Kind("protection_judgement", has_expiry=True, most_pages=20),
        Kind("protector_identity", has_expiry=True, is_identity=True, most_pages=4),
        Kind("parent_identity", has_expiry=True, is_identity=True, most_pages=8),
        Kind("parental_authority", most_pages=20),
        Kind("operating_consent"),
        Kind("prescription", is_health=True),
        Kind("referral_letter", is_health=True),
        Kind("advance_directives", is_health=True, most_pages=10),
        Kind("trusted_person_form"),
        Kind("health_document", is_health=True, most_pages=20, of_shelf=True),
        Kind("other", most_pages=10),
    )
}
"""What may be asked, in the order people see it (domain reference, section 4.1)."""

HAS_EXPIRY = frozenset(code for code, kind in KINDS.items() if kind.has_expiry)
_ORDER = {code: rank for rank, code in enumerate(KINDS)}

STATES = (
    "awaited",
    "scanning",
    "deposited",
    "infected",
    "accepted",
    "refused",
    "waived",
    "expired",
    "withdrawn",
    "purged",
)
"""`scanning`: a page waits for the antivirus. `waived`: the paper is to be shown on the day of the stay. `expired`: it
was accepted, and its day has passed. `withdrawn`: no longer asked, though what was sent is kept for now. `purged`: the
pages were erased, the row stays to prove it."""

THERE = frozenset({"scanning", "deposited", "accepted", "waived"})
TO_REDO = frozenset({"refused", "infected", "expired"})
ROTATIONS = (0, 90, 180, 270)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", column)


class Piece(Keyed, Base):
    """One piece of one folder. The folder is a row of a room above (a pre-admission), which this room does not know.

    shared_at: when the hospital began to see it; a draft's pieces are the patient's alone. staff_right: which right
    at the hospital shows it. note: the agent's own words beside the reason of a refusal. reused_from: the accepted
    piece of another folder whose pages these are.
    """

    __tablename__ = "piece"
    __table_args__ = (
        UniqueConstraint("folder_id", "kind"),
        _one_of("kind", tuple(KINDS)),
        _one_of("state", STATES),
        Index("ix_piece_expiry", "expires_on", postgresql_where="state = 'accepted'"),
    )

    folder_id: Mapped[UUID]
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    kind: Mapped[str]
    needed: Mapped[bool]
    staff_right: Mapped[str] = mapped_column(default="preadmission", server_default="preadmission")
    state: Mapped[str] = mapped_column(default="awaited", index=True)
    refusal_reason: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    expires_on: Mapped[date | None] = mapped_column(Date)
    shared_at: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    reused_from: Mapped[UUID | None] = mapped_column(ForeignKey("piece.id"))

    establishment: Mapped[Establishment] = relationship()
    pages: Mapped[list["PiecePage"]] = relationship(
        order_by="PiecePage.position", cascade="all, delete-orphan", back_populates="piece"
    )

    @property
    def rules(self) -> Kind:
        return KINDS[self.kind]

    @property
    def rank(self) -> int:
        """Where it stands among the folder's pieces, as people read them."""
        return _ORDER[self.kind]

    @property
    def is_there(self) -> bool:
        """The patient has done their part: nothing more to send unless the hospital refuses it."""
        return self.state in THERE

    @property
    def is_to_redo(self) -> bool:
        return self.state in TO_REDO

    @property
    def is_lacking(self) -> bool:
        """The folder cannot be sent like this: it is needed and not there, or what was sent will not do."""
        return self.is_to_redo or (self.needed and not self.is_there)

    @property
    def is_expected(self) -> bool:
        """The patient still has something to send: it was refused, or it is needed and nothing came."""
        return self.is_to_redo or (self.needed and self.state == "awaited")

    @property
    def file(self) -> StoredFile | None:
        """Its first page, which is what a list names."""
        return self.pages[0].file if self.pages else None

    @property
    def is_readable(self) -> bool:
        """It has pages, and the antivirus accepted all of them."""
        return bool(self.pages) and all(page.file.state == "clean" for page in self.pages)

    @property
    def lacks_a_side(self) -> bool:
        """What was sent is good, and the rest is to be sent: the pages stay."""
        return self.refusal_reason == "side_missing"

    def is_valid_on(self, day: date) -> bool:
        return self.expires_on is None or self.expires_on >= day


class PiecePage(Keyed, Base):
    """One file of a piece: the photograph of a side, or a PDF of several sheets.

    position: from 1. rotation: how far to turn it clockwise so that it is upright, in degrees.
    """

    __tablename__ = "piece_page"
    __table_args__ = (
        UniqueConstraint("piece_id", "position", deferrable=True, initially="DEFERRED"),
        CheckConstraint("rotation in (0, 90, 180, 270)", "rotation"),
    )

    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    position: Mapped[int]
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), index=True)
    rotation: Mapped[int] = mapped_column(default=0)
    added_at: Mapped[datetime] = mapped_column(default=db.now)

    piece: Mapped[Piece] = relationship(back_populates="pages")
    file: Mapped[StoredFile] = relationship(lazy="joined", innerjoin=True)


class PieceChange(Keyed, Base):
    """One change of one piece: from which state to which, by whom, when and why. Never altered.

    digests: SHA-256 of each page at that moment, in hexadecimal: what was accepted stays known after its erasure.
    """

    __tablename__ = "piece_change"

    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    from_state: Mapped[str]
    to_state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    digests: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")


def new_piece(folder_id: UUID, establishment_id: UUID, patient_id: UUID, kind: str, *, needed: bool) -> Piece:
    """A piece that is awaited. Raises KeyError when there is no such kind."""
    rules = KINDS[kind]
    return Piece(
        id=uuid4(),
        folder_id=folder_id,
        establishment_id=establishment_id,
        patient_id=patient_id,
        kind=kind,
        needed=needed,
        staff_right=rules.staff_right,
        state="awaited",
    )
