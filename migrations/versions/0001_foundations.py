"""The foundations: establishments, people, sessions, files, jobs, audit and figures, each closed by row-level security."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from migrations import policies as may
from migrations.columns import Xid8

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_queue()
    _create_tables()
    _protect_people()
    _protect_hospitals()
    _protect_ledgers()
    op.execute(_OPEN_WEB_SESSION)


def _create_tables() -> None:
    op.create_table(
        "account",
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("audience in ('patient', 'professional', 'staff')", name=op.f("ck_account_audience")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_table(
        "audit_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("from_xid", Xid8(), nullable=False),
        sa.Column("to_xid", Xid8(), server_default=sa.FetchedValue(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_batch")),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("establishment_id", sa.Uuid(), nullable=True),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_patient_id"), "audit_event", ["patient_id"], unique=False)
    op.create_index(op.f("ix_audit_event_xid"), "audit_event", ["xid"], unique=False)
    op.create_table(
        "establishment",
        sa.Column("finess", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short_name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("brand_colour", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_establishment")),
        sa.UniqueConstraint("finess", name=op.f("uq_establishment_finess")),
    )
    op.create_table(
        "job_done",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_done")),
    )
    op.create_table(
        "kpi_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "event", "establishment_id", "channel", "audience", "dimension", name=op.f("pk_kpi_day")
        ),
    )
    op.create_table(
        "kpi_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_event")),
    )
    op.create_index(op.f("ix_kpi_event_xid"), "kpi_event", ["xid"], unique=False)
    op.create_table(
        "kpi_month_unique",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("month", "event", "audience", "pseudonym", name=op.f("pk_kpi_month_unique")),
    )
    op.create_table(
        "kpi_watermark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.FetchedValue(), nullable=False),
        sa.Column("rolled_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_watermark")),
    )
    op.create_table(
        "patient",
        sa.Column("birth_name", sa.Text(), nullable=False),
        sa.Column("used_name", sa.Text(), nullable=False),
        sa.Column("first_names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("birth_on", sa.Date(), nullable=False),
        sa.Column("birthplace_insee", sa.Text(), nullable=False),
        sa.Column("birthcountry_insee", sa.Text(), nullable=False),
        sa.Column("ins", sa.Text(), nullable=False),
        sa.Column("ins_oid", sa.Text(), nullable=False),
        sa.Column("identity_status", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("mobile", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "identity_status in ('PROV', 'RECUP', 'VALI', 'QUAL')", name=op.f("ck_patient_identity_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
    )
    op.create_table(
        "repeated_post",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "actor", name=op.f("pk_repeated_post")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("state_digest", sa.LargeBinary(), nullable=False),
        sa.Column("browser_digest", sa.LargeBinary(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("code_verifier", sa.Text(), nullable=False),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_digest", name=op.f("pk_sign_in_attempt")),
    )
    op.create_table(
        "establishment_setting",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("secret", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_establishment_setting_establishment_id")
        ),
        sa.PrimaryKeyConstraint("establishment_id", "key", name=op.f("pk_establishment_setting")),
    )
    op.create_table(
        "held_form",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_held_form_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_form")),
    )
    op.create_table(
        "identity",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_identity_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identity_issuer_subject")),
    )
    op.create_index(op.f("ix_identity_account_id"), "identity", ["account_id"], unique=False)
    op.create_table(
        "notification",
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_notification_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_table(
        "patient_access",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("relation in ('self', 'parent', 'mandate')", name=op.f("ck_patient_access_relation")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_patient_access_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_access_patient_id")),
        sa.PrimaryKeyConstraint("account_id", "patient_id", name=op.f("pk_patient_access")),
    )
    op.create_index(op.f("ix_patient_access_patient_id"), "patient_access", ["patient_id"], unique=False)
    op.create_table(
        "patient_record",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("ipp", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_patient_record_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_record_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", "establishment_id", name=op.f("pk_patient_record")),
        sa.UniqueConstraint("establishment_id", "ipp", name=op.f("uq_patient_record_establishment_id_ipp")),
    )
    op.create_table(
        "professional",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("subject_name_id", sa.Text(), nullable=False),
        sa.Column("rpps", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("profession", sa.Text(), nullable=False),
        sa.Column("activities", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_professional_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_professional")),
        sa.UniqueConstraint("account_id", name=op.f("uq_professional_account_id")),
        sa.UniqueConstraint("subject_name_id", name=op.f("uq_professional_subject_name_id")),
    )
    op.create_table(
        "published_service",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_published_service_establishment_id")
        ),
        sa.PrimaryKeyConstraint("establishment_id", "code", name=op.f("pk_published_service")),
    )
    op.create_table(
        "site",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("finess_et", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_site_establishment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("establishment_id", "finess_et", name=op.f("uq_site_establishment_id_finess_et")),
    )
    op.create_index(op.f("ix_site_establishment_id"), "site", ["establishment_id"], unique=False)
    op.create_table(
        "staff_invitation",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("rights", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_staff_invitation_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_staff_invitation_digest")),
    )
    op.create_table(
        "staff_right",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("right", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_staff_right_account_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_staff_right_establishment_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "establishment_id", "right", name=op.f("pk_staff_right")),
    )
    op.create_table(
        "web_session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("acr", sa.Text(), nullable=False),
        sa.Column("amr", sa.Text(), nullable=False),
        sa.Column("id_token", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_session_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_web_session_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_web_session_digest")),
    )
    op.create_index(op.f("ix_web_session_account_id"), "web_session", ["account_id"], unique=False)
    op.create_table(
        "stored_file",
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("establishment_id", sa.Uuid(), nullable=True),
        sa.Column("staff_right", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("professional_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_stored_file_account_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_stored_file_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_stored_file_patient_id")),
        sa.ForeignKeyConstraint(["professional_id"], ["professional.id"], name=op.f("fk_stored_file_professional_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_stored_file_storage_key")),
    )
    op.create_index(op.f("ix_stored_file_account_id"), "stored_file", ["account_id"], unique=False)
    op.create_index(op.f("ix_stored_file_patient_id"), "stored_file", ["patient_id"], unique=False)
    op.create_index(op.f("ix_stored_file_professional_id"), "stored_file", ["professional_id"], unique=False)
    op.create_table(
        "unit",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("uf", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("floor", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_unit_establishment_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_unit_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("establishment_id", "uf", name=op.f("uq_unit_establishment_id_uf")),
    )
    op.create_index(op.f("ix_unit_establishment_id"), "unit", ["establishment_id"], unique=False)
    op.create_index(op.f("ix_unit_site_id"), "unit", ["site_id"], unique=False)
    op.create_table(
        "practitioner",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("rpps", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("speciality", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_practitioner_establishment_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_practitioner_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioner")),
        sa.UniqueConstraint("establishment_id", "rpps", name=op.f("uq_practitioner_establishment_id_rpps")),
    )
    op.create_index(op.f("ix_practitioner_establishment_id"), "practitioner", ["establishment_id"], unique=False)
    op.create_index(op.f("ix_practitioner_unit_id"), "practitioner", ["unit_id"], unique=False)


def _create_queue() -> None:
    """procrastinate's own schema (3.10). Its NOTIFY triggers are disabled: a NOTIFY in the caller's transaction
    limits all commits to one per disk flush, and our workers poll."""
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    for trigger in (
        "procrastinate_jobs_notify_queue_job_inserted_v1",
        "procrastinate_jobs_notify_queue_job_aborted_v1",
    ):
        op.execute(f"alter table procrastinate_jobs disable trigger {trigger}")


_SOME_STAFF = "(select current_setting('parvis.establishments', true)) <> ''"
_SOME_ADMINISTRATOR = "(select current_setting('parvis.at_administration', true)) <> ''"
_KNOWN_TO_STAFF = (
    "exists (select 1 from patient_record r where r.patient_id = patient.id and "
    + may.any_staff("r.establishment_id")
    + ")"
)
_FILE_RIGHTS = ("appointments", "preadmission", "billing", "documents")


def _protect_people() -> None:
    may.protect(
        "account",
        read=may.either(may.account("id"), may.SYSTEM, may.both("audience = 'staff'", _SOME_ADMINISTRATOR)),
        insert=may.SYSTEM,
        update=may.either(may.account("id"), may.SYSTEM),
    )
    may.protect("identity", read=may.either(may.account(), may.SYSTEM), write=may.SYSTEM)
    may.protect(
        "patient",
        read=may.either(may.own("id"), may.SYSTEM, _KNOWN_TO_STAFF),
        insert=may.either(may.SYSTEM, _SOME_STAFF),
        update=may.either(may.own("id"), may.SYSTEM, _KNOWN_TO_STAFF),
    )
    may.protect(
        "patient_record",
        read=may.either(may.own(), may.any_staff(), may.SYSTEM),
        insert=may.either(may.own(), may.any_staff(), may.SYSTEM),
        update=may.either(may.any_staff(), may.SYSTEM),
    )
    may.protect("patient_access", read=may.either(may.account(), may.own(), may.SYSTEM), write=may.SYSTEM)
    may.protect(
        "professional",
        read=may.either(may.professional("id"), may.account(), _SOME_STAFF, may.SYSTEM),
        write=may.SYSTEM,
    )
    may.protect(
        "staff_right",
        read=may.either(may.account(), may.staff("administration"), may.SYSTEM),
        write=may.either(may.staff("administration"), may.SYSTEM),
    )
    may.protect(
        "staff_invitation",
        read=may.either(may.staff("administration"), may.SYSTEM),
        write=may.either(may.staff("administration"), may.SYSTEM),
    )
    may.protect("web_session", read=may.either(may.account(), may.SYSTEM), write=may.either(may.account(), may.SYSTEM))
    may.protect("sign_in_attempt", read=may.SYSTEM, write=may.SYSTEM)
    may.protect(
        "held_form",
        read=may.either(may.account(), may.SYSTEM),
        insert=may.SYSTEM,
        delete=may.either(may.account(), may.SYSTEM),
    )
    may.protect(
        "repeated_post",
        read=may.either(may.actor(), may.SYSTEM),
        insert=may.actor(),
        update=may.actor(),
        delete=may.SYSTEM,
    )
    may.protect("notification", read=may.either(may.account(), may.SYSTEM), insert=may.ANYBODY, update=may.SYSTEM)
    by_right = [may.both(f"staff_right = '{right}'", may.staff(right)) for right in _FILE_RIGHTS]
    may.protect(
        "stored_file",
        read=may.either(may.account(), may.own(), may.professional(), may.SYSTEM, *by_right),
        write=may.either(may.account(), may.SYSTEM),
    )


def _protect_hospitals() -> None:
    may.protect("establishment", read=may.ANYBODY, write=may.either(may.SYSTEM, may.staff("administration", "id")))
    for table in ("site", "unit", "practitioner", "published_service"):
        may.protect(table, read=may.ANYBODY, write=may.either(may.SYSTEM, may.staff("administration")))
    may.protect(
        "establishment_setting",
        read=may.either("not secret", may.SYSTEM, may.staff("administration")),
        write=may.either(may.SYSTEM, may.staff("administration")),
    )


def _protect_ledgers() -> None:
    may.protect("audit_event", read=may.either(may.own(), may.staff("audit"), may.SYSTEM), insert=may.actor())
    may.protect("audit_batch", read=may.SYSTEM, insert=may.SYSTEM)
    may.protect("kpi_event", read=may.SYSTEM, insert=may.ANYBODY)
    may.protect("kpi_day", read=may.either(_SOME_ADMINISTRATOR, may.SYSTEM), write=may.SYSTEM)
    may.protect("kpi_month_unique", read=may.either(_SOME_ADMINISTRATOR, may.SYSTEM), write=may.SYSTEM)
    may.protect("kpi_watermark", read=may.ANYBODY, insert=may.SYSTEM, update=may.SYSTEM)
    for table in ("audit_event", "audit_batch", "kpi_event"):
        op.execute(f"comment on table {table} is 'append-only'")
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("insert into kpi_watermark (id, xid, rolled_up_at) values (1, '0', now())")


# Reads the session as the system, then declares the person: one round trip for both. An ended session declares
# nobody, and only tells whose it was, so that what they typed can wait for them.
_OPEN_WEB_SESSION = """
create function open_web_session(token_digest bytea, idle interval)
returns table (state text, session_id uuid, account_id uuid, audience text, name text, locale text, provider text,
               acr text, professional_id uuid, patient_id uuid, self_id uuid, patients text[], rights text)
