"""Pathways: several visits booked together, on one day or in a series; and the waiting room of a rush."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_SOME_ADMINISTRATOR = "(select current_setting('parvis.at_administration', true)) <> ''"
_AGENTS = may.either(may.staff("appointments"), may.SYSTEM)


def upgrade() -> None:
    _create_pathway()
    _create_step()
    op.create_table(
        "waiting_room",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_waiting_room_one")),
        sa.CheckConstraint("per_minute between 1 and 100000", name=op.f("ck_waiting_room_per_minute")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_room")),
    )
    # Who comes in pushes the next one's turn; only administrators say how many come in.
    may.protect("waiting_room", read=may.ANYBODY, write=may.either(_SOME_ADMINISTRATOR, may.SYSTEM))


def _create_pathway() -> None:
    op.create_table(
        "pathway",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("bookable_online", sa.Boolean(), nullable=False),
        sa.Column("known_only", sa.Boolean(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("min_gap_min", "max_gap_min", "times", "every_days", "tolerance_days")
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('day', 'series')", name=op.f("ck_pathway_kind")),
        sa.CheckConstraint(
            "min_gap_min between 0 and max_gap_min and max_gap_min <= 720", name=op.f("ck_pathway_gaps")
        ),
        sa.CheckConstraint(
            "times between 1 and 30 and every_days between 1 and 90 and tolerance_days between 0 and 14",
            name=op.f("ck_pathway_series"),
        ),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_pathway_establishment_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_pathway_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pathway")),
    )
    op.create_index(op.f("ix_pathway_establishment_id"), "pathway", ["establishment_id"])
    may.protect("pathway", read=may.ANYBODY, insert=_AGENTS, update=_AGENTS)


def _create_step() -> None:
    op.create_table(
        "pathway_step",
        sa.Column("pathway_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reason_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pathway_id"], ["pathway.id"], name=op.f("fk_pathway_step_pathway_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(["reason_id"], ["reason.id"], name=op.f("fk_pathway_step_reason_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_pathway_step_establishment_id")
        ),
        sa.PrimaryKeyConstraint("pathway_id", "position", name=op.f("pk_pathway_step")),
    )
    may.protect("pathway_step", read=may.ANYBODY, write=_AGENTS)


def downgrade() -> None:
    for table in ("waiting_room", "pathway_step", "pathway"):
        op.drop_table(table)
