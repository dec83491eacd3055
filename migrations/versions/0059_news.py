"""Quiet notifications per person and channel, and the digest of each unit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_TABLES = (
    "digest_morning", "digest_address", "news_box", "news_hours", "news_choice", "news", "news_message",
)  # fmt: skip
_OWN = may.either(may.account(), may.SYSTEM)


def upgrade() -> None:
    _create_news()
    _create_digests()
    # Whoever does something writes what others will hear of it, and reads none of it.
    may.protect("news", read=_OWN, insert=may.ANYBODY, update=_OWN, delete=may.SYSTEM)
    may.protect("news_message", read=_OWN, write=may.SYSTEM)
    for table in ("news_choice", "news_hours", "news_box"):
        may.protect(table, read=_OWN, write=_OWN)
    hospital = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("digest_address", read=hospital, insert=hospital, update=hospital, delete=may.SYSTEM)
    may.protect("digest_morning", read=_OWN, write=may.SYSTEM)


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")


def _create_news() -> None:
    op.create_table(
        "news_message",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("formed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("channel in ('mail', 'mssante')", name=op.f("ck_news_message_channel")),
        sa.CheckConstraint(
            "state in ('waiting', 'sent', 'withheld', 'refused', 'uncertain')", name=op.f("ck_news_message_state")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_news_message_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news_message")),
    )
    op.create_index(
        "ix_news_message_account_id_channel_formed_at",
        "news_message",
        ["account_id", "channel", "formed_at"],
        unique=False,
    )
    op.create_table(
        "news",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_id", sa.Uuid(), nullable=True),
        sa.Column("mssante_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_news_account_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["news_message.id"], name=op.f("fk_news_mail_id")),
        sa.ForeignKeyConstraint(["mssante_id"], ["news_message.id"], name=op.f("fk_news_mssante_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news")),
    )
    op.create_index("ix_news_account_id_created_at", "news", ["account_id", "created_at"], unique=False)
    op.create_index("ix_news_created_at", "news", ["created_at"], unique=False)
    op.create_index("ix_news_look_at", "news", ["look_at"], unique=False, postgresql_where=sa.text("waiting"))
    op.create_index(op.f("ix_news_mail_id"), "news", ["mail_id"], unique=False)
    op.create_index(op.f("ix_news_mssante_id"), "news", ["mssante_id"], unique=False)
    op.create_index(
        "ix_news_unread", "news", ["account_id", "path"], unique=False, postgresql_where=sa.text("read_at is null")
    )
    op.create_table(
        "news_choice",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.CheckConstraint("channel in ('mail', 'mssante')", name=op.f("ck_news_choice_channel")),
        sa.CheckConstraint("rhythm in ('at_once', 'hourly', 'daily', 'never')", name=op.f("ck_news_choice_rhythm")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_news_choice_account_id")),
        sa.PrimaryKeyConstraint("account_id", "kind", "channel", name=op.f("pk_news_choice")),
    )
    op.create_table(
        "news_hours",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("quiet_from", sa.SmallInteger(), nullable=False),
        sa.Column("quiet_until", sa.SmallInteger(), nullable=False),
        sa.Column("daily_at", sa.SmallInteger(), nullable=False),
        sa.Column("weekends", sa.Boolean(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.CheckConstraint("daily_at between 0 and 23", name=op.f("ck_news_hours_daily_at")),
        sa.CheckConstraint(
            "quiet_from between 0 and 24 and quiet_until between 0 and 24", name=op.f("ck_news_hours_quiet")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_news_hours_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_news_hours")),
    )
    op.create_table(
        "news_box",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_news_box_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_news_box")),
    )


def _create_digests() -> None:
    op.create_table(
        "digest_address",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_digest_address_establishment_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_digest_address_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_address")),
    )
    op.create_index(op.f("ix_digest_address_establishment_id"), "digest_address", ["establishment_id"], unique=False)
    op.create_index(
        "uq_digest_address_open",
        "digest_address",
        ["establishment_id", "unit_id", "address"],
        unique=True,
        postgresql_where=sa.text("stopped_at is null"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "digest_morning",
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("address_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("num_nonnulls(account_id, address_id) = 1", name=op.f("ck_digest_morning_one_reader")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_digest_morning_account_id")),
        sa.ForeignKeyConstraint(["address_id"], ["digest_address.id"], name=op.f("fk_digest_morning_address_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_morning")),
        sa.UniqueConstraint("account_id", "day", name=op.f("uq_digest_morning_account_id_day")),
        sa.UniqueConstraint("address_id", "day", name=op.f("uq_digest_morning_address_id_day")),
    )
    op.create_index("ix_digest_morning_day", "digest_morning", ["day"], unique=False)
