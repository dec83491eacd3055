"""Traits kept verbatim with keys to search them, contact data proven by a code, links to a hospital's number (IPP).

A link moves rows between two descriptions of one person; it is written by the system alone, on a proof. The identity
unit of a hospital reads what waits for it, both descriptions of a link, and what was seen through a wrong one.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = (
    "possible_duplicate",
    "enrolment_try",
    "enrolment_request",
    "enrolment_move",
    "enrolment_link",
    "enrolment_code",
    "contact_point",
)


def upgrade() -> None:
    _extend_patient()
    _create_contact()
    _create_links()
    _create_requests()
    _create_duplicates()
    _protect()
    _open_to_the_identity_unit()
    _let_rows_move()


def _extend_patient() -> None:
    for column in (
        sa.Column("birth_on_raw", sa.Text(), server_default="", nullable=False),
        sa.Column("birthplace_text", sa.Text(), server_default="", nullable=False),
        sa.Column("nir_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("nir_index", sa.LargeBinary(), nullable=True),
        sa.Column("deceased_on", sa.Date(), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("first_key", sa.Text(collation="C"), server_default="", nullable=False),
    ):
        op.add_column("patient", column)
    op.create_index("ix_patient_name_key", "patient", ["name_key", "first_key"])
    op.create_index("ix_patient_nir_index", "patient", ["nir_index"], postgresql_where=sa.text("nir_index is not null"))
    op.add_column(
        "account", sa.Column("channels", postgresql.ARRAY(sa.Text()), server_default="{mail}", nullable=False)
    )
    op.add_column("bill", sa.Column("ipp", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_bill_unclaimed",
        "bill",
        ["establishment_id", "ipp"],
        postgresql_where=sa.text("patient_id is null and ipp <> ''"),
    )
    _write_keys()


def _write_keys() -> None:
    """Keys of the patients who are already here."""
    connection = op.get_bind()
    connection.execute(sa.text("select set_config('parvis.system', 'migration', true)"))
    found = connection.execute(sa.text("select id, birth_name, first_names from patient")).all()
    for patient in found:
        connection.execute(
            sa.text("update patient set name_key = :name, first_key = :first where id = :id"),
            {"id": patient.id, "name": _key(patient.birth_name), "first": _key((patient.first_names or [""])[0])},
        )


def _key(name: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", name).upper() if sign.isalnum())


def _create_contact() -> None:
    op.create_table(
        "contact_point",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('mail', 'mobile')", name=op.f("ck_contact_point_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_contact_point_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_point")),
    )
    op.create_index(
        "ix_contact_point_account_id_created_at", "contact_point", ["account_id", "created_at"], unique=False
    )
    op.create_index(
        "uq_contact_point_current",
        "contact_point",
        ["account_id", "kind"],
        unique=True,
        postgresql_where=sa.text("verified_at is not null and replaced_at is null"),
    )


def _create_links() -> None:
    op.create_table(
        "enrolment_link",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("record_patient_id", sa.Uuid(), nullable=False),
        sa.Column("ipp", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), server_default="", nullable=False),
        sa.Column("undo_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("proof in ('letter', 'number', 'agent', 'pushed')", name=op.f("ck_enrolment_link_proof")),
        sa.CheckConstraint("patient_id <> record_patient_id", name=op.f("ck_enrolment_link_two_descriptions")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_enrolment_link_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_enrolment_link_patient_id")),
        sa.ForeignKeyConstraint(
            ["record_patient_id"], ["patient.id"], name=op.f("fk_enrolment_link_record_patient_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_link")),
    )
    op.create_index(op.f("ix_enrolment_link_patient_id"), "enrolment_link", ["patient_id"], unique=False)
    op.create_index("ix_enrolment_link_record_patient_id", "enrolment_link", ["record_patient_id"], unique=False)
    op.create_index(
        "uq_enrolment_link_ipp",
        "enrolment_link",
        ["establishment_id", "ipp"],
        unique=True,
        postgresql_where=sa.text("undone_at is null"),
    )
    op.create_index(
        "uq_enrolment_link_patient_id",
        "enrolment_link",
        ["patient_id", "establishment_id"],
        unique=True,
        postgresql_where=sa.text("undone_at is null"),
    )
    op.create_table(
        "enrolment_move",
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_enrolment_move_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_move")),
    )
    op.create_index(op.f("ix_enrolment_move_cause_id"), "enrolment_move", ["cause_id"], unique=False)
    op.create_table(
        "enrolment_code",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_enrolment_code_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_enrolment_code_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_enrolment_code_digest")),
    )
    op.create_index(op.f("ix_enrolment_code_patient_id"), "enrolment_code", ["patient_id"], unique=False)


def _create_requests() -> None:
    op.create_table(
        "enrolment_request",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("record_patient_id", sa.Uuid(), nullable=True),
        sa.Column("doubt", sa.Text(), nullable=False),
        sa.Column("differs", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("decision in ('', 'linked', 'refused')", name=op.f("ck_enrolment_request_decision")),
        sa.CheckConstraint(
            "doubt in ('asked', 'traits_differ', 'already_linked')", name=op.f("ck_enrolment_request_doubt")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_enrolment_request_account_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_enrolment_request_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_enrolment_request_patient_id")),
        sa.ForeignKeyConstraint(
            ["record_patient_id"], ["patient.id"], name=op.f("fk_enrolment_request_record_patient_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_request")),
    )
    op.create_index(op.f("ix_enrolment_request_patient_id"), "enrolment_request", ["patient_id"], unique=False)
    op.create_index(
        "ix_enrolment_request_waiting",
        "enrolment_request",
        ["establishment_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("decided_at is null"),
    )
    op.create_index(
        "uq_enrolment_request_open",
        "enrolment_request",
        ["patient_id", "establishment_id"],
        unique=True,
        postgresql_where=sa.text("decided_at is null"),
    )
    op.create_table(
        "enrolment_try",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_enrolment_try_account_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_enrolment_try_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_try")),
    )
    op.create_index("ix_enrolment_try_account_id_at", "enrolment_try", ["account_id", "at"], unique=False)


def _create_duplicates() -> None:
    op.create_table(
        "possible_duplicate",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("older_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("differs", sa.Text(), server_default="", nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("moved_account_id", sa.Uuid(), nullable=True),
        sa.Column("kept_account_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "decision in ('', 'different', 'same', 'undone')", name=op.f("ck_possible_duplicate_decision")
        ),
        sa.CheckConstraint("kind in ('accounts', 'record')", name=op.f("ck_possible_duplicate_kind")),
        sa.CheckConstraint("patient_id <> older_id", name=op.f("ck_possible_duplicate_two_people")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_possible_duplicate_establishment_id")
        ),
        sa.ForeignKeyConstraint(
            ["kept_account_id"], ["account.id"], name=op.f("fk_possible_duplicate_kept_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["moved_account_id"], ["account.id"], name=op.f("fk_possible_duplicate_moved_account_id")
        ),
        sa.ForeignKeyConstraint(["older_id"], ["patient.id"], name=op.f("fk_possible_duplicate_older_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_possible_duplicate_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_possible_duplicate")),
        sa.UniqueConstraint(
            "establishment_id",
            "patient_id",
            "older_id",
            name=op.f("uq_possible_duplicate_establishment_id_patient_id_older_id"),
        ),
    )
    op.create_index(op.f("ix_possible_duplicate_older_id"), "possible_duplicate", ["older_id"], unique=False)
    op.create_index(op.f("ix_possible_duplicate_patient_id"), "possible_duplicate", ["patient_id"], unique=False)
    op.create_index(
        "ix_possible_duplicate_waiting",
        "possible_duplicate",
        ["establishment_id", "found_at"],
        unique=False,
        postgresql_where=sa.text("decided_at is null"),
    )


def _protect() -> None:
    unit = may.either(may.staff("identity"), may.SYSTEM)
    theirs = may.either(may.account(), may.SYSTEM)
    may.protect("contact_point", read=theirs, insert=theirs, update=theirs)
    may.protect("enrolment_link", read=may.either(may.own(), unit), insert=may.SYSTEM, update=may.SYSTEM)
    may.protect("enrolment_move", read=unit, insert=may.SYSTEM, delete=may.SYSTEM)
    may.protect("enrolment_code", read=unit, insert=unit, update=unit)
    may.protect(
        "enrolment_request",
        read=may.either(may.own(), unit),
        insert=may.either(may.both(may.own(), may.account()), may.SYSTEM),
        update=may.either(may.both(may.own(), may.account(), "decided_at is null"), unit),
    )
    may.protect("enrolment_try", read=theirs, insert=theirs, delete=may.SYSTEM)
    may.protect("possible_duplicate", read=unit, insert=may.SYSTEM, update=unit)


_COMPARED = (
    "exists (select 1 from enrolment_link l where l.record_patient_id = patient.id and "
    + may.staff("identity", "l.establishment_id")
    + ") or exists (select 1 from possible_duplicate d where patient.id in (d.patient_id, d.older_id) and "
    + may.staff("identity", "d.establishment_id")
    + ")"
)
_KNOWN = (
    "exists (select 1 from patient_record r where r.patient_id = patient_access.patient_id and "
    + may.staff("identity", "r.establishment_id")
    + ")"
)
_SOME_IDENTITY_UNIT = "(select current_setting('parvis.at_identity', true)) <> ''"
_SEEN_WRONGLY = (
    "exists (select 1 from enrolment_link l where l.patient_id = audit_event.patient_id"
    " and l.establishment_id = audit_event.establishment_id"
    " and audit_event.at between l.linked_at and l.undone_at and " + may.staff("identity", "l.establishment_id") + ")"
)


def _open_to_the_identity_unit() -> None:
    """Both descriptions of somebody, who acts for the patients of the hospital, what was seen through a wrong link."""
    op.execute(f"create policy patient_compared on patient for select using ({_COMPARED})")
    op.execute(f"create policy patient_access_of_unit on patient_access for select using ({_KNOWN})")
    holder = "exists (select 1 from patient_access a where a.account_id = account.id)"
    patients_own = may.both(_SOME_IDENTITY_UNIT, "audience = 'patient'", holder)
    op.execute(f"create policy account_of_unit on account for select using ({patients_own})")
    op.execute(f"create policy audit_event_undone on audit_event for select using ({_SEEN_WRONGLY})")


def _let_rows_move() -> None:
    """What a link carries: the system alone moves it. A change is read by whoever reads what changed."""
    op.execute(f"create policy claim_update on claim for update using ({may.SYSTEM}) with check ({may.SYSTEM})")
    op.execute(f"create policy patient_record_delete on patient_record for delete using ({may.SYSTEM})")
    op.execute("drop policy appointment_change_read on appointment_change")
    op.execute(
        "create policy appointment_change_read on appointment_change for select"
        " using (exists (select 1 from appointment a where a.id = appointment_id))"
    )


def downgrade() -> None:
    concerned = may.either(may.own(), may.staff("appointments"), may.SYSTEM)
    op.execute("drop policy appointment_change_read on appointment_change")
    op.execute(f"create policy appointment_change_read on appointment_change for select using ({concerned})")
    for table, policy in (
        ("claim", "claim_update"),
        ("patient_record", "patient_record_delete"),
        ("audit_event", "audit_event_undone"),
        ("account", "account_of_unit"),
        ("patient_access", "patient_access_of_unit"),
        ("patient", "patient_compared"),
    ):
        op.execute(f"drop policy {policy} on {table}")
    for table in _TABLES:
        op.drop_table(table)
    op.drop_index("ix_bill_unclaimed", "bill")
    op.drop_column("bill", "ipp")
    op.drop_column("account", "channels")
    op.drop_index("ix_patient_nir_index", "patient")
    op.drop_index("ix_patient_name_key", "patient")
    for column in (
        "first_key",
        "name_key",
        "deceased_on",
        "nir_index",
        "nir_sealed",
        "birthplace_text",
        "birth_on_raw",
    ):
        op.drop_column("patient", column)
