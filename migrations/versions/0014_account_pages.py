"""What a person controls: their devices, the texts they accepted, copies of their data, requests about it.

The audit gets the index of "who opened my file": one person's lines, latest first, from any line on.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TABLES = ("data_request_change", "data_request", "data_export", "consent", "known_device")
_KINDS = "kind in ('rectification', 'deletion', 'restriction', 'opposition')"
_STATES = "state in ('received', 'extended', 'accepted', 'partly', 'refused', 'withdrawn')"


def upgrade() -> None:
    _create_known_device()
    _create_consent()
    _create_data_export()
    _create_data_request()
    _create_data_request_change()
    op.create_index(op.f("ix_audit_event_patient_id_at_id"), "audit_event", ["patient_id", "at", "id"])
    op.drop_index(op.f("ix_audit_event_patient_id"), "audit_event")


def downgrade() -> None:
    op.create_index(op.f("ix_audit_event_patient_id"), "audit_event", ["patient_id"])
    op.drop_index(op.f("ix_audit_event_patient_id_at_id"), "audit_event")
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _refer(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    """Foreign keys of the columns, each to the table it is named after."""
    return [
        sa.ForeignKeyConstraint([column], [f"{column.removesuffix('_id')}.id"], name=op.f(f"fk_{table}_{column}"))
        for column in columns
    ]


def _create_known_device() -> None:
    op.create_table(
        "known_device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_text("browser"),
        _moment("first_seen_at"),
        _moment("last_seen_at"),
        *_refer("known_device", "account_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_device")),
        sa.UniqueConstraint("account_id", "digest", name=op.f("uq_known_device_account_id_digest")),
    )
    mine = may.either(may.account(), may.SYSTEM)
    may.protect("known_device", read=mine, write=mine)


def _create_consent() -> None:
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        *_text("kind", "version"),
        sa.Column("text_digest", sa.LargeBinary(), nullable=False),
        *_text("locale", "channel"),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _moment("given_at"),
        _moment("withdrawn_at", nullable=True),
        *_refer("consent", "account_id", "patient_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_patient_id"), "consent", ["patient_id"])
    op.create_index(
        "uq_consent_in_force",
        "consent",
        ["account_id", "patient_id", "kind", "version"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at is null"),
        postgresql_nulls_not_distinct=True,
    )
    mine = may.either(may.account(), may.SYSTEM)
    may.protect("consent", read=may.either(mine, may.oneself()), insert=mine, update=mine)


def _create_data_export() -> None:
    op.create_table(
        "data_export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        *_text("state"),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _moment("requested_at"),
        _moment("ready_at", nullable=True),
        _moment("expires_at", nullable=True),
        sa.CheckConstraint("state in ('preparing', 'ready', 'expired')", name=op.f("ck_data_export_state")),
        *_refer("data_export", "account_id", "patient_id"),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_data_export_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_export")),
    )
    op.create_index(op.f("ix_data_export_account_id"), "data_export", ["account_id"])
    op.create_index(
        "uq_data_export_one_at_a_time",
        "data_export",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("state = 'preparing'"),
    )
    mine = may.either(may.both(may.account(), may.oneself()), may.SYSTEM)
    may.protect("data_export", read=may.either(may.account(), may.SYSTEM), insert=mine, update=may.SYSTEM)


def _create_data_request() -> None:
    op.create_table(
        "data_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_text("number"),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        *_text("kind", "what", "why", "asked_by", "email", "locale", "state"),
        _moment("received_at"),
        sa.Column("due_on", sa.Date(), nullable=False),
        _moment("answered_at", nullable=True),
        *_text("answer"),
        sa.CheckConstraint(_KINDS, name=op.f("ck_data_request_kind")),
        sa.CheckConstraint(_STATES, name=op.f("ck_data_request_state")),
        *_refer("data_request", "account_id", "patient_id", "establishment_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_request")),
        sa.UniqueConstraint("number", name=op.f("uq_data_request_number")),
    )
    op.create_index(op.f("ix_data_request_patient_id"), "data_request", ["patient_id"])
    op.create_index("ix_data_request_establishment_id_due_on", "data_request", ["establishment_id", "due_on"])
    may.protect("data_request", read=_CONCERNED, insert=may.either(may.own(), may.SYSTEM), update=_CONCERNED)
    may.restrain("data_request", may.within("administrative"))


def _create_data_request_change() -> None:
    op.create_table(
        "data_request_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        *_text("from_state", "to_state", "by", "by_name"),
        _moment("at"),
        *_text("reason"),
        sa.ForeignKeyConstraint(["request_id"], ["data_request.id"], name=op.f("fk_data_request_change_request_id")),
        *_refer("data_request_change", "patient_id", "establishment_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_request_change")),
    )
    op.create_index(op.f("ix_data_request_change_request_id"), "data_request_change", ["request_id"])
    op.execute("comment on table data_request_change is 'append-only'")
    may.protect("data_request_change", read=_CONCERNED, insert=may.both(may.actor("by"), _CONCERNED))
    may.restrain("data_request_change", may.within("administrative"))


_CONCERNED = may.either(may.own(), may.staff("identity"), may.SYSTEM)
