"""Terminals where people say that they are there, and who did."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("appointment", sa.Column("at_kiosk", sa.Boolean(), server_default="false", nullable=False))
    op.create_table(
        "kiosk",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("unit_ids", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.Column("early_min", sa.SmallInteger(), server_default="120", nullable=False),
        sa.Column("late_min", sa.SmallInteger(), server_default="30", nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=True),
        sa.Column("code_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_digest", sa.LargeBinary(), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(code_digest is null) = (code_until is null)", name=op.f("ck_kiosk_code")),
        sa.CheckConstraint("early_min between 0 and 720 and late_min between 0 and 720", name=op.f("ck_kiosk_delays")),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_kiosk_establishment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_kiosk_code_digest")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_kiosk_token_digest")),
    )
    op.create_index(op.f("ix_kiosk_establishment_id"), "kiosk", ["establishment_id"], unique=False)
    described = may.either(may.staff("administration"), may.SYSTEM)
    # A patient's page shows the code to scan where a terminal takes it: that one stands there is no secret.
    in_service = may.both("token_digest is not null", "revoked_at is null")
    may.protect("kiosk", read=may.either(described, in_service), insert=described, update=described)


def downgrade() -> None:
    op.drop_table("kiosk")
    op.drop_column("appointment", "at_kiosk")