language plpgsql as $$
declare
  opened web_session;
  who account;
  is_open boolean;
  held record;
begin
  perform set_config(key, '', true) from unnest(array[
    'parvis.actor', 'parvis.account', 'parvis.professional', 'parvis.patients', 'parvis.establishments',
    'parvis.at_appointments', 'parvis.at_preadmission', 'parvis.at_billing', 'parvis.at_documents',
    'parvis.at_administration', 'parvis.at_audit']) key;
  perform set_config('parvis.actor', 'anonymous', true);
  perform set_config('parvis.system', 'auth.open_session', true);

  select * into opened from web_session s where s.digest = token_digest;
  select * into who from account a where a.id = opened.account_id;
  is_open := opened.id is not null and opened.ended_at is null and who.closed_at is null
             and opened.expires_at > now() and opened.last_seen_at > now() - idle;
  state := case when is_open then 'open' else 'ended' end;
  account_id := opened.account_id;
  if not is_open then
    perform set_config('parvis.system', '', true);
    return next;
    return;
  end if;

  session_id := opened.id; audience := who.audience; name := who.name; locale := who.locale;
  provider := opened.provider; acr := opened.acr; patient_id := opened.patient_id;
  if opened.last_seen_at < now() - interval '1 minute' and not current_setting('transaction_read_only')::boolean then
    update web_session s set last_seen_at = now() where s.id = opened.id;
  end if;

  select p.id into professional_id from professional p where p.account_id = who.id;
  select coalesce(array_agg(a.patient_id::text), '{}'), (array_agg(a.patient_id) filter (where a.relation = 'self'))[1]
    into patients, self_id
    from patient_access a
    where a.account_id = who.id and a.revoked_at is null and (a.ends_on is null or a.ends_on >= current_date);
  rights := '{}';
  if who.audience = 'staff' then
    for held in select r."right" as code, string_agg(r.establishment_id::text, ',' order by r.establishment_id::text) as ids
                from staff_right r where r.account_id = who.id group by r."right" loop
      perform set_config('parvis.at_' || held.code, held.ids, true);
    end loop;
    select coalesce(json_object_agg(g.code, g.ids)::text, '{}') into rights from (
      select r."right" as code, json_agg(r.establishment_id) as ids
      from staff_right r where r.account_id = who.id group by r."right") g;
    perform set_config('parvis.establishments', coalesce(
      (select string_agg(distinct r.establishment_id::text, ',') from staff_right r where r.account_id = who.id), ''), true);
  end if;

  perform set_config('parvis.actor', who.audience || ':' || who.id, true);
  perform set_config('parvis.account', who.id::text, true);
  perform set_config('parvis.professional', coalesce(professional_id::text, ''), true);
  perform set_config('parvis.patients', array_to_string(patients, ','), true);
  perform set_config('parvis.system', '', true);
  return next;
