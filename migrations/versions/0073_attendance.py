"""Emergency departments and what is said of them: open to everybody once published."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None

_PUBLISHED = (
    "exists (select 1 from emergency_department d where d.id = emergency_reading.department_id"
    " and d.is_published and d.removed_at is null)"
)

_OF_THE_SAME_HOSPITAL = (
    "exists (select 1 from emergency_department d where d.id = emergency_reading.department_id"
    " and d.establishment_id = emergency_reading.establishment_id)"
)


def upgrade() -> None:
    _create_departments()
    _create_readings()
    described = may.either(may.staff("administration"), may.SYSTEM)
    may.protect(
        "emergency_department",
        read=may.either(may.both("is_published", "removed_at is null"), may.any_staff(), may.SYSTEM),
        insert=described,
        update=described,
    )
    told = may.either(may.both(may.staff("care"), _OF_THE_SAME_HOSPITAL), may.SYSTEM)
    may.protect(
        "emergency_reading",
        read=may.either(_PUBLISHED, may.any_staff(), may.SYSTEM),
        insert=told,
        update=told,
        delete=may.SYSTEM,
    )


def downgrade() -> None:
    op.drop_table("emergency_reading")
    op.drop_table("emergency_department")


def _create_departments() -> None:
    op.create_table(
        "emergency_department",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("access", sa.Text(), server_default="", nullable=False),
        sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{0,39}$'", name=op.f("ck_emergency_department_code")),
        sa.CheckConstraint(
            "kind in ('adult', 'paediatric', 'gynaecology', 'ophthalmology', 'psychiatry', 'dental', 'hand', 'all_ages')",
            name=op.f("ck_emergency_department_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_emergency_department_establishment_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_emergency_department_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_department")),
        sa.UniqueConstraint("establishment_id", "code", name=op.f("uq_emergency_department_establishment_id_code")),
    )
    op.create_index(op.f("ix_emergency_department_unit_id"), "emergency_department", ["unit_id"], unique=False)


def _create_readings() -> None:
    op.create_table(
        "emergency_reading",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("waiting", sa.SmallInteger(), nullable=True),
        sa.Column("minutes_from", sa.SmallInteger(), nullable=True),
        sa.Column("minutes_to", sa.SmallInteger(), nullable=True),
        sa.Column("message", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state in ('open', 'saturated', 'diverted', 'closed', 'unknown')", name=op.f("ck_emergency_reading_state")
        ),
        sa.CheckConstraint("source in ('entered', 'machine')", name=op.f("ck_emergency_reading_source")),
        sa.CheckConstraint("waiting between 0 and 999", name=op.f("ck_emergency_reading_waiting")),
        sa.CheckConstraint(
            "(minutes_from is null) = (minutes_to is null) and minutes_from between 0 and minutes_to"
            " and minutes_to <= 1440",
            name=op.f("ck_emergency_reading_minutes"),
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["emergency_department.id"], name=op.f("fk_emergency_reading_department_id")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_emergency_reading_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_reading")),
        sa.UniqueConstraint(
            "department_id", "measured_at", name=op.f("uq_emergency_reading_department_id_measured_at")
        ),
    )
    op.create_index(
        "ix_emergency_reading_establishment_id_measured_at",
        "emergency_reading",
        ["establishment_id", "measured_at"],
        unique=False,
    )
