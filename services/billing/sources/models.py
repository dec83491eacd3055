"""A hospital's bill sources."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Keyed

KINDS = ("regie", "titre", "private")
ACCESSES = ("key", "amount_birth", "none")


class BillSource(Keyed, Base):
    """Where bills of one kind come from, and how they are paid. `code` is what the billing system calls it.

    numcli, saisie: PayFiP's client number and T, X or W. means: `payfip`, `stripe`, in the order they are offered.
    access: what a payer without an account types beside the reference. several: whether PayFiP may take several bills
    in one go, which the régisseur must agree to. reminds: whether unpaid bills are reminded of (never a titre's).
    """

    __tablename__ = "bill_source"
    __table_args__ = (
        UniqueConstraint("establishment_id", "code"),
        CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in KINDS)})", "kind"),
        CheckConstraint(f"access in ({', '.join(repr(access) for access in ACCESSES)})", "access"),
        CheckConstraint("means <@ array['payfip', 'stripe']", "means"),
        CheckConstraint("saisie in ('', 'T', 'X', 'W')", "saisie"),
        CheckConstraint("kind <> 'titre' or (not reminds and not several and not 'stripe' = any (means))", "titre"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    code: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    numcli: Mapped[str] = mapped_column(default="")
    saisie: Mapped[str] = mapped_column(default="")
    means: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    access: Mapped[str] = mapped_column(default="key")
    several: Mapped[bool] = mapped_column(default=False)
    reminds: Mapped[bool] = mapped_column(default=False)
    contact_name: Mapped[str] = mapped_column(default="")
    contact_phone: Mapped[str] = mapped_column(default="")
    contact_email: Mapped[str] = mapped_column(default="")
    contact_hours: Mapped[str] = mapped_column(default="")
    difficulties: Mapped[str] = mapped_column(default="")
    instalments: Mapped[str] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)
