"""Texts ready to use, signatures, absences, lists of correspondents."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_TABLES = ("reply_text", "agent_absence", "correspondent_list", "list_member")


def upgrade() -> None:
    _create_texts()
    _create_absences()
    _create_lists()
    ours = may.either(may.staff("documents"), may.SYSTEM)
    for table in ("reply_text", "correspondent_list", "list_member"):
        may.protect(table, read=ours, write=ours)
    # Whoever stands in reads it; only oneself says when one is away.
    mine = may.either(may.both(may.staff("documents"), may.account()), may.SYSTEM)
    may.protect("agent_absence", read=ours, insert=mine, update=mine)


def _place() -> list[sa.Column[sa.Uuid[str]]]:
    return [sa.Column("establishment_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def _keys(table: str, **columns: str) -> list[sa.schema.SchemaItem]:
    keys = {"establishment_id": "establishment", **columns}
    return [
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        *(sa.ForeignKeyConstraint([column], [f"{there}.id"], name=op.f(f"fk_{table}_{column}"))
          for column, there in keys.items()),
    ]  # fmt: skip


def _create_texts() -> None:
    op.create_table(
        "reply_text",
        *_place(),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT, nullable=True),
        *_keys("reply_text", unit_id="unit"),
    )
    op.create_index(op.f("ix_reply_text_establishment_id"), "reply_text", ["establishment_id"])


def _create_absences() -> None:
    op.create_table(
        "agent_absence",
        *_place(),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("deputy_id", sa.Uuid(), nullable=False),
        sa.Column("deputy_name", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_agent_absence_days")),
        sa.CheckConstraint("deputy_id <> account_id", name=op.f("ck_agent_absence_deputy")),
        *_keys("agent_absence", account_id="account", deputy_id="account"),
    )
    for column in ("establishment_id", "account_id"):
        op.create_index(op.f(f"ix_agent_absence_{column}"), "agent_absence", [column])


def _create_lists() -> None:
    op.create_table(
        "correspondent_list",
        *_place(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT, nullable=True),
        *_keys("correspondent_list"),
    )
    op.create_index(op.f("ix_correspondent_list_establishment_id"), "correspondent_list", ["establishment_id"])
    op.create_table(
        "list_member",
        *_place(),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.UniqueConstraint("list_id", "address", name=op.f("uq_list_member_list_id_address")),
        *_keys("list_member", list_id="correspondent_list"),
    )
    op.create_index(op.f("ix_list_member_establishment_id"), "list_member", ["establishment_id"])


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"drop table {table} cascade")
