"""Agendas: weekly templates and their one-off days, absences, calls to make, school holidays.

Templates and absences are for the hospital's agents; what they make of time is public, in consultation_session.
The school holidays shipped here are those of zones A, B and C for 2025-2026 and 2026-2027; administrators add others.
"""

from datetime import date
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_AGENTS = may.either(may.staff("appointments"), may.SYSTEM)
_SOME_ADMINISTRATOR = "(select current_setting('parvis.at_administration', true)) <> ''"
_TABLES = ("call_to_make", "absence", "template_day", "template_reason", "session_template", "school_holiday")
_HOLIDAYS = {
    "A": (
        ("Toussaint", date(2025, 10, 18), date(2025, 11, 2)),
        ("Noël", date(2025, 12, 20), date(2026, 1, 4)),
        ("Hiver", date(2026, 2, 7), date(2026, 2, 22)),
        ("Printemps", date(2026, 4, 4), date(2026, 4, 19)),
        ("Été", date(2026, 7, 4), date(2026, 8, 31)),
        ("Toussaint", date(2026, 10, 17), date(2026, 11, 1)),
        ("Noël", date(2026, 12, 19), date(2027, 1, 3)),
        ("Hiver", date(2027, 2, 13), date(2027, 2, 28)),
        ("Printemps", date(2027, 4, 10), date(2027, 4, 25)),
    ),
    "B": (
        ("Toussaint", date(2025, 10, 18), date(2025, 11, 2)),
        ("Noël", date(2025, 12, 20), date(2026, 1, 4)),
        ("Hiver", date(2026, 2, 14), date(2026, 3, 1)),
        ("Printemps", date(2026, 4, 11), date(2026, 4, 26)),
        ("Été", date(2026, 7, 4), date(2026, 8, 31)),
        ("Toussaint", date(2026, 10, 17), date(2026, 11, 1)),
        ("Noël", date(2026, 12, 19), date(2027, 1, 3)),
        ("Hiver", date(2027, 2, 20), date(2027, 3, 7)),
        ("Printemps", date(2027, 4, 17), date(2027, 5, 2)),
    ),
    "C": (
        ("Toussaint", date(2025, 10, 18), date(2025, 11, 2)),
        ("Noël", date(2025, 12, 20), date(2026, 1, 4)),
        ("Hiver", date(2026, 2, 21), date(2026, 3, 8)),
        ("Printemps", date(2026, 4, 18), date(2026, 5, 3)),
        ("Été", date(2026, 7, 4), date(2026, 8, 31)),
        ("Toussaint", date(2026, 10, 17), date(2026, 11, 1)),
        ("Noël", date(2026, 12, 19), date(2027, 1, 3)),
        ("Hiver", date(2027, 2, 6), date(2027, 2, 21)),
        ("Printemps", date(2027, 4, 3), date(2027, 4, 18)),
    ),
}
"""First and last days without school, both included."""


def upgrade() -> None:
    for column in ("holidays", "school_zone"):
        op.add_column("establishment", sa.Column(column, sa.Text(), server_default="", nullable=False))
    _create_templates()
    _create_absences()
    _create_school_holidays()
    _extend_sessions()
    for table in ("session_template", "template_reason", "template_day", "absence", "call_to_make"):
        may.protect(table, read=_AGENTS, write=_AGENTS)


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, parent in columns.items()
    ]


