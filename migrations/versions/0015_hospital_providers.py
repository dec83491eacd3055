"""A hospital's own identity provider; an attempt to sign in knows its public and the invitation it follows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_hospital_provider()
    for column in ("audience", "invitation"):
        op.add_column("sign_in_attempt", sa.Column(column, sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    for column in ("invitation", "audience"):
        op.drop_column("sign_in_attempt", column)
    op.execute("drop table hospital_provider cascade")


def _create_hospital_provider() -> None:
    texts = ("label", "issuer", "discovery_url", "client_id", "signing_alg", "scopes", "acr_values", "proof_claim")
    op.create_table(
        "hospital_provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("proof_values", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("proof_claim in ('acr', 'amr')", name=op.f("ck_hospital_provider_proof_claim")),
        sa.CheckConstraint("cardinality(proof_values) > 0", name=op.f("ck_hospital_provider_proof_values")),
        sa.CheckConstraint("signing_alg in ('ES256', 'RS256')", name=op.f("ck_hospital_provider_signing_alg")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_hospital_provider_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital_provider")),
        sa.UniqueConstraint("establishment_id", name=op.f("uq_hospital_provider_establishment_id")),
    )
    whose = may.either(may.SYSTEM, may.staff("administration"))
    may.protect("hospital_provider", read=whose, write=whose)
