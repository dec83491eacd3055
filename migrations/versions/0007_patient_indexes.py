"""Find a patient by INS (letters that arrive) or by birth date (a clerk's search) without reading them all."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_patient_ins", "patient", ["ins", "ins_oid"], postgresql_where=sa.text("ins <> ''"))
    op.create_index("ix_patient_birth_on", "patient", ["birth_on"])


def downgrade() -> None:
    op.drop_index("ix_patient_birth_on", "patient")
    op.drop_index("ix_patient_ins", "patient")
