"""Figures kept: keys of pseudonyms by month, closed months, definitions in versions, targets, weeks and months."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_SOME_ADMINISTRATOR = "(select current_setting('parvis.at_administration', true)) <> ''"
_OF_THE_PORTAL = "establishment_id = '00000000-0000-0000-0000-000000000000'"
_FIGURES = may.either(may.both(_OF_THE_PORTAL, _SOME_ADMINISTRATOR), may.staff("administration"), may.SYSTEM)
_NUMBERS = may.either(_SOME_ADMINISTRATOR, may.SYSTEM)
_TABLES = (
    "kpi_target", "kpi_frozen_number", "kpi_closed_figure", "kpi_definition", "kpi_late", "kpi_closed_month",
    "kpi_month_total", "kpi_month", "kpi_week", "kpi_month_key",
)  # fmt: skip


def upgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("set local statement_timeout = 0")  # years of counts are summed, and every account is read
    _create_spans()
    _create_keys()
    _create_closed()
    _create_definitions()
    _fill()
    _open_the_ledger()
    _remember_visits()


def downgrade() -> None:
    for column in ("first_visit_on", "last_visit_on"):
        op.drop_column("account", column)
    op.execute("drop function kpi_blank_pseudonyms(timestamptz)")
    op.execute("drop function kpi_forget_month(date, text)")
    op.execute("drop policy kpi_event_update on kpi_event")
    op.execute("drop policy kpi_event_delete on kpi_event")
    op.drop_index("ix_kpi_event_at", "kpi_event")
    for table in _TABLES:
        op.drop_table(table)


def _create_spans() -> None:
    for grain in ("week", "month"):
        table = f"kpi_{grain}"
        op.create_table(
            table,
            sa.Column(grain, sa.Date(), nullable=False),
            sa.Column("event", sa.Text(), nullable=False),
            sa.Column("establishment_id", sa.Uuid(), nullable=False),
            sa.Column("channel", sa.Text(), nullable=False),
            sa.Column("audience", sa.Text(), nullable=False),
            sa.Column("dimension", sa.Text(), nullable=False),
            sa.Column("events", sa.BigInteger(), nullable=False),
            sa.Column("quantity", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint(
                grain, "event", "establishment_id", "channel", "audience", "dimension", name=op.f(f"pk_{table}")
            ),
        )
        op.create_index(f"ix_{table}_event_{grain}", table, ["event", grain])
        may.protect(table, read=_FIGURES, write=may.SYSTEM)
    op.create_table(
        "kpi_month_total",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "event", "audience", name=op.f("pk_kpi_month_total")),
    )
    may.protect("kpi_month_total", read=_NUMBERS, write=may.SYSTEM)


def _create_keys() -> None:
    op.create_table(
        "kpi_month_key",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(destroyed_at is null) = (length(key) > 0)", name=op.f("ck_kpi_month_key_destroyed")
        ),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_kpi_month_key")),
    )  # fmt: skip
    may.protect("kpi_month_key", read=may.SYSTEM, write=may.SYSTEM)


def _create_closed() -> None:
    op.create_table(
        "kpi_closed_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_kpi_closed_month")),
    )
    # A late event must not be let in by whoever cannot see that its month is closed.
    may.protect("kpi_closed_month", read=may.ANYBODY, insert=may.SYSTEM, update=may.SYSTEM)
    op.create_table(
        "kpi_late",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_late")),
    )
    op.create_index("ix_kpi_late_month", "kpi_late", ["month"])
    may.protect("kpi_late", read=_FIGURES, insert=may.SYSTEM)
    op.create_table(
        "kpi_closed_figure",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=True),
        sa.Column("denominator", sa.BigInteger(), nullable=True),
        sa.Column("portal", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("month", "code", "establishment_id", name=op.f("pk_kpi_closed_figure")),
    )
    # Of the whole group: what somebody reads who administers one hospital of it would tell of the others.
    of_the_portal = may.both("portal", _OF_THE_PORTAL, _SOME_ADMINISTRATOR)
    may.protect(
        "kpi_closed_figure",
        read=may.either(of_the_portal, may.staff("administration"), may.SYSTEM),
        insert=may.SYSTEM,
    )
    op.create_table(
        "kpi_frozen_number",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", "day", "audience", name=op.f("pk_kpi_frozen_number")),
    )
    may.protect("kpi_frozen_number", read=_NUMBERS, insert=may.SYSTEM)
    for table in ("kpi_late", "kpi_closed_figure", "kpi_frozen_number"):
        op.execute(f"comment on table {table} is 'append-only'")


def _create_definitions() -> None:
    op.create_table(
        "kpi_definition",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("numerator", sa.Text(), nullable=False),
        sa.Column("denominator", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("grain", sa.Text(), nullable=False),
        sa.Column("dimensions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("words", postgresql.JSONB(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_kpi_definition_version")),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_kpi_definition")),
    )
    may.protect("kpi_definition", read=may.ANYBODY, insert=may.SYSTEM)
    op.create_table(
        "kpi_target",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_by_name", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_target")),
    )
    op.create_index("ix_kpi_target_code_establishment_id", "kpi_target", ["code", "establishment_id"])
    may.protect("kpi_target", read=_FIGURES, insert=_FIGURES)
    for table in ("kpi_definition", "kpi_target"):
        op.execute(f"comment on table {table} is 'append-only'")


def _fill() -> None:
    """Weeks, months and people from what is rolled up; pseudonyms made with the former key serve until their end."""
    for grain in ("week", "month"):
        op.execute(
            f"insert into kpi_{grain} select date_trunc('{grain}', day)::date, event, establishment_id, channel,"
            " audience, dimension, sum(events), sum(quantity) from kpi_day group by 1, 2, 3, 4, 5, 6"
        )
    op.execute(
        "insert into kpi_month_total select month, event, audience, count(*) from kpi_month_unique group by 1, 2, 3"
    )


def _open_the_ledger() -> None:
    """The application never alters an event, but by these two: it forgets who, and after 25 months what."""
    op.create_index("ix_kpi_event_at", "kpi_event", ["at"], postgresql_using="brin")
    op.execute(
        f"create policy kpi_event_update on kpi_event for update using ({may.SYSTEM}) with check (pseudonym = '')"
    )
    op.execute(f"create policy kpi_event_delete on kpi_event for delete using ({may.SYSTEM})")
    definer = "security definer set search_path = public, pg_temp"
    op.execute(
        f"create function kpi_blank_pseudonyms(before timestamptz) returns bigint language sql {definer} as $$"
        " with blanked as (update kpi_event set pseudonym = '' where at < before and pseudonym <> '' returning 1)"
        " select count(*) from blanked $$"
    )
    # A day more on each side: months are civil ones, in the zone of each establishment.
    op.execute(
        f"create function kpi_forget_month(wanted date, group_zone text) returns bigint language sql {definer} as $$"
        " with gone as (delete from kpi_event k where k.at >= wanted - interval '2 days'"
        " and k.at < wanted + interval '1 month 2 days' and date_trunc('month', k.at at time zone"
        " coalesce((select e.time_zone from establishment e where e.id = k.establishment_id), group_zone))::date"
        " = wanted returning 1) select count(*) from gone $$"
    )


def _remember_visits() -> None:
    for column in ("first_visit_on", "last_visit_on"):
        op.add_column("account", sa.Column(column, sa.Date(), nullable=True))
    # Their sign-ins are the visits that are known of those who came before.
    op.execute(
        "update account a set first_visit_on = (a.created_at at time zone 'Europe/Paris')::date, last_visit_on ="
        " greatest((a.created_at at time zone 'Europe/Paris')::date, (seen.last_at at time zone 'Europe/Paris')::date)"
        " from (select account_id, max(last_used_at) as last_at from identity group by account_id) seen"
        " where seen.account_id = a.id and seen.last_at is not null"
    )
    op.create_index("ix_account_first_visit_on", "account", ["first_visit_on"])
