"""Messages in the words of each hospital; the language of a message, for its HTML part."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notification", sa.Column("locale", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "message_text",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "language")),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False, server_default="") for name in ("subject", "body", "actor_name")),
        sa.Column("is_default", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_text")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_message_text_establishment_id")
        ),
        sa.UniqueConstraint(
            "establishment_id", "kind", "language", "version",
            name=op.f("uq_message_text_establishment_id_kind_language_version"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_message_text_version")),
        sa.CheckConstraint("is_default = (body = '')", name=op.f("ck_message_text_body")),
    )  # fmt: skip
    # What is sent to people is read by whatever sends it; only its hospital's administrators write it.
    may.protect("message_text", read=may.ANYBODY, insert=may.either(may.SYSTEM, may.staff("administration")))
    op.execute("comment on table message_text is 'append-only'")


def downgrade() -> None:
    op.drop_table("message_text")
    op.drop_column("notification", "locale")
