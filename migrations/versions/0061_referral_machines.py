"""Referrals from practice software: identifiers, and who reads what was sent."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

_SENT = (
    "exists (select 1 from referral_identifier i where i.referral_id = {table}.{column}"
    " and i.sender = (select current_setting('parvis.actor', true)))"
)
_A_MACHINE = "(select current_setting('parvis.actor', true)) like 'machine:%'"
_OF_TARGET = "exists (select 1 from referral_target t where t.id = target_id and {sent} and t.received_at is not null)"


def upgrade() -> None:
    table = "referral_identifier"
    op.create_table(
        table,
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("sender", "system", "value", "rpps")),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f(f"fk_{table}_establishment_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f(f"fk_{table}_referral_id")),
        sa.PrimaryKeyConstraint("sender", "system", "value", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_referral_id"), table, ["referral_id"])
    own = may.either(may.actor("sender"), may.staff("referrals"), may.SYSTEM)
    may.protect(table, read=own, insert=may.SYSTEM)
    _let_senders_follow()


def _let_senders_follow() -> None:
    """A machine reads what it sent, at its own hospital: neither the tray, nor what others sent."""
    target = may.both(
        _A_MACHINE,
        _SENT.format(table="referral_target", column="referral_id").replace(
            "and i.sender", "and i.establishment_id = referral_target.establishment_id and i.sender"
        ),
    )
    op.execute(f"create policy referral_target_read_sender on referral_target for select using ({target})")
    message = may.both(_A_MACHINE, _OF_TARGET.format(sent=_SENT.format(table="t", column="referral_id")))
    op.execute(f"create policy referral_message_read_sender on referral_message for select using ({message})")
    whole = may.either(
        "message_id is null", "exists (select 1 from referral_message m where m.id = referral_file.message_id)"
    )
    file = may.both(_A_MACHINE, _SENT.format(table="referral_file", column="referral_id"), whole)
    op.execute(f"create policy referral_file_read_sender on referral_file for select using ({file})")
    joined = "exists (select 1 from referral_file f where f.file_id = stored_file.id)"
    stored = may.both(_A_MACHINE, joined)
    op.execute(f"create policy stored_file_read_sender on stored_file for select using ({stored})")


def downgrade() -> None:
    for table in ("referral_target", "referral_message", "referral_file", "stored_file"):
        op.execute(f"drop policy if exists {table}_read_sender on {table}")
    op.execute("drop table referral_identifier cascade")
