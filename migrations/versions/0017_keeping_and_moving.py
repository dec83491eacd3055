"""Time kept for somebody, moved appointments, groups, people squeezed in, channels, and what became of a visit."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_STATES = "state in ('booked', 'arrived', 'done', 'missed', 'cancelled')"
_CHANNELS = "channel in ('web', 'phone', 'city')"
_CONCERNED = may.either(may.own(), may.staff("appointments"), may.SYSTEM)
_KEPT = may.either(may.account(), may.own(), may.staff("appointments"), may.SYSTEM)


def upgrade() -> None:
    _extend_reasons()
    _extend_sessions()
    _extend_appointments()
    _create_hold()
    _open_claims_to_holds()


def _extend_reasons() -> None:
    for name, default in (
        ("min_delay_business_days", "0"),
        ("pause_min", "0"),
        ("grid_min", "0"),
        ("max_to_come", "2"),
    ):
        op.add_column("reason", sa.Column(name, sa.Integer(), server_default=default, nullable=False))
    for name in ("by_referral_only", "is_remote"):
        op.add_column("reason", sa.Column(name, sa.Boolean(), server_default="false", nullable=False))
    op.create_check_constraint(
        op.f("ck_reason_rules"), "reason", "pause_min >= 0 and grid_min >= 0 and max_to_come >= 0"
    )


def _extend_sessions() -> None:
    table = "consultation_session"
    for name in ("for_web", "for_city"):
        op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column(table, sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("capacity", "seats_left"):
        op.add_column(table, sa.Column(name, sa.SmallInteger(), server_default="1", nullable=False))
    op.create_check_constraint(
        op.f("ck_consultation_session_seats"),
        table,
        "capacity between 1 and 99 and seats_left between 0 and capacity",
    )


def _extend_appointments() -> None:
    op.add_column("appointment", sa.Column("missed_because", sa.Text(), server_default="", nullable=False))
    op.add_column("appointment", sa.Column("beyond", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("appointment_change", sa.Column("start_at", sa.DateTime(timezone=True), nullable=True))
    _let_be("appointment", "state", _STATES)
    _let_be("appointment", "channel", _CHANNELS)


def _let_be(table: str, column: str, condition: str) -> None:
    op.drop_constraint(f"ck_{table}_{column}", table)
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, condition)


def _create_hold() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(
            sa.Column(f"{parent}_id", sa.Uuid(), nullable=False)
            for parent in ("establishment", "account", "reason", "session", "practitioner")
        ),
        sa.Column("first_cell", sa.SmallInteger(), nullable=False),
        sa.Column("n_cells", sa.SmallInteger(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint([f"{parent}_id"], [f"{parent}.id"], name=op.f(f"fk_hold_{parent}_id"))
            for parent in ("establishment", "account", "reason", "practitioner")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["consultation_session.id"], name=op.f("fk_hold_session_id"), ondelete="cascade"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_unique_constraint(op.f("uq_hold_account_id"), "hold", ["account_id"])
    for column in ("session_id", "expires_at"):
        op.create_index(op.f(f"ix_hold_{column}"), "hold", [column])
    may.protect("hold", read=may.either(may.account(), may.staff("appointments"), may.SYSTEM),
                write=may.either(may.account(), may.SYSTEM))  # fmt: skip


def _open_claims_to_holds() -> None:
    op.alter_column("claim", "appointment_id", new_column_name="owner_id")
    op.execute("alter index ix_claim_appointment_id rename to ix_claim_owner_id")
    op.alter_column("claim", "patient_id", nullable=True)
    op.add_column("claim", sa.Column("account_id", sa.Uuid(), nullable=True))
    for command in ("read", "insert", "update", "delete"):
        op.execute(f"drop policy claim_{command} on claim")
    op.execute(f"create policy claim_read on claim for select using ({_KEPT})")
    op.execute(f"create policy claim_insert on claim for insert with check ({_KEPT})")
    op.execute(f"create policy claim_update on claim for update using ({_KEPT}) with check ({_KEPT})")
    op.execute(f"create policy claim_delete on claim for delete using ({_KEPT})")


def downgrade() -> None:
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("delete from claim where owner_id in (select id from hold)")
    op.execute("update consultation_session s set free = s.free | (s.open & (((1::bigint << h.n_cells) - 1)"
               " << h.first_cell)) from hold h where h.session_id = s.id")  # fmt: skip
    op.drop_table("hold")
    for command in ("read", "insert", "update", "delete"):
        op.execute(f"drop policy claim_{command} on claim")
    op.drop_column("claim", "account_id")
    op.alter_column("claim", "patient_id", nullable=False)
    op.execute("alter index ix_claim_owner_id rename to ix_claim_appointment_id")
    op.alter_column("claim", "owner_id", new_column_name="appointment_id")
    op.execute(f"create policy claim_read on claim for select using ({_CONCERNED})")
    op.execute(f"create policy claim_insert on claim for insert with check ({_CONCERNED})")
    op.execute(f"create policy claim_update on claim for update using ({may.SYSTEM}) with check ({may.SYSTEM})")
    op.execute(f"create policy claim_delete on claim for delete using ({_CONCERNED})")
    op.execute("update appointment set state = 'booked' where state in ('arrived', 'done', 'missed')")
    op.execute("update appointment set channel = 'phone' where channel = 'city'")
    _let_be("appointment", "state", "state in ('booked', 'cancelled')")
    _let_be("appointment", "channel", "channel in ('web', 'phone')")
    op.drop_column("appointment_change", "start_at")
    for column in ("beyond", "missed_because"):
        op.drop_column("appointment", column)
    op.drop_constraint("ck_consultation_session_seats", "consultation_session")
    for column in ("seats_left", "capacity", "released_at", "for_city", "for_web"):
        op.drop_column("consultation_session", column)
    op.drop_constraint("ck_reason_rules", "reason")
    for column in ("is_remote", "by_referral_only", "max_to_come", "grid_min", "pause_min", "min_delay_business_days"):
        op.drop_column("reason", column)
