"""What the hospital's own agenda says; reasons closed, open to the city, limited a session; teleconsultation rooms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_AGENTS = may.either(may.staff("appointments"), may.staff("administration"), may.SYSTEM)
_SOMEBODY = "(select nullif(current_setting('parvis.account', true), '')) is not null"
_SEES_THEM = "exists (select 1 from appointment a where a.practitioner_id = remote_room.practitioner_id)"
_REASON_COLUMNS = (
    "open_to_city", "closed_at", "most_a_session", "link", "come_before_min", "arrival", "speciality", "min_age",
    "max_age", "pieces", "questionnaire",
)  # fmt: skip


def upgrade() -> None:
    _extend_reasons()
    _create_outside()
    _create_remote_rooms()


def _extend_reasons() -> None:
    op.add_column("reason", sa.Column("open_to_city", sa.Boolean(), server_default="true", nullable=False))
    # Before, the city booked what patients book.
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("update reason set open_to_city = bookable_online")
    op.add_column("reason", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("most_a_session", "min_age", "max_age"):
        op.add_column("reason", sa.Column(name, sa.SmallInteger(), nullable=True))
    op.add_column("reason", sa.Column("come_before_min", sa.SmallInteger(), server_default="0", nullable=False))
    for name in ("link", "arrival", "speciality"):
        op.add_column("reason", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("reason", sa.Column("pieces", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("reason", sa.Column("questionnaire", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_reason_whom"),
        "reason",
        "most_a_session > 0 and min_age >= 0 and max_age >= min_age and come_before_min between 0 and 240",
    )
    op.create_check_constraint(op.f("ck_reason_link"), "reason", "link = '' or link like 'https://%'")


def _create_outside() -> None:
    op.create_table(
        "outside_time",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_busy", sa.Boolean(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "end_at > start_at and end_at - start_at <= interval '25 hours'",
            name=op.f("ck_outside_time_lasts_a_day_at_most"),
        ),
        *_foreign("outside_time", "establishment", "practitioner"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_time")),
        sa.UniqueConstraint(
            "establishment_id", "external_id", name=op.f("uq_outside_time_establishment_id_external_id")
        ),
    )
    op.create_index("ix_outside_time_practitioner_id_start_at", "outside_time", ["practitioner_id", "start_at"])
    op.create_table(
        "outside_session",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        *_foreign("outside_session", "establishment"),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["consultation_session.id"],
            name=op.f("fk_outside_session_session_id"),
            ondelete="set null",
        ),
        sa.PrimaryKeyConstraint("establishment_id", "external_id", name=op.f("pk_outside_session")),
    )
    op.create_index(op.f("ix_outside_session_session_id"), "outside_session", ["session_id"])
    # Whoever gives time back must see that the hospital's agenda fills it; it names no patient.
    may.protect("outside_time", read=may.either(_SOMEBODY, may.SYSTEM), write=_AGENTS)
    may.protect("outside_session", read=_AGENTS, write=_AGENTS)


def _create_remote_rooms() -> None:
    op.create_table(
        "remote_room",
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.CheckConstraint("link like 'https://%'", name=op.f("ck_remote_room_link")),
        *_foreign("remote_room", "practitioner", "establishment"),
        sa.PrimaryKeyConstraint("practitioner_id", name=op.f("pk_remote_room")),
    )
    may.protect("remote_room", read=may.either(_AGENTS, _SEES_THEM), write=_AGENTS)


def _foreign(table: str, *parents: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([f"{parent}_id"], [f"{parent}.id"], name=op.f(f"fk_{table}_{parent}_id"))
        for parent in parents
    ]


def downgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    _give_back_outside_times()
    for table in ("remote_room", "outside_session", "outside_time"):
        op.execute(f"drop table {table}")
    for name in ("ck_reason_whom", "ck_reason_link"):
        op.drop_constraint(op.f(name), "reason")
    for column in _REASON_COLUMNS:
        op.drop_column("reason", column)


def _give_back_outside_times() -> None:
    """Without the table nobody would know why these cells are taken: they are free again where nothing else is."""
    op.execute("delete from claim where owner_id in (select id from outside_time)")
    op.execute("""
        update consultation_session s set free = s.open & ~coalesce((
          select bit_or(((1::bigint << a.n_cells) - 1) << a.first_cell) from (
            select session_id, n_cells, first_cell from appointment where state <> 'cancelled' and not beyond
            union all select session_id, n_cells, first_cell from hold) a
          where a.session_id = s.id), 0)
        where s.capacity = 1 and exists (select 1 from outside_time t where t.practitioner_id = s.practitioner_id
          and t.is_busy and t.start_at < s.start_at + interval '15 hours' and t.end_at > s.start_at)
    """)
