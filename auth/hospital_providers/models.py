"""The provider of one hospital, as its administrators set it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment


class HospitalProvider(Keyed, Base):
    """Where a hospital's agents prove who they are, and what there proves two factors.

    sealed_secret: our client secret, readable with the portal's file keys alone. proof_claim: acr or amr, one of whose
    proof_values the id_token must hold. acr_values: what is asked for, often nothing.
    """

    __tablename__ = "hospital_provider"
    __table_args__ = (
        CheckConstraint("proof_claim in ('acr', 'amr')", "proof_claim"),
        CheckConstraint("cardinality(proof_values) > 0", "proof_values"),
        CheckConstraint("signing_alg in ('ES256', 'RS256')", "signing_alg"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), unique=True)
    label: Mapped[str]
    issuer: Mapped[str]
    discovery_url: Mapped[str]
    client_id: Mapped[str]
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    signing_alg: Mapped[str] = mapped_column(default="RS256")
    scopes: Mapped[str] = mapped_column(default="openid profile email")
    acr_values: Mapped[str] = mapped_column(default="")
    proof_claim: Mapped[str] = mapped_column(default="amr")
    proof_values: Mapped[list[str]] = mapped_column(ARRAY(Text))
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()
