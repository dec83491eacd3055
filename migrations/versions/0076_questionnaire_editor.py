"""What a draft was before its last change, to take it back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("questionnaire", sa.Column("former_content", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("questionnaire", "former_content")
