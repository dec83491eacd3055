"""What becomes of what is still open at a unit that closes; hours of the week at which a few things happen."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


_SOME_ADMINISTRATOR = "(select current_setting('parvis.at_administration', true)) <> ''"
_OF_THE_PORTAL = "establishment_id = '00000000-0000-0000-0000-000000000000'"
_FILL = """
insert into kpi_hour (month, event, establishment_id, weekday, hour, events)
select date_trunc('month', n.local)::date, n.event, n.establishment_id, extract(isodow from n.local),
  extract(hour from n.local), count(*)
from (select k.event, k.establishment_id, k.at at time zone coalesce(e.time_zone, 'Europe/Paris') as local
  from kpi_event k left join establishment e on e.id = k.establishment_id
  where k.event in ('visit_started', 'appointment_booked', 'preadmission_submitted') and k.audience <> 'staff'
  and k.xid < (select xid from kpi_watermark)) n
group by 1, 2, 3, 4, 5
"""
"""Closed months too: their events are kept for two years."""


def upgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    _create_closings()
    _create_hours()


def downgrade() -> None:
    op.drop_table("kpi_hour")
    op.drop_table("unit_closing")


def _create_closings() -> None:
    table = "unit_closing"
    op.create_table(
        table,
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("heir_id", sa.Uuid(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_closing_unit_id")),
        sa.ForeignKeyConstraint(["heir_id"], ["unit.id"], name=op.f("fk_unit_closing_heir_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_unit_closing_establishment_id")
        ),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_unit_closing")),
    )
    op.create_index(op.f("ix_unit_closing_establishment_id"), table, ["establishment_id"])
    administrator = may.either(may.SYSTEM, may.staff("administration"))
    may.protect(table, read=administrator, write=administrator)


def _create_hours() -> None:
    table = "kpi_hour"
    op.create_table(
        table,
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "event", "establishment_id", "weekday", "hour", name=op.f("pk_kpi_hour")),
    )
    read = may.either(may.both(_OF_THE_PORTAL, _SOME_ADMINISTRATOR), may.staff("administration"), may.SYSTEM)
    may.protect(table, read=read, write=may.SYSTEM)
    op.execute("set local statement_timeout = 0")  # two years of events are read
    op.execute(_FILL)
