"""Referrals from the city to units: what units take, referrals, threads, and the right to read them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import policies as may

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_FUNCTIONS = ("open_web_session(bytea)", "open_machine_token(bytea)")
_KINDS = "kind in ('opinion', 'consultation', 'examination', 'day_hospital', 'hospitalisation', 'follow_up')"
_TABLES = ("referral_change", "referral_file", "referral_message", "referral_target", "referral", "referral_offer")


def upgrade() -> None:
    _know_the_right("'parvis.at_documents'", "'parvis.at_documents', 'parvis.at_referrals'")
    _create_referral_offer()
    _create_referral()
    _create_referral_target()
    _create_referral_message()
    _create_referral_file()
    _create_referral_change()
    _protect()
    _open_to_their_readers()


def downgrade() -> None:
    op.execute("drop policy stored_file_read_referral on stored_file")
    op.execute("drop policy questionnaire_read_referral on questionnaire")
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
    op.execute("drop function join_own_file")
    _know_the_right("'parvis.at_documents', 'parvis.at_referrals'", "'parvis.at_documents'")


def _know_the_right(former: str, new: str) -> None:
    """Who opens a session begins with no right at all: the list of rights to empty is the only change."""
    for function in _FUNCTIONS:
        written = op.get_bind().scalar(sa.text("select pg_get_functiondef(cast(:f as regprocedure))"), {"f": function})
        assert former in written, function
        op.get_bind().exec_driver_sql(written.replace(former, new).replace("%", "%%"))


def _create_referral_offer() -> None:
    op.create_table(
        "referral_offer",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("speciality", sa.Text(), server_default="", nullable=False),
        sa.Column("presentation", sa.Text(), server_default="", nullable=False),
        sa.Column("requires", sa.Text(), server_default="", nullable=False),
        sa.Column("age_from", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("age_to", sa.SmallInteger(), server_default="130", nullable=False),
        sa.Column("questionnaire", sa.Text(), server_default="", nullable=False),
        sa.Column("urgencies", JSONB(), server_default="[]", nullable=False),
        sa.Column("files", JSONB(), server_default="[]", nullable=False),
        sa.Column("usual_days", sa.SmallInteger(), nullable=True),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("escalate_to", sa.Text(), server_default="", nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(_KINDS, name=op.f("ck_referral_offer_kind")),
        sa.CheckConstraint("age_from <= age_to", name=op.f("ck_referral_offer_ages")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_referral_offer_establishment_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_referral_offer_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_offer")),
    )
    op.create_index(op.f("ix_referral_offer_establishment_id"), "referral_offer", ["establishment_id"])
    op.create_index(op.f("ix_referral_offer_unit_id"), "referral_offer", ["unit_id"])


def _create_referral() -> None:
    op.create_table(
        "referral",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("professional_id", sa.Uuid(), nullable=True),
        sa.Column("rpps", sa.Text(), server_default="", nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("urgency_label", sa.Text(), nullable=False),
        sa.Column("birth_name", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("birth_on", sa.Date(), nullable=False),
        sa.Column("sex", sa.Text(), server_default="", nullable=False),
        sa.Column("mobile", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("postal_address", sa.Text(), server_default="", nullable=False),
        sa.Column("patient_informed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("channel", sa.Text(), server_default="web", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(_KINDS, name=op.f("ck_referral_kind")),
        sa.CheckConstraint("professional_id is not null or rpps <> ''", name=op.f("ck_referral_author")),
        sa.ForeignKeyConstraint(["professional_id"], ["professional.id"], name=op.f("fk_referral_professional_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
        sa.UniqueConstraint("id", "professional_id", name=op.f("uq_referral_id_professional_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_referral_reference")),
    )
    op.create_index("ix_referral_professional_id_sent_at", "referral", ["professional_id", "sent_at"])
    op.create_index("ix_referral_rpps", "referral", ["rpps"], postgresql_where=sa.text("professional_id is null"))


def _create_referral_target() -> None:
    op.create_table(
        "referral_target",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("professional_id", sa.Uuid(), nullable=True),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sent_patient_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("questionnaire_id", sa.Uuid(), nullable=True),
        sa.Column("answers", sa.Text(), server_default="", nullable=False),
        sa.Column("answer_hours", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("advice", sa.Text(), server_default="", nullable=False),
        sa.Column("opinion", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome_id", sa.Uuid(), nullable=True),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_name", sa.Text(), server_default="", nullable=False),
        sa.Column("told_by", sa.Text(), server_default="", nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unit_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("professional_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "outcome_kind in ('', 'opinion', 'appointment', 'stay')", name=op.f("ck_referral_target_outcome_kind")
        ),
        sa.CheckConstraint(
            "state in ('waiting', 'received', 'asked', 'accepted', 'refused', 'redirected', 'completed', 'withdrawn', 'objected', 'lapsed')",
            name=op.f("ck_referral_target_state"),
        ),
        sa.CheckConstraint(
            "told_by in ('', 'account', 'post', 'phone', 'practitioner')", name=op.f("ck_referral_target_told_by")
        ),
        sa.ForeignKeyConstraint(["assigned_id"], ["account.id"], name=op.f("fk_referral_target_assigned_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_referral_target_establishment_id")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["referral_offer.id"], name=op.f("fk_referral_target_offer_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_referral_target_patient_id")),
        sa.ForeignKeyConstraint(
            ["professional_id"], ["professional.id"], name=op.f("fk_referral_target_professional_id")
        ),
        sa.ForeignKeyConstraint(["proposed_id"], ["referral_offer.id"], name=op.f("fk_referral_target_proposed_id")),
        sa.ForeignKeyConstraint(
            ["questionnaire_id"], ["questionnaire.id"], name=op.f("fk_referral_target_questionnaire_id")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id", "professional_id"],
            ["referral.id", "referral.professional_id"],
            name=op.f("fk_referral_target_referral_id_professional_id"),
        ),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_target_referral_id")),
        sa.ForeignKeyConstraint(
            ["sent_patient_id"], ["sent_patient.id"], name=op.f("fk_referral_target_sent_patient_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_referral_target_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_target")),
        sa.UniqueConstraint("referral_id", "offer_id", name=op.f("uq_referral_target_referral_id_offer_id")),
    )
    op.create_index(
        "ix_referral_target_answer_by",
        "referral_target",
        ["answer_by"],
        postgresql_where=sa.text("state in ('received', 'asked')"),
    )
    op.create_index(
        "ix_referral_target_establishment_id_received_at", "referral_target", ["establishment_id", "received_at"]
    )
    op.create_index(op.f("ix_referral_target_offer_id"), "referral_target", ["offer_id"])
    op.create_index(
        "ix_referral_target_patient_id",
        "referral_target",
        ["patient_id"],
        postgresql_where=sa.text("patient_id is not null"),
    )
    op.create_index("ix_referral_target_professional_id", "referral_target", ["professional_id"])
    op.create_index(op.f("ix_referral_target_referral_id"), "referral_target", ["referral_id"])
    op.create_index("ix_referral_target_tray", "referral_target", ["establishment_id", "state", "answer_by"])
    op.create_index("ix_referral_target_unit_id_state", "referral_target", ["unit_id", "state"])


def _create_referral_message() -> None:
    op.create_table(
        "referral_message",
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("for_patient", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sender in ('professional', 'unit')", name=op.f("ck_referral_message_sender")),
        sa.ForeignKeyConstraint(["target_id"], ["referral_target.id"], name=op.f("fk_referral_message_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_message")),
        comment="append-only",
    )
    op.create_index(op.f("ix_referral_message_target_id"), "referral_message", ["target_id"])


def _create_referral_file() -> None:
    op.create_table(
        "referral_file",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_referral_file_file_id")),
        sa.ForeignKeyConstraint(["message_id"], ["referral_message.id"], name=op.f("fk_referral_file_message_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_file_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_file")),
        comment="append-only",
    )
    op.create_index(op.f("ix_referral_file_file_id"), "referral_file", ["file_id"])
    op.create_index(op.f("ix_referral_file_message_id"), "referral_file", ["message_id"])
    op.create_index(op.f("ix_referral_file_referral_id"), "referral_file", ["referral_id"])


def _create_referral_change() -> None:
    op.create_table(
        "referral_change",
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_referral_change_establishment_id")
        ),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_change_referral_id")),
        sa.ForeignKeyConstraint(["target_id"], ["referral_target.id"], name=op.f("fk_referral_change_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_change")),
        comment="append-only",
    )
    op.create_index(op.f("ix_referral_change_target_id"), "referral_change", ["target_id"])


_REACHED = "received_at is not null"
_UNIT = may.both(may.staff("referrals"), _REACHED)
_SOME_PROFESSIONAL = "(select nullif(current_setting('parvis.professional', true), '')) is not null"
_SOME_STAFF = "(select current_setting('parvis.at_referrals', true)) <> ''"


def _of_target(table: str, *conditions: str) -> str:
    """A row that hangs on a request at a unit, which the actor sees."""
    return f"exists (select 1 from referral_target t where {may.both(f't.id = {table}.target_id', *conditions)})"


def _protect() -> None:
    """A request at a unit is its own lock; all the rest is seen through it."""
    held = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("referral_offer", read=may.ANYBODY, insert=held, update=held)
    mine = may.either(may.professional(), may.SYSTEM)
    target = may.either(mine, _UNIT, may.both(may.own(), _REACHED))
    may.protect("referral_target", read=target, insert=mine, update=target)
    may.restrain("referral_target", may.within("medical"))
    reached = "exists (select 1 from referral_target t where t.referral_id = referral.id)"
    may.protect("referral", read=may.either(mine, reached), insert=mine, update=may.SYSTEM)
    _protect_threads()


def _protect_threads() -> None:
    mine, unit = may.professional("t.professional_id"), may.staff("referrals", "t.establishment_id")
    message, change = "referral_message", "referral_change"
    own = may.both("for_patient", _of_target(message, may.own("t.patient_id")))
    may.protect(
        message,
        read=may.either(_of_target(message, may.either(mine, unit)), own, may.SYSTEM),
        insert=may.either(
            may.both("sender = 'professional'", _of_target(message, mine)),
            may.both("sender = 'unit'", _of_target(message, unit)),
            may.SYSTEM,
        ),
    )
    seen = _of_target(change)
    may.protect(change, read=may.either(seen, may.SYSTEM), insert=may.either(may.both(may.actor(), seen), may.SYSTEM))
    of_message = "exists (select 1 from referral_message m where m.id = message_id and m.target_id = t.id)"
    whole = may.either(mine, may.both(unit, "t.received_at is not null"))
    of_target = may.both(
        "t.referral_id = referral_file.referral_id", whole, may.either("message_id is null", of_message)
    )
    theirs = f"exists (select 1 from referral_target t where {of_target})"
    may.protect("referral_file", read=may.either(theirs, may.SYSTEM), insert=may.either(theirs, may.SYSTEM))
    op.execute(_JOIN_OWN_FILE)
    op.execute(
        "create trigger referral_file_own before insert on referral_file for each row execute function join_own_file()"
    )


# Whoever reads a request opens its files: nobody may join one that they do not see themselves. A trigger and no policy,
# since the policies of stored_file read this table.
_JOIN_OWN_FILE = """
create function join_own_file() returns trigger language plpgsql as $$
begin
  if not exists (select 1 from stored_file f where f.id = new.file_id) then
    raise insufficient_privilege using message = 'row-level security shows no such file';
  end if;
  return new;
end $$
"""


def _open_to_their_readers() -> None:
    """Whoever reads a request opens its files; whoever writes or reads one knows the unit's own questions."""
    joined = "exists (select 1 from referral_file f where f.file_id = stored_file.id)"
    readers = may.either(_SOME_PROFESSIONAL, _SOME_STAFF)
    op.execute(f"create policy stored_file_read_referral on stored_file for select using ({may.both(readers, joined)})")
    asked = may.either(
        "exists (select 1 from referral_offer o where o.questionnaire = questionnaire.code"
        " and o.establishment_id = questionnaire.establishment_id)",
        "exists (select 1 from referral_target t where t.questionnaire_id = questionnaire.id)",
    )
    published = may.both("state <> 'draft'", asked)
    op.execute(
        f"create policy questionnaire_read_referral on questionnaire for select using ({may.both(readers, published)})"
    )
