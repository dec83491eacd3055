"""Totals that hospitals give: all appointments, all stays, all bills, active patients. Each word is kept."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kpi_hospital_total",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("grain", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("grain in ('month', 'day')", name=op.f("ck_kpi_hospital_total_grain")),
        sa.CheckConstraint("source in ('file', 'screen', 'machine')", name=op.f("ck_kpi_hospital_total_source")),
        sa.CheckConstraint("value between 0 and 100000000000000", name=op.f("ck_kpi_hospital_total_value")),
        sa.CheckConstraint("grain = 'day' or extract(day from day) = 1", name=op.f("ck_kpi_hospital_total_day")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_kpi_hospital_total_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_hospital_total")),
    )
    op.create_index(
        "uq_kpi_hospital_total_establishment_id_code_day_grain",
        "kpi_hospital_total",
        ["establishment_id", "code", "day", "grain"],
        unique=True,
        postgresql_where=sa.text("replaced_at is null"),
    )
    op.create_index(
        "ix_kpi_hospital_total_establishment_id_received_at", "kpi_hospital_total", ["establishment_id", "received_at"]
    )
    here = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("kpi_hospital_total", read=here, insert=here, update=here, delete=may.SYSTEM)


def downgrade() -> None:
    op.drop_table("kpi_hospital_total")
