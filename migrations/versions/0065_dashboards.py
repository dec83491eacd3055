"""Saved views of the pages of figures, and the one that an agent starts with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "figure_view",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("choice", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("page in ('home', 'service', 'figure', 'comparison')", name=op.f("ck_figure_view_page")),
        sa.CheckConstraint("jsonb_typeof(choice) = 'object'", name=op.f("ck_figure_view_choice")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_figure_view_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_figure_view_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_view")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_figure_view_account_id_name")),
    )
    op.create_index(op.f("ix_figure_view_establishment_id"), "figure_view", ["establishment_id"])
    own = may.account()
    # Shared with those who administer a hospital, by somebody who does.
    shared = may.staff("administration")
    may.protect(
        "figure_view",
        read=may.either(own, shared, may.SYSTEM),
        insert=may.either(may.both(own, may.either("establishment_id is null", shared)), may.SYSTEM),
        update=may.both(own, may.either("establishment_id is null", shared)),
        delete=may.either(own, may.SYSTEM),
    )
    op.create_table(
        "figure_view_start",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("view_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_figure_view_start_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["view_id"], ["figure_view.id"], name=op.f("fk_figure_view_start_view_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_figure_view_start")),
    )
    op.create_index(op.f("ix_figure_view_start_view_id"), "figure_view_start", ["view_id"])
    may.protect("figure_view_start", read=may.either(own, may.SYSTEM), write=may.either(own, may.SYSTEM))


def downgrade() -> None:
    op.drop_table("figure_view_start")
    op.drop_table("figure_view")
