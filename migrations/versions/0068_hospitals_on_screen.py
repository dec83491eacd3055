"""Hospitals run from the screen: their logo, the last day of practitioners, and who changed a setting from what."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def _hospital(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["establishment_id"], ["establishment.id"], name=op.f(f"fk_{table}_establishment_id")
    )


def upgrade() -> None:
    op.add_column("practitioner", sa.Column("leaves_on", sa.Date(), nullable=True))
    op.create_table(
        "establishment_logo",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("height", sa.SmallInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _hospital("establishment_logo"),
        sa.PrimaryKeyConstraint("establishment_id", name=op.f("pk_establishment_logo")),
    )
    op.create_table(
        "establishment_setting_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("former", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("secret", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _hospital("establishment_setting_change"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_establishment_setting_change")),
        comment="append-only",
    )
    op.create_index(
        "ix_establishment_setting_change_of", "establishment_setting_change", ["establishment_id", "key", "changed_at"]
    )
    administrator = may.either(may.SYSTEM, may.staff("administration"))
    may.protect("establishment_logo", read=may.ANYBODY, write=administrator)
    may.protect(
        "establishment_setting_change",
        read=may.either(may.SYSTEM, may.staff("administration"), may.staff("audit")),
        insert=administrator,
    )


def downgrade() -> None:
    op.drop_table("establishment_setting_change")
    op.drop_table("establishment_logo")
    op.drop_column("practitioner", "leaves_on")
