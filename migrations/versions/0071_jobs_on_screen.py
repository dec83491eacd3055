"""Doors and jobs on screen: what processes say of their doors, pauses, tries, troubles of jobs, and availability."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

from migrations import policies as may

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

_SOME_ADMINISTRATOR = "(select current_setting('parvis.at_administration', true)) <> ''"
_SOME_AGENT = "(select current_setting('parvis.establishments', true)) <> ''"
_OF_THE_GROUP = "establishment_id is null"


def upgrade() -> None:
    _create_doors()
    _create_jobs()
    _create_availability()


def downgrade() -> None:
    for table in ("outage", "maintenance_window", "availability_probe"):
        op.drop_table(table)
    for table in ("job_settled", "job_trouble", "door_test", "door_pause", "door_state"):
        op.drop_table(table)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _of_a_hospital(table: str) -> list[SchemaItem]:
    constraint = sa.ForeignKeyConstraint(
        ["establishment_id"], ["establishment.id"], name=op.f(f"fk_{table}_establishment_id_establishment")
    )
    return [sa.Column("establishment_id", sa.Uuid(), nullable=True), constraint]


def _create_doors() -> None:
    op.create_table(
        "door_state",
        *_texts("door", "process"),
        *_of_a_hospital("door_state"),
        *_texts("breaker"),
        _moment("last_success_at", nullable=True),
        _moment("last_failure_at", nullable=True),
        *_texts("last_failure"),
        *[sa.Column(name, sa.Integer(), nullable=False) for name in ("done", "refused", "failed")],
        sa.Column("total_ms", sa.Float(), nullable=False),
        sa.Column("recent", postgresql.ARRAY(sa.Integer()), nullable=False),
        _moment("seen_at"),
        sa.PrimaryKeyConstraint("door", "process", name=op.f("pk_door_state")),
    )
    op.create_table(
        "door_pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_texts("door"),
        *_of_a_hospital("door_pause"),
        *_texts("reason", "paused_by"),
        _moment("paused_at"),
        _moment("until", nullable=True),
        *_texts("resumed_by"),
        _moment("resumed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_pause")),
    )
    op.create_index(
        "uq_door_pause_door", "door_pause", ["door"], unique=True, postgresql_where=sa.text("resumed_at is null")
    )
    op.create_index("ix_door_pause_door_paused_at", "door_pause", ["door", "paused_at"])
    op.create_table(
        "door_test",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_texts("door"),
        *_of_a_hospital("door_test"),
        *_texts("asked_by"),
        _moment("asked_at"),
        _moment("ended_at", nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=True),
        *_texts("trouble"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_test")),
    )
    op.create_index("ix_door_test_door_asked_at", "door_test", ["door", "asked_at"])
    for table in ("door_state", "door_pause", "door_test"):
        op.create_index(f"ix_{table}_establishment_id", table, ["establishment_id"])
    administrators = may.either(may.both(_OF_THE_GROUP, _SOME_ADMINISTRATOR), may.staff("administration"), may.SYSTEM)
    agents = may.either(may.both(_OF_THE_GROUP, _SOME_AGENT), may.any_staff(), may.SYSTEM)
    may.protect("door_state", read=administrators, write=may.SYSTEM)
    may.protect("door_pause", read=agents, insert=administrators, update=administrators)
    may.protect("door_test", read=administrators, insert=administrators, update=may.SYSTEM)


def _create_jobs() -> None:
    op.create_table(
        "job_trouble",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *_texts("door", "error", "reason"),
        _moment("at"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_trouble")),
    )
    op.create_index("ix_job_trouble_door", "job_trouble", ["door"], postgresql_where=sa.text("door <> ''"))
    op.create_table(
        "job_settled",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *_texts("reason", "settled_by"),
        _moment("settled_at"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_settled")),
    )
    seen = may.either(_SOME_ADMINISTRATOR, may.SYSTEM)
    may.protect("job_trouble", read=seen, write=may.SYSTEM)
    may.protect("job_settled", read=seen, write=seen)


def _create_availability() -> None:
    op.create_table(
        "availability_probe",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        _moment("began_at"),
        _moment("last_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_probe")),
    )
    op.create_table(
        "outage",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_texts("cause"),
        _moment("began_at"),
        _moment("last_at"),
        _moment("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage")),
    )
    op.create_index("ix_outage_began_at", "outage", ["began_at"])
    op.create_table(
        "maintenance_window",
        sa.Column("id", sa.Uuid(), nullable=False),
        _moment("from_at"),
        _moment("until_at"),
        *_texts("reason", "declared_by"),
        _moment("declared_at"),
        *_texts("withdrawn_by"),
        _moment("withdrawn_at", nullable=True),
        sa.CheckConstraint("from_at < until_at", name=op.f("ck_maintenance_window_order")),
        sa.CheckConstraint("declared_at <= from_at", name=op.f("ck_maintenance_window_ahead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_window")),
    )
    op.create_index("ix_maintenance_window_from_at", "maintenance_window", ["from_at"])
    seen = may.either(_SOME_ADMINISTRATOR, may.SYSTEM)
    may.protect("availability_probe", read=seen, write=may.SYSTEM)
    may.protect("outage", read=seen, write=may.SYSTEM)
    may.protect("maintenance_window", read=seen, insert=seen, update=seen)
