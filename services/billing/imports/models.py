"""What became of each file of bills: who loaded it, what it changed at which hospital, what it was refused."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment

KINDS = ("csv", "pes")
STATES = ("running", "done", "stopped")
REMARKS = ("refused", "noticed")


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


class BillImport(Keyed, Base):
    """One file that was read. actor: who did it, as the audit names them; account_id, actor_name: the
    agent's, if it was one.

    state: running (or cut: what was done stays), done, stopped (the file turned out not to be one; `why` says it).
    refused: lines that belong to no hospital we know.
    """

    __tablename__ = "bill_import"
    __table_args__ = (
        CheckConstraint(_among("kind", KINDS), "kind"),
        CheckConstraint(_among("state", STATES), "state"),
        Index("ix_bill_import_began_at", "began_at"),
    )

    file_name: Mapped[str]
    kind: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    began_at: Mapped[datetime] = mapped_column(default=db.now)
    ended_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="running")
    why: Mapped[str] = mapped_column(default="")
    refused: Mapped[int] = mapped_column(default=0, server_default="0")

    places: Mapped[list["BillImportPlace"]] = relationship(back_populates="imported")


class BillImportPlace(Base):
    """What one file did at one hospital. closed: bills asked for no more; left_out: lines that no person owes."""

    __tablename__ = "bill_import_place"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("bill_import.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    added: Mapped[int] = mapped_column(default=0, server_default="0")
    changed: Mapped[int] = mapped_column(default=0, server_default="0")
    unchanged: Mapped[int] = mapped_column(default=0, server_default="0")
    refused: Mapped[int] = mapped_column(default=0, server_default="0")
    closed: Mapped[int] = mapped_column(default=0, server_default="0")
    left_out: Mapped[int] = mapped_column(default=0, server_default="0")

    imported: Mapped[BillImport] = relationship(back_populates="places")
    establishment: Mapped[Establishment] = relationship()


class BillImportRemark(Keyed, Base):
    """A line that was refused, or one that was taken and that somebody should look at. establishment_id: None when the
    line does not tell a hospital we know; it then carries no reference either. A thousand a file at most."""

    __tablename__ = "bill_import_remark"
    __table_args__ = (
        CheckConstraint(_among("kind", REMARKS), "kind"),
        Index("ix_bill_import_remark_import_id", "import_id", "line"),
    )

    import_id: Mapped[UUID] = mapped_column(ForeignKey("bill_import.id"))
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str]
    line: Mapped[int]
    reference: Mapped[str] = mapped_column(default="")
    why: Mapped[str]


_STAGED_TEXTS = ("finess", "source", "exer", "reference", "refdet", "label", "unit")

bill_staging = Table(
    "bill_staging",
    Base.metadata,
    Column("line", Integer, nullable=False),
    *(
        Column(name, Text, nullable=False)
        for name in ("finess", "source", "exer", "reference", "refdet", "label", "unit")
    ),
    *(Column(name, Date) for name in ("care_on", "issued_on", "due_on")),
    *(Column(name, BigInteger, nullable=False) for name in ("total_cents", "amo_cents", "amc_cents", "due_cents")),
    Column("ipp", Text, nullable=False),
    Column("bill_source", Text, nullable=False),
    Column("access_digest", LargeBinary),
    Column("birth_digest", LargeBinary),
    Column("closed", Text, nullable=False),
    prefixes=["unlogged"],
)
"""Lines on their way into `bill`, as the file tells them (see `staging`). Never holds a committed row."""
