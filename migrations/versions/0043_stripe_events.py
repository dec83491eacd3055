"""Stripe events."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "stripe_event",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("payment_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("came_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("happened_at", _MOMENT, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("done_at", _MOMENT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state in ('waiting', 'done', 'ignored', 'to_review')", name=op.f("ck_stripe_event_state")),
        sa.CheckConstraint("came_by in ('webhook', 'sweep')", name=op.f("ck_stripe_event_came_by")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_stripe_event_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_stripe_event_event_id")),
    )
    op.create_index("ix_stripe_event_list", "stripe_event", ["establishment_id", "received_at"])
    op.create_index(
        "ix_stripe_event_waiting", "stripe_event", ["received_at"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "stripe_sweep",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("read_until", _MOMENT, nullable=True),
        sa.Column("swept_at", _MOMENT, nullable=False),
        sa.Column("trouble", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_stripe_sweep_establishment_id")
        ),
        sa.PrimaryKeyConstraint("establishment_id", name=op.f("pk_stripe_sweep")),
    )
    reads = may.either(may.staff("billing"), may.SYSTEM)
    may.protect("stripe_event", read=reads, insert=may.SYSTEM, update=reads)
    may.protect("stripe_sweep", read=reads, insert=may.SYSTEM, update=may.SYSTEM)


def downgrade() -> None:
    for table in ("stripe_sweep", "stripe_event"):
        op.execute(f"drop table {table} cascade")