end $$
"""


def downgrade() -> None:
    op.execute("drop function open_web_session")
    for table in reversed(_TABLES):
        op.execute(f"drop table {table} cascade")
    _drop_queue()


_TABLES = (
    "account",
    "audit_batch",
    "audit_event",
    "establishment",
    "job_done",
    "kpi_day",
    "kpi_event",
    "kpi_month_unique",
    "kpi_watermark",
    "patient",
    "repeated_post",
    "sign_in_attempt",
    "establishment_setting",
    "held_form",
    "identity",
    "notification",
    "patient_access",
    "patient_record",
    "professional",
    "published_service",
    "site",
    "staff_invitation",
    "staff_right",
    "web_session",
    "stored_file",
    "unit",
    "practitioner",
)


def _drop_queue() -> None:
    op.execute(
        "drop table procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs,"
        " procrastinate_workers cascade"
    )
    op.execute(r"""
do $$ declare item record; begin
  for item in select p.oid::regprocedure as name from pg_proc p where p.proname like 'procrastinate\_%'
              and p.pronamespace = 'public'::regnamespace loop
    execute 'drop function ' || item.name || ' cascade';
  end loop;
  for item in select t.oid::regtype as name from pg_type t where t.typname like 'procrastinate\_%'
              and t.typtype in ('c', 'e') and t.typnamespace = 'public'::regnamespace
              and not exists (select 1 from pg_class c where c.oid = t.typrelid and c.relkind = 'r') loop
    execute 'drop type ' || item.name || ' cascade';
  end loop;
end $$""")
