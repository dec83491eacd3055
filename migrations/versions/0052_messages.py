"""Threads between patients and units, and what goes to Mon espace santé."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unit_desk",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("answer_days", sa.Integer(), server_default="3", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("signature", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("answer_days between 1 and 30", name=op.f("ck_unit_desk_answer_days")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_desk_unit_id")),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_unit_desk_establishment_id")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_unit_desk")),
    )
    op.create_index(op.f("ix_unit_desk_establishment_id"), "unit_desk", ["establishment_id"])
    ours = may.either(may.staff("documents"), may.SYSTEM)
    may.protect("unit_desk", read=may.ANYBODY, write=ours)


def downgrade() -> None:
    op.execute("drop table unit_desk cascade")
