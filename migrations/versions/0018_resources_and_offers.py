"""Rooms, devices and interpreters; at most so many of a reason in a session; times kept to be offered; who sent."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_AGENTS = may.either(may.staff("appointments"), may.staff("administration"), may.SYSTEM)
_SOMEBODY = "(select nullif(current_setting('parvis.account', true), '')) is not null"
_SOME_PROFESSIONAL = "(select nullif(current_setting('parvis.professional', true), '')) is not null"
_NOBODYS = may.both("patient_id is null", "account_id is null")
"""A resource's claim says that a room is taken, not by whom."""
_OF_MINE = may.either(
    "exists (select 1 from appointment a where a.id = owner_id)", "exists (select 1 from hold h where h.id = owner_id)"
)


def upgrade() -> None:
    _create_resources()
    _count_reasons()
    _extend_holds()
    _let_practitioners_of_the_city_book()
    op.add_column("appointment", sa.Column("chain_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_appointment_chain_id"), "appointment", ["chain_id"])


def _create_resources() -> None:
    op.create_table(
        "resource_pool",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('room', 'device', 'interpreter')", name=op.f("ck_resource_pool_kind")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_resource_pool_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_pool")),
        sa.UniqueConstraint("establishment_id", "name", name=op.f("uq_resource_pool_establishment_id_name")),
    )
    op.create_table(
        "resource",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("out_of_use", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_resource_establishment_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["resource_pool.id"], name=op.f("fk_resource_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource")),
        sa.UniqueConstraint("pool_id", "name", name=op.f("uq_resource_pool_id_name")),
    )
    op.create_table(
        "reason_pool",
        sa.Column("reason_id", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reason_id"], ["reason.id"], name=op.f("fk_reason_pool_reason_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(["pool_id"], ["resource_pool.id"], name=op.f("fk_reason_pool_pool_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_reason_pool_establishment_id")
        ),
        sa.PrimaryKeyConstraint("reason_id", "pool_id", name=op.f("pk_reason_pool")),
    )
    for table in ("resource_pool", "resource", "reason_pool"):
        may.protect(table, read=may.ANYBODY, write=_AGENTS)
    op.execute(f"create policy claim_read_resource on claim for select using ({_NOBODYS})")
    op.execute(f"create policy claim_insert_resource on claim for insert with check ({_NOBODYS} and {_SOMEBODY})")
    op.execute(
        f"create policy claim_update_resource on claim for update using ({_NOBODYS} and ({_OF_MINE}))"
        f" with check ({_NOBODYS} and {_SOMEBODY})"
    )
    op.execute(f"create policy claim_delete_resource on claim for delete using ({_NOBODYS} and ({_OF_MINE}))")


def _count_reasons() -> None:
    op.add_column("session_reason", sa.Column("most", sa.SmallInteger(), nullable=True))
    op.add_column("session_reason", sa.Column("taken", sa.SmallInteger(), server_default="0", nullable=False))
    op.create_check_constraint(op.f("ck_session_reason_taken"), "session_reason", "taken >= 0 and most >= 0")
    op.execute(
        f"create policy session_reason_count on session_reason for update using ({_SOMEBODY}) with check ({_SOMEBODY})"
    )


def _extend_holds() -> None:
    op.alter_column("hold", "account_id", nullable=True)
    op.add_column("hold", sa.Column("patient_id", sa.Uuid(), nullable=True))
    op.add_column("hold", sa.Column("purpose", sa.Text(), server_default="form", nullable=False))
    op.create_foreign_key(op.f("fk_hold_patient_id"), "hold", "patient", ["patient_id"], ["id"])
    op.create_check_constraint(op.f("ck_hold_purpose"), "hold", "purpose in ('form', 'proposal', 'offer')")
    op.create_check_constraint(
        op.f("ck_hold_somebody"), "hold", "(purpose = 'form') = (account_id is not null) and"
        " (purpose = 'form') = (patient_id is null)"
    )  # fmt: skip
    op.create_index(op.f("ix_hold_patient_id"), "hold", ["patient_id"])
    for command in ("read", "insert", "update", "delete"):
        op.execute(f"drop policy hold_{command} on hold")
    whose = may.either(may.account(), may.own(), may.staff("appointments"), may.SYSTEM)
    op.execute(f"create policy hold_read on hold for select using ({whose})")
    op.execute(f"create policy hold_insert on hold for insert with check ({whose})")
    op.execute(f"create policy hold_update on hold for update using ({whose}) with check ({whose})")
    op.execute(f"create policy hold_delete on hold for delete using ({whose})")
    may.restrain("hold", may.within("administrative"))


def _let_practitioners_of_the_city_book() -> None:
    op.add_column("appointment", sa.Column("professional_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_appointment_professional_id"), "appointment", "professional", ["professional_id"], ["id"]
    )
    op.create_index(op.f("ix_appointment_professional_id"), "appointment", ["professional_id"])
    op.execute(f"create policy appointment_read_sent on appointment for select using ({may.professional()})")
    op.execute(f"create policy appointment_insert_sent on appointment for insert with check ({may.professional()})")
    op.execute(
        f"create policy appointment_update_sent on appointment for update using ({may.professional()})"
        f" with check ({may.professional()})"
    )
    op.execute(
        "create policy consultation_session_city on consultation_session for update"
        f" using ({_SOME_PROFESSIONAL}) with check ({_SOME_PROFESSIONAL})"
    )
    sent = (
        f"exists (select 1 from appointment a where a.id = appointment_id and {may.professional('a.professional_id')})"
    )
    op.execute(f"create policy appointment_change_read_sent on appointment_change for select using ({sent})")
    op.execute(
        "create policy appointment_change_insert_sent on appointment_change for insert with check"
        f" ({may.both(may.actor(chr(34) + 'by' + chr(34)), sent)})"
    )


def downgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    for name in ("read_sent", "insert_sent"):
        op.execute(f"drop policy appointment_change_{name} on appointment_change")
    op.execute("drop policy consultation_session_city on consultation_session")
    for name in ("read_sent", "insert_sent", "update_sent"):
        op.execute(f"drop policy appointment_{name} on appointment")
    for column in ("professional_id", "chain_id"):
        op.drop_column("appointment", column)
    _drop_offers()
    op.execute("drop policy session_reason_count on session_reason")
    op.drop_constraint(op.f("ck_session_reason_taken"), "session_reason")
    for column in ("taken", "most"):
        op.drop_column("session_reason", column)
    for command in ("read", "insert", "update", "delete"):
        op.execute(f"drop policy claim_{command}_resource on claim")
    op.execute("delete from claim where patient_id is null and account_id is null")
    for table in ("reason_pool", "resource", "resource_pool"):
        op.execute(f"drop table {table}")


def _drop_offers() -> None:
    """Times kept for a proposal or an offer are given back."""
    op.execute("delete from claim where owner_id in (select id from hold where purpose <> 'form')")
    op.execute("update consultation_session s set free = s.free | (s.open & (((1::bigint << h.n_cells) - 1)"
               " << h.first_cell)) from hold h where h.session_id = s.id and h.purpose <> 'form'")  # fmt: skip
    op.execute("delete from hold where purpose <> 'form'")
    op.execute("drop policy hold_mandate on hold")
    for command in ("read", "insert", "update", "delete"):
        op.execute(f"drop policy hold_{command} on hold")
    for name in ("ck_hold_purpose", "ck_hold_somebody"):
        op.drop_constraint(op.f(name), "hold")
    for column in ("purpose", "patient_id"):
        op.drop_column("hold", column)
    op.alter_column("hold", "account_id", nullable=False)
    may_read = may.either(may.account(), may.staff("appointments"), may.SYSTEM)
    may_write = may.either(may.account(), may.SYSTEM)
    op.execute(f"create policy hold_read on hold for select using ({may_read})")
    op.execute(f"create policy hold_insert on hold for insert with check ({may_write})")
    op.execute(f"create policy hold_update on hold for update using ({may_write}) with check ({may_write})")
    op.execute(f"create policy hold_delete on hold for delete using ({may_write})")
