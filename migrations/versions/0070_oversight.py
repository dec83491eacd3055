"""Oversight: verifications of the chain, what was sent outside, unusual accesses, reviews of rights, incidents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

_TABLES = (
    "incident_step", "security_incident", "access_review_line", "access_review", "unusual_access", "audit_sending",
    "audit_verification",
)  # fmt: skip
_AN_AUDITOR = "(select current_setting('parvis.at_audit', true)) <> ''"
"""Whoever is an auditor of one hospital at least: the chain belongs to the whole group."""


def upgrade() -> None:
    _create_ledger()
    _create_unusual()
    _create_reviews()
    _create_incidents()
    _protect()


def _protect() -> None:
    may.protect("audit_verification", read=may.either(_AN_AUDITOR, may.SYSTEM), insert=may.SYSTEM)
    may.protect("audit_sending", read=may.either(_AN_AUDITOR, may.SYSTEM), write=may.SYSTEM)
    op.execute(f"alter policy audit_batch_read on audit_batch using ({may.either(_AN_AUDITOR, may.SYSTEM)})")
    auditor = may.either(may.staff("audit"), may.SYSTEM)
    may.protect("unusual_access", read=auditor, insert=may.SYSTEM, update=auditor, delete=may.SYSTEM)
    # Auditors read whose access was unusual and who judged it, and no other account.
    concerned = may.both(
        may.either("u.account_id = account.id", "u.reviewed_by = account.id"), may.staff("audit", "u.establishment_id")
    )
    op.execute(
        "create policy account_unusual on account for select using"
        f" (audience = 'staff' and exists (select 1 from unusual_access u where {concerned}))"
    )
    reviewer = may.either(may.staff("administration"), may.SYSTEM)
    readers = may.either(may.staff("administration"), may.staff("audit"), may.SYSTEM)
    for table in ("access_review", "access_review_line"):
        may.protect(table, read=readers, insert=reviewer, update=reviewer)
    may.protect("security_incident", read=auditor, insert=auditor, update=auditor)
    may.protect("incident_step", read=auditor, insert=may.both(may.actor(), auditor))
    for table in ("audit_verification", "incident_step"):
        op.execute(f"comment on table {table} is 'append-only'")


def downgrade() -> None:
    # 0077 makes it beside the writers; databases that came here before had it from this migration.
    op.drop_index("ix_audit_event_object_id", "audit_event", if_exists=True)
    op.execute("drop policy account_unusual on account")
    op.execute(f"alter policy audit_batch_read on audit_batch using ({may.SYSTEM})")
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")


def _create_ledger() -> None:
    op.create_table(
        "audit_verification",
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batches", sa.Integer(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("unsealed", sa.Integer(), nullable=False),
        sa.Column("broken_batch", sa.BigInteger(), nullable=True),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_verification")),
    )
    op.create_index(op.f("ix_audit_verification_ended_at"), "audit_verification", ["ended_at"], unique=False)
    op.create_table(
        "audit_sending",
        sa.Column("collector", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("events", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("collector", name=op.f("pk_audit_sending")),
    )


def _create_unusual() -> None:
    op.create_table(
        "unusual_access",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("week_on", sa.Date(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Integer(), nullable=True),
        sa.Column("patient_ids", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="to_review", nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state = 'to_review' or (reviewed_by is not null and comment <> '')",
            name=op.f("ck_unusual_access_reviewed"),
        ),
        sa.CheckConstraint("state in ('to_review', 'explained', 'reported')", name=op.f("ck_unusual_access_state")),
        sa.CheckConstraint("reviewed_by is distinct from account_id", name=op.f("ck_unusual_access_two_people")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_unusual_access_account_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_unusual_access_establishment_id")
        ),
        sa.ForeignKeyConstraint(["reviewed_by"], ["account.id"], name=op.f("fk_unusual_access_reviewed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unusual_access")),
        sa.UniqueConstraint(
            "establishment_id",
            "week_on",
            "rule",
            "account_id",
            name=op.f("uq_unusual_access_establishment_id_week_on_rule_account_id"),
        ),
    )
    op.create_index(op.f("ix_unusual_access_account_id"), "unusual_access", ["account_id"], unique=False)


def _create_reviews() -> None:
    op.create_table(
        "access_review",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_access_review_establishment_id")
        ),
        sa.ForeignKeyConstraint(["opened_by"], ["account.id"], name=op.f("fk_access_review_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_review")),
        sa.UniqueConstraint("id", "establishment_id", name=op.f("uq_access_review_id_establishment_id")),
    )
    op.create_index(op.f("ix_access_review_establishment_id"), "access_review", ["establishment_id"], unique=False)
    op.create_index(
        "uq_access_review_open",
        "access_review",
        ["establishment_id"],
        unique=True,
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_table(
        "access_review_line",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("right", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("decision in ('', 'kept', 'removed', 'gone')", name=op.f("ck_access_review_line_decision")),
        sa.CheckConstraint("decided_by is distinct from account_id", name=op.f("ck_access_review_line_two_people")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_access_review_line_account_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_access_review_line_decided_by")),
        sa.ForeignKeyConstraint(
            ["review_id", "establishment_id"],
            ["access_review.id", "access_review.establishment_id"],
            name=op.f("fk_access_review_line_review_id_establishment_id"),
        ),
        sa.PrimaryKeyConstraint("review_id", "account_id", "right", name=op.f("pk_access_review_line")),
    )


def _create_incidents() -> None:
    op.create_table(
        "security_incident",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authority_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("authority_why", sa.Text(), server_default="", nullable=False),
        sa.Column("cert_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("people_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("risk in ('none', 'some', 'high')", name=op.f("ck_security_incident_risk")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_security_incident_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_incident")),
        sa.UniqueConstraint("establishment_id", "number", name=op.f("uq_security_incident_establishment_id_number")),
        sa.UniqueConstraint("id", "establishment_id", name=op.f("uq_security_incident_id_establishment_id")),
    )
    op.create_table(
        "incident_step",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id", "establishment_id"],
            ["security_incident.id", "security_incident.establishment_id"],
            name=op.f("fk_incident_step_incident_id_establishment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_step")),
    )
    op.create_index("ix_incident_step_incident_id", "incident_step", ["incident_id"], unique=False)
