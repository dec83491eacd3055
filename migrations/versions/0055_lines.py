"""Direct lines of the units, who answers them, callbacks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_TABLES = ("callback_change", "callback", "favourite_line", "duty", "direct_line")
_A_PROFESSIONAL = "(select current_setting('parvis.professional', true)) <> ''"
_ADMINISTRATORS = may.staff("administration")
_OWN_UNIT = (
    "exists (select 1 from unit u where u.id = {table}.unit_id and u.establishment_id = {table}.establishment_id)"
)
_SAME_LINE = (
    "exists (select 1 from direct_line l where l.id = {table}.line_id"
    " and l.unit_id = {table}.unit_id and l.establishment_id = {table}.establishment_id)"
)


def upgrade() -> None:
    _create_lines()
    _create_duties()
    _create_favourites()
    _create_callbacks()
    _create_changes()
    _protect()


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")


def _text(name: str, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _id(name: str, *, optional: bool = False) -> sa.Column[sa.Uuid[str]]:
    return sa.Column(name, sa.Uuid(), nullable=optional)


def _moment(name: str, *, optional: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=optional)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    """column → the table whose id it holds."""
    return [
        sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, parent in columns.items()
    ]


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _create_lines() -> None:
    table = "direct_line"
    op.create_table(
        table,
        _id("establishment_id"),
        _id("unit_id"),
        *(_text(name, None) for name in ("speciality", "label", "number", "answers")),
        _text("for_what"),
        _text("not_for"),
        sa.Column("week", postgresql.ARRAY(sa.Text()), nullable=False),
        _text("holidays", None),
        sa.Column("rank", sa.SmallInteger(), server_default="10", nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default="true", nullable=False),
        _text("closed_note"),
        _id("alternative_id", optional=True),
        sa.Column("takes_callbacks", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("answer_minutes", sa.SmallInteger(), server_default="120", nullable=False),
        _text("escalation_email"),
        _moment("created_at"),
        _moment("removed_at", optional=True),
        _id("id"),
        _check(table, "answers", "answers in ('senior', 'intern', 'coordinator', 'nurse', 'secretary')"),
        _check(table, "holidays", "holidays in ('closed', 'usual', 'sunday')"),
        _check(table, "week", "cardinality(week) = 7"),
        _check(table, "answer_minutes", "answer_minutes between 10 and 2880"),
        _check(table, "alternative", "alternative_id <> id"),
        *_references(table, establishment_id="establishment", unit_id="unit", alternative_id="direct_line"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    _index(table, "establishment_id")
    _index(table, "unit_id")


def _create_duties() -> None:
    table = "duty"
    op.create_table(
        table,
        _id("establishment_id"),
        _id("unit_id"),
        _id("line_id", optional=True),
        _id("practitioner_id", optional=True),
        _text("name", None),
        _text("rpps"),
        _text("phone"),
        _text("role", "first"),
        _moment("from_at"),
        _moment("until_at"),
        _text("source", "entered"),
        sa.Column("key", sa.Text(), nullable=True),
        _moment("changed_at"),
        _text("changed_by"),
        _id("id"),
        _check(table, "moments", "until_at > from_at"),
        _check(table, "role", "role in ('first', 'backup')"),
        _check(table, "source", "source in ('entered', 'imported')"),
        *_references(
            table, establishment_id="establishment", unit_id="unit", line_id="direct_line",
            practitioner_id="practitioner",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("establishment_id", "key", name=op.f("uq_duty_establishment_id_key")),
    )  # fmt: skip
    _index(table, "unit_id", "until_at")
    _index(table, "line_id")


def _create_favourites() -> None:
    table = "favourite_line"
    op.create_table(
        table,
        _id("professional_id"),
        _id("line_id"),
        _moment("added_at"),
        *_references(table, professional_id="professional", line_id="direct_line"),
        sa.PrimaryKeyConstraint("professional_id", "line_id", name=op.f(f"pk_{table}")),
    )
    _index(table, "line_id")


def _create_callbacks() -> None:
    table = "callback"
    op.create_table(
        table,
        *(_id(name) for name in ("establishment_id", "unit_id", "line_id", "professional_id")),
        _text("professional_name", None),
        _text("professional_rpps"),
        *(_text(name, None) for name in ("number", "about")),
        _text("patient_name"),
        sa.Column("patient_born_on", sa.Date(), nullable=True),
        _text("state", None),
        *(_moment(name) for name in ("asked_at", "due_at", "useful_until")),
        _moment("told_at", optional=True),
        _id("taken_by", optional=True),
        _text("taken_by_name"),
        _moment("taken_at", optional=True),
        _moment("closed_at", optional=True),
        _id("id"),
        _check(table, "state", "state in ('asked', 'taken', 'done', 'unreachable', 'withdrawn', 'lapsed')"),
        *_references(
            table, establishment_id="establishment", unit_id="unit", line_id="direct_line",
            professional_id="professional", taken_by="account",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )  # fmt: skip
    _index(table, "line_id")
    _index(table, "professional_id", "asked_at")
    op.create_index("ix_callback_establishment_id_state", table, ["establishment_id", "state", "due_at"])
    op.create_index(
        "ix_callback_open", table, ["useful_until"], postgresql_where=sa.text("state in ('asked', 'taken')")
    )


def _create_changes() -> None:
    table = "callback_change"
    op.create_table(
        table,
        *(_id(name) for name in ("callback_id", "establishment_id", "professional_id")),
        *(_text(name, None) for name in ("from_state", "to_state", "by")),
        _text("by_name"),
        _moment("at"),
        _id("id"),
        *_references(table, callback_id="callback"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        comment="append-only",
    )
    _index(table, "callback_id")


def _protect() -> None:
    colleagues = may.either(_A_PROFESSIONAL, may.any_staff(), may.SYSTEM)
    for table in ("direct_line", "duty"):
        ours = may.either(may.both(_ADMINISTRATORS, _OWN_UNIT.format(table=table)), may.SYSTEM)
        delete = ours if table == "duty" else None
        may.protect(table, read=colleagues, insert=ours, update=ours, delete=delete)
    may.protect("favourite_line", read=may.either(may.professional(), may.SYSTEM), write=may.professional())
    theirs = may.both(may.professional(), _SAME_LINE.format(table="callback"))
    sides = may.either(may.professional(), may.staff("referrals"), may.SYSTEM)
    may.protect("callback", read=sides, insert=may.either(theirs, may.SYSTEM), update=sides)
    seen = (
        "exists (select 1 from callback c where c.id = callback_id and c.professional_id ="
        " callback_change.professional_id and c.establishment_id = callback_change.establishment_id)"
    )
    may.protect("callback_change", read=sides, insert=may.either(may.both(sides, seen), may.SYSTEM))
