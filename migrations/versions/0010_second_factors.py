"""Second factors, recovery codes, codes under way, resets at the desk, local accounts, counters of failed tries."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_HELPERS = (
    "current_setting('parvis.at_administration', true) <> '' or current_setting('parvis.at_identity', true) <> ''"
)
"""Whoever may open an account for somebody, at one hospital at least."""


def upgrade() -> None:
    _create_factor()
    _create_recovery_code()
    _create_factor_challenge()
    _create_factor_reset()
    _create_local_accounts()
    _create_failed_tries()


def _create_factor() -> None:
    op.create_table(
        "factor",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('passkey', 'totp', 'sms', 'mail')", name=op.f("ck_factor_kind")),
        sa.CheckConstraint("(kind = 'passkey') = (credential_id is not null)", name=op.f("ck_factor_credential")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_factor_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor")),
    )
    op.create_index(
        op.f("ix_factor_account_id"), "factor", ["account_id"], postgresql_where=sa.text("removed_at is null")
    )
    op.create_index(
        op.f("ix_factor_credential_id"),
        "factor",
        ["credential_id"],
        unique=True,
        postgresql_where=sa.text("removed_at is null"),
    )
    own = may.either(may.account(), may.SYSTEM)
    may.protect("factor", read=own, insert=own, update=own)


def _create_recovery_code() -> None:
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recovery_code_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("account_id", "digest", name=op.f("uq_recovery_code_account_id_digest")),
    )
    own = may.either(may.account(), may.SYSTEM)
    may.protect("recovery_code", read=own, write=own)


def _create_factor_challenge() -> None:
    op.create_table(
        "factor_challenge",
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("factor_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('sms', 'mail', 'passkey')", name=op.f("ck_factor_challenge_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_factor_challenge_account_id")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["web_session.id"], name=op.f("fk_factor_challenge_session_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(["factor_id"], ["factor.id"], name=op.f("fk_factor_challenge_factor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor_challenge")),
        sa.UniqueConstraint("digest", name=op.f("uq_factor_challenge_digest")),
    )
    op.create_index(op.f("ix_factor_challenge_account_id"), "factor_challenge", ["account_id"])
    own = may.either(may.account(), may.SYSTEM)
    may.protect("factor_challenge", read=own, insert=own, update=own, delete=may.SYSTEM)


def _create_factor_reset() -> None:
    op.create_table(
        "factor_reset",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_factor_reset_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_factor_reset_patient_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_factor_reset_establishment_id")
        ),
        sa.ForeignKeyConstraint(["issued_by"], ["account.id"], name=op.f("fk_factor_reset_issued_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor_reset")),
        sa.UniqueConstraint("digest", name=op.f("uq_factor_reset_digest")),
    )
    for column in ("account_id", "establishment_id"):
        op.create_index(op.f(f"ix_factor_reset_{column}"), "factor_reset", [column])
    may.protect(
        "factor_reset",
        read=may.either(may.account(), may.staff("identity"), may.SYSTEM),
        insert=may.either(may.staff("identity"), may.SYSTEM),
        update=may.either(may.account(), may.SYSTEM),
    )


def _create_local_accounts() -> None:
    op.create_table(
        "local_invitation",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_local_invitation_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_local_invitation_digest")),
    )
    op.create_index(op.f("ix_local_invitation_account_id"), "local_invitation", ["account_id"])
    may.protect("local_invitation", read=may.SYSTEM, insert=may.either(_HELPERS, may.SYSTEM), update=may.SYSTEM)
    op.create_table(
        "local_password",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_local_password_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_local_password")),
        sa.UniqueConstraint("login", name=op.f("uq_local_password_login")),
    )
    may.protect("local_password", read=may.either(may.account(), may.SYSTEM), write=may.SYSTEM)


def _create_failed_tries() -> None:
    op.create_table(
        "failed_tries",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_failed_tries")),
    )
    may.protect("failed_tries", read=may.SYSTEM, write=may.SYSTEM)


def downgrade() -> None:
    for table in ("failed_tries", "local_password", "local_invitation", "factor_reset", "factor_challenge",
                  "recovery_code", "factor"):  # fmt: skip
        op.execute(f"drop table {table} cascade")
