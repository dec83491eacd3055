"""What the practitioners' side of referrals keeps: drafts."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "referral_draft",
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["professional_id"], ["professional.id"], name=op.f("fk_referral_draft_professional_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_draft")),
    )
    op.create_index("ix_referral_draft_changed_at", "referral_draft", ["changed_at"])
    op.create_index("ix_referral_draft_professional_id_changed_at", "referral_draft", ["professional_id", "changed_at"])
    theirs = may.either(may.professional(), may.SYSTEM)
    may.protect("referral_draft", read=theirs, write=theirs)


def downgrade() -> None:
    op.execute("drop table referral_draft cascade")
