"""What the units' side of referrals needs: trays in order, search, and appointments that their senders follow."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

_ENDED = "state in ('refused', 'redirected', 'completed', 'withdrawn', 'objected', 'lapsed')"
_SENT_HERE = (
    "exists (select 1 from referral_target t where t.sent_patient_id = sent_appointment.sent_patient_id"
    " and t.professional_id = sent_appointment.professional_id and "
    + may.staff("referrals", "t.establishment_id")
    + ")"
)


def upgrade() -> None:
    table = "referral_target"
    op.create_index("ix_referral_target_ended", table, ["changed_at"], postgresql_where=sa.text(_ENDED))
    op.create_index(
        "ix_referral_target_accepted", table, ["changed_at"], postgresql_where=sa.text("state = 'accepted'")
    )
    op.create_index(
        "ix_referral_target_outcome_id", table, ["outcome_id"], postgresql_where=sa.text("outcome_id is not null")
    )
    op.add_column(table, sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True))
    for erased in ("referral_message", "referral_file"):
        # No policy lets anybody change a row; the system may erase those of a request that was over for years.
        op.drop_table_comment(erased, existing_comment="append-only")
        op.execute(f"create policy {erased}_delete on {erased} for delete using ({may.SYSTEM})")
    op.create_index("ix_referral_birth_name_birth_on", "referral", ["birth_name", "birth_on"])
    op.create_index("ix_referral_birth_on", "referral", ["birth_on"])
    op.execute(
        f"create policy sent_appointment_insert_referred on sent_appointment for insert with check ({_SENT_HERE})"
    )


def downgrade() -> None:
    for erased in ("referral_message", "referral_file"):
        op.execute(f"drop policy {erased}_delete on {erased}")
        op.create_table_comment(erased, "append-only")
    op.drop_column("referral_target", "forgotten_at")
    op.execute("drop policy sent_appointment_insert_referred on sent_appointment")
    for name in ("referral_birth_on", "referral_birth_name_birth_on"):
        op.drop_index(f"ix_{name}", "referral")
    for name in ("outcome_id", "accepted", "ended"):
        op.drop_index(f"ix_referral_target_{name}", "referral_target")
