"""Reminders, links that act without signing in, and calendars that people subscribe to.

Reminders and links are written by jobs alone; a hospital's agents set the rules and count what was sent. A feed and a
choice are their account's.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_AGENTS = may.either(may.staff("appointments"), may.SYSTEM)
_MINE = may.either(may.account(), may.SYSTEM)
_TABLES = ("calendar_feed", "appointment_link", "reminder_seen", "reminder", "reminder_choice", "reminder_policy",
           "reminder_setting")  # fmt: skip


def upgrade() -> None:
    for name in ("reminded_at", "confirmed_for"):
        op.add_column("appointment", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    _create_rules()
    _create_reminders()
    _create_links()
    for table in ("reminder_setting", "reminder_policy"):
        may.protect(table, read=_AGENTS, write=_AGENTS)
    for table in ("reminder_choice", "calendar_feed"):
        may.protect(table, read=_MINE, write=_MINE)
    may.protect("reminder", read=may.either(may.staff("appointments"), may.account(), may.SYSTEM), write=may.SYSTEM)
    for table in ("reminder_seen", "appointment_link"):
        may.protect(table, read=may.SYSTEM, write=may.SYSTEM)


def _rules() -> list[sa.Column[object]]:
    """When one is reminded, of the hospital and of a reason alike."""
    days = postgresql.ARRAY(sa.SmallInteger())
    flags = ("is_on", "near_mail", "near_text", "late_text")
    return [
        *(sa.Column(name, sa.Boolean(), server_default="true", nullable=False) for name in flags),
        sa.Column("mail_days", days, server_default="{7,1}", nullable=False),
        sa.Column("text_days", days, server_default="{2}", nullable=False),
    ]


def _create_rules() -> None:
    op.create_table(
        "reminder_setting",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        *_rules(),
        sa.Column("send_at", sa.SmallInteger(), server_default="15", nullable=False),
        sa.Column("quiet_from", sa.SmallInteger(), server_default="20", nullable=False),
        sa.Column("quiet_until", sa.SmallInteger(), server_default="8", nullable=False),
        sa.Column("says", sa.Text(), server_default="where", nullable=False),
        sa.CheckConstraint("says in ('where', 'when', 'nothing')", name=op.f("ck_reminder_setting_says")),
        sa.CheckConstraint(
            "quiet_until >= 6 and quiet_until <= send_at and send_at < quiet_from and quiet_from <= 22",
            name=op.f("ck_reminder_setting_hours"),
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_reminder_setting_establishment_id")
        ),
        sa.PrimaryKeyConstraint("establishment_id", name=op.f("pk_reminder_setting")),
    )
    op.create_table(
        "reminder_policy",
        sa.Column("reason_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        *_rules(),
        sa.ForeignKeyConstraint(
            ["reason_id"], ["reason.id"], name=op.f("fk_reminder_policy_reason_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_reminder_policy_establishment_id")
        ),
        sa.PrimaryKeyConstraint("reason_id", name=op.f("pk_reminder_policy")),
    )
    op.create_table(
        "reminder_choice",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("wanted", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("discreet", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_reminder_choice_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_reminder_choice")),
    )


def _create_reminders() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("because", sa.Text(), server_default="", nullable=False),
        sa.Column("visits", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel in ('mail', 'text')", name=op.f("ck_reminder_channel")),
        sa.CheckConstraint(
            "state in ('planned', 'leaving', 'sent', 'dropped', 'refused', 'uncertain')", name=op.f("ck_reminder_state")
        ),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_reminder_establishment_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_reminder_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("recipient_id", "day", "channel", name=op.f("uq_reminder_recipient_id_day_channel")),
    )
    op.create_index("ix_reminder_establishment_id_day", "reminder", ["establishment_id", "day"])
    op.create_table(
        "reminder_seen",
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], name=op.f("fk_reminder_seen_appointment_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_reminder_seen_establishment_id")
        ),
        sa.PrimaryKeyConstraint("appointment_id", "day", "start_at", name=op.f("pk_reminder_seen")),
    )


def _create_links() -> None:
    op.create_table(
        "appointment_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_appointment_link_establishment_id")
        ),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_appointment_link_appointment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_appointment_link_digest")),
    )
    op.create_index(op.f("ix_appointment_link_appointment_id"), "appointment_link", ["appointment_id"])
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("with_details", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("with_proxied", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_read_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_calendar_feed_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("account_id", name=op.f("uq_calendar_feed_account_id")),
        sa.UniqueConstraint("digest", name=op.f("uq_calendar_feed_digest")),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
    for name in ("confirmed_for", "reminded_at"):
        op.drop_column("appointment", name)