def _create_templates() -> None:
    op.create_table(
        "session_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(f"{each}_id", sa.Uuid(), nullable=False) for each in ("establishment", "unit", "practitioner")),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=True),
        *(sa.Column(each, sa.SmallInteger(), nullable=False) for each in ("step_min", "capacity", "every_weeks")),
        sa.Column("nth", sa.SmallInteger(), nullable=True),
        sa.Column("on_public_holidays", sa.Boolean(), nullable=False),
        sa.Column("school_holidays", sa.Text(), nullable=False),
        *(
            column
            for channel in ("online", "city")
            for column in (
                sa.Column(channel, sa.Text(), nullable=False),
                sa.Column(f"{channel}_from", sa.Time(), nullable=True),
                sa.Column(f"{channel}_until", sa.Time(), nullable=True),
            )
        ),
        sa.Column("release_days", sa.SmallInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        *_template_rules(),
        *_references(
            "session_template",
            establishment_id="establishment",
            unit_id="unit",
            practitioner_id="practitioner",
            room_id="resource",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_template")),
    )
    for column in ("establishment_id", "unit_id", "practitioner_id"):
        op.create_index(op.f(f"ix_session_template_{column}"), "session_template", [column])
    _create_template_reasons()
    _create_template_days()


def _template_rules() -> list[sa.CheckConstraint]:
    rules = {
        "weekday": "weekday between 0 and 6",
        "step": "step_min in (5, 10, 15)",
        "capacity": "capacity between 1 and 99",
        "how_often": "every_weeks between 1 and 52 and (nth is null or nth in (-1, 1, 2, 3, 4, 5))",
        "school_holidays": "school_holidays in ('any', 'outside', 'only')",
        "channels": "online in ('all', 'part', 'none') and city in ('all', 'part', 'none')",
        "release": "release_days between 0 and 365",
    }
    return [sa.CheckConstraint(rule, name=op.f(f"ck_session_template_{name}")) for name, rule in rules.items()]


def _create_template_reasons() -> None:
    op.create_table(
        "template_reason",
        *(sa.Column(f"{each}_id", sa.Uuid(), nullable=False) for each in ("template", "reason", "establishment")),
        sa.Column("most", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint("most >= 0", name=op.f("ck_template_reason_most")),
        sa.ForeignKeyConstraint(
            ["template_id"], ["session_template.id"], name=op.f("fk_template_reason_template_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(
            ["reason_id"], ["reason.id"], name=op.f("fk_template_reason_reason_id"), ondelete="cascade"
        ),
        *_references("template_reason", establishment_id="establishment"),
        sa.PrimaryKeyConstraint("template_id", "reason_id", name=op.f("pk_template_reason")),
    )
    op.create_index(op.f("ix_template_reason_reason_id"), "template_reason", ["reason_id"])


def _create_template_days() -> None:
    op.create_table(
        "template_day",
        *(sa.Column(each, sa.Uuid(), nullable=False) for each in ("id", "establishment_id", "template_id")),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=True),
        sa.Column("closes", sa.Time(), nullable=True),
        sa.ForeignKeyConstraint(
            ["template_id"], ["session_template.id"], name=op.f("fk_template_day_template_id"), ondelete="cascade"
        ),
        *_references("template_day", establishment_id="establishment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_day")),
        sa.UniqueConstraint("template_id", "day", name=op.f("uq_template_day_template_id_day")),
    )


def _create_absences() -> None:
    op.create_table(
        "absence",
        *(sa.Column(each, sa.Uuid(), nullable=False) for each in ("id", "establishment_id")),
        *(sa.Column(f"{each}_id", sa.Uuid(), nullable=True) for each in ("practitioner", "unit", "room")),
        *(sa.Column(each, sa.DateTime(timezone=True), nullable=False) for each in ("start_at", "end_at")),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("source_reference", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("num_nonnulls(practitioner_id, unit_id, room_id) = 1", name=op.f("ck_absence_of_one")),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_absence_ends_after_it_starts")),
        sa.CheckConstraint(
            "why in ('leave', 'training', 'illness', 'meeting', 'strike', 'works', 'other')",
            name=op.f("ck_absence_why"),
        ),
        *_references(
            "absence",
            establishment_id="establishment",
            practitioner_id="practitioner",
            unit_id="unit",
            room_id="resource",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
        sa.UniqueConstraint(
            "establishment_id", "source_reference", name=op.f("uq_absence_establishment_id_source_reference")
        ),
    )
    for column in ("establishment_id", "practitioner_id"):
        op.create_index(op.f(f"ix_absence_{column}"), "absence", [column])
    op.create_table(
        "call_to_make",
        *(sa.Column(each, sa.Uuid(), nullable=False) for each in ("id", "establishment_id", "appointment_id")),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('to_call', 'no_answer', 'left_message', 'reached')", name=op.f("ck_call_to_make_state")
        ),
        *_references("call_to_make", establishment_id="establishment", appointment_id="appointment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_to_make")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_call_to_make_appointment_id")),
    )
    op.create_index(op.f("ix_call_to_make_establishment_id"), "call_to_make", ["establishment_id"])


def _create_school_holidays() -> None:
    table = op.create_table(
        "school_holiday",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_school_holiday_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_holiday")),
        sa.UniqueConstraint("zone", "first_on", name=op.f("uq_school_holiday_zone_first_on")),
    )
    op.bulk_insert(
        table,
        [
            {"id": uuid4(), "zone": zone, "name": name, "first_on": first_on, "last_on": last_on}
            for zone, periods in _HOLIDAYS.items()
            for name, first_on, last_on in periods
        ],
    )
    may.protect("school_holiday", read=may.ANYBODY, write=may.either(_SOME_ADMINISTRATOR, may.SYSTEM))


def _extend_sessions() -> None:
    table = "consultation_session"
    op.add_column(table, sa.Column("template_id", sa.Uuid(), nullable=True))
    op.add_column(table, sa.Column("planned", sa.BigInteger(), nullable=True))
    op.add_column(table, sa.Column("room_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_consultation_session_template_id"), table, "session_template", ["template_id"], ["id"]
    )
    op.create_foreign_key(op.f("fk_consultation_session_room_id"), table, "resource", ["room_id"], ["id"])
    op.create_unique_constraint(
        op.f("uq_consultation_session_template_id_start_at"), table, ["template_id", "start_at"]
    )
    op.create_index(op.f("ix_consultation_session_room_id"), table, ["room_id"])
    # Those under which somebody may be stranded: few, and looked for among millions of appointments.
    op.create_index(
        "ix_consultation_session_closed",
        table,
        ["establishment_id", "start_at"],
        postgresql_where=sa.text("open <> ((1::bigint << n_cells) - 1)"),
    )


def downgrade() -> None:
    op.drop_index("ix_consultation_session_closed", "consultation_session")
    for column in ("template_id", "planned", "room_id"):
        op.drop_column("consultation_session", column)
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
    for column in ("holidays", "school_zone"):
        op.drop_column("establishment", column)
