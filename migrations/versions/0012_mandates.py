"""Mandates, how far they reach, and what is kept from those who act for somebody.

One restrictive policy a table says what a proxy sees of a person's rows: those of the matters of their mandate, and
none that is masked. Restrictive policies hold whatever the others allow, those of later migrations included; for
whoever acts for nobody else they are always true.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MASKABLE = {
    "appointment": "administrative",
    "preadmission": "administrative",
    "document": "medical",
    "bill": "payment",
}
"""Table → the matter of a mandate that reaches it."""


def upgrade() -> None:
    _create_mandate()
    _create_change()
    _protect()
    op.execute(_ACCOUNTS_ACTING_FOR)
    _restrain()
    _adopt_accesses()


def _create_mandate() -> None:
    op.create_table(
        "mandate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("establishment_id", sa.Uuid(), nullable=True),
        sa.Column("proxy_name", sa.Text(), server_default="", nullable=False),
        sa.Column("person_name", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "scopes", postgresql.ARRAY(sa.Text()), server_default="{administrative,medical,payment}", nullable=False
        ),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="Europe/Paris", nullable=False),
        sa.Column("asked_birth_name", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_first_names", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_birth_on", sa.Date(), nullable=True),
        sa.Column("asked_ends_on", sa.Date(), nullable=True),
        sa.Column("judged_on", sa.Date(), nullable=True),
        sa.Column("sole_authority", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("proof_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("proof_file_id", sa.Uuid(), nullable=True),
        sa.Column("checked_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("carer_name", sa.Text(), server_default="", nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prompted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('parent', 'guardian', 'curator', 'carer')", name=op.f("ck_mandate_kind")),
        sa.CheckConstraint(
            "state in ('requested', 'offered', 'active', 'refused', 'withdrawn', 'lapsed', 'ended', 'expired',"
            " 'revoked', 'given_up')",
            name=op.f("ck_mandate_state"),
        ),
        sa.CheckConstraint(
            "state <> 'active' or (account_id is not null and patient_id is not null)",
            name=op.f("ck_mandate_active_is_whole"),
        ),
        sa.CheckConstraint("kind = 'carer' or establishment_id is not null", name=op.f("ck_mandate_checked_somewhere")),
        sa.CheckConstraint("state <> 'active' or ends_on is not null", name=op.f("ck_mandate_active_ends")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mandate_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_mandate_patient_id")),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f("fk_mandate_establishment_id")),
        sa.ForeignKeyConstraint(["proof_file_id"], ["stored_file.id"], name=op.f("fk_mandate_proof_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_mandate_code_digest")),
    )
    op.create_index(op.f("ix_mandate_account_id"), "mandate", ["account_id"])
    op.create_index(op.f("ix_mandate_patient_id"), "mandate", ["patient_id"])
    op.create_index("ix_mandate_establishment_id_state", "mandate", ["establishment_id", "state"])
    op.create_index(
        "ix_mandate_ends_on", "mandate", ["ends_on"], postgresql_where=sa.text("state in ('active', 'offered')")
    )
    op.create_index(
        "uq_mandate_one_active",
        "mandate",
        ["account_id", "patient_id"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )


def _create_change() -> None:
    op.create_table(
        "mandate_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mandate_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), server_default="", nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["mandate_id"], ["mandate.id"], name=op.f("fk_mandate_change_mandate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate_change")),
        comment="append-only",
    )
    op.create_index(op.f("ix_mandate_change_mandate_id"), "mandate_change", ["mandate_id"])


def _protect() -> None:
    """Whoever acts, the person in person and the identity unit of the hospital that checks see a mandate.

    Whoever acts only asks and gives up, the person only designates and takes back: nobody makes a mandate active by
    themselves, since the system and the identity unit alone may write it.
    """
    checkers = may.either(may.staff("identity"), may.SYSTEM)
    may.protect(
        "mandate",
        read=may.either(may.account(), may.oneself(), checkers),
        insert=may.either(
            may.both(may.account(), "state = 'requested'", "patient_id is null"),
            may.both(may.oneself(), "state = 'offered'", "kind = 'carer'"),
            checkers,
        ),
    )
    given_up = may.both(may.account(), "state in ('withdrawn', 'given_up')")
    taken_back = may.both(may.oneself(), "state in ('withdrawn', 'revoked')")
    op.execute(
        "create policy mandate_update on mandate for update"
        f" using ({may.either(may.account(), may.oneself(), checkers)})"
        f" with check ({may.either(given_up, taken_back, checkers)})"
    )
    seen = "exists (select 1 from mandate m where m.id = mandate_id)"
    may.protect("mandate_change", read=seen, insert=may.both(may.either(may.actor(), may.SYSTEM), seen))
    proof = may.both("staff_right = 'identity'", may.staff("identity"))
    op.execute(f"create policy stored_file_proof on stored_file for select using ({proof})")


# Who may be told something of a person is asked by agents, jobs and the other parent, who see nobody's accesses.
_ACCOUNTS_ACTING_FOR = """
create function accounts_acting_for(person uuid)
returns table (account_id uuid, name text, email text, locale text, relation text, scopes text[], sole boolean)
language plpgsql as $$
declare
  former text := coalesce(current_setting('parvis.system', true), '');
begin
  perform set_config('parvis.system', 'auth.accounts_acting_for', true);
  return query
    select a.id, a.name, a.email, a.locale, p.relation, p.scopes,
           exists (select 1 from mandate m where m.account_id = a.id and m.patient_id = person
                   and m.state = 'active' and m.sole_authority)
    from patient_access p join account a on a.id = p.account_id
    where p.patient_id = person and p.revoked_at is null and a.closed_at is null
      and (p.starts_on is null or p.starts_on <= (now() at time zone p.time_zone)::date)
      and (p.ends_on is null or p.ends_on >= (now() at time zone p.time_zone)::date)
    order by p.relation = 'self' desc, a.created_at, a.id;
  perform set_config('parvis.system', former, true);
end $$
"""


def _restrain() -> None:
    for table, scope in _MASKABLE.items():
        op.add_column(table, sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False))
        may.restrain(table, may.within(scope, unless_masked=True))
    # A claim tells that an hour is taken, which whoever books must learn; it says neither where nor why.
    may.restrain("claim", may.within("administrative"))
    may.restrain("appointment_change", _seen_through("appointment", "appointment_id"))
    # A piece may be written before its folder, in the same transaction.
    may.restrain("piece", _seen_through("preadmission", "folder_id"), command="select")
    may.restrain("piece", may.within("administrative"), name="scope")
    may.restrain("document_reading", _seen_through("document", "document_id"))
    may.restrain("emergency_access", may.within("medical"), command="select")
    may.restrain("patient_access", may.either(f"not {may.proxied()}", may.account()), command="select")
    may.restrain("stored_file", may.either("patient_id is null", f"not {may.proxied()}", may.account(), _OPENED_FROM),
                 command="select")  # fmt: skip
    may.restrain("audit_event", may.either("patient_id is null", f"not {may.proxied()}", _KNOWN_OBJECT),
                 command="select")  # fmt: skip
    for table, column in (("document", "file_id"), ("document", "content_id"), ("piece", "file_id")):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _exists(table: str, condition: str) -> str:
    """A row that the actor sees: that table's own policies apply inside."""
    return f"exists (select 1 from {table} o where {condition})"


def _seen_through(table: str, column: str) -> str:
    """A proxy sees what hangs on a row when they see that row."""
    return may.either("patient_id is null", f"not {may.proxied()}", _exists(table, f"o.id = {column}"))


_OPENED_FROM = may.either(
    _exists("document", "o.file_id = stored_file.id"),
    _exists("document", "o.content_id = stored_file.id"),
    _exists("piece", "o.file_id = stored_file.id"),
)
"""Somebody else's file is opened from a letter or a piece that the proxy sees, and from nowhere else."""

_KNOWN_OBJECT = (
    "case object_kind"
    f" when 'appointment' then {_exists('appointment', 'o.id = audit_event.object_id')}"
    f" when 'preadmission' then {_exists('preadmission', 'o.id = audit_event.object_id')}"
    f" when 'folder' then {_exists('preadmission', 'o.id = audit_event.object_id')}"
    f" when 'piece' then {_exists('piece', 'o.id = audit_event.object_id')}"
    f" when 'document' then {_exists('document', 'o.id = audit_event.object_id')}"
    f" when 'bill' then {_exists('bill', 'o.id = audit_event.object_id')}"
    f" when 'patient' then {may.within('administrative')}"
    f" else {may.actor()} end"
)
"""Of somebody else's journal, a proxy reads what was done to things they see, and what they did themselves."""


def _adopt_accesses() -> None:
    """Accesses given before mandates existed get one; a parent's ends at majority from now on."""
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("""
        update patient_access a set ends_on = (
            select case when extract(month from p.birth_on) = 2 and extract(day from p.birth_on) = 29
                        then (p.birth_on + interval '18 years')::date
                        else (p.birth_on + interval '18 years')::date - 1 end
            from patient p where p.id = a.patient_id)
        where a.relation = 'parent' and a.ends_on is null""")
    op.execute("""
        insert into mandate (id, kind, state, account_id, patient_id, establishment_id, proxy_name, person_name, scopes,
                             starts_on, ends_on, time_zone, asked_at, changed_at)
        select gen_random_uuid(), a.relation, case when a.revoked_at is null then 'active' else 'revoked' end,
               a.account_id, a.patient_id, coalesce(r.establishment_id, (select e.id from establishment e order by e.finess limit 1)),
               c.name, p.first_names[1] || ' ' || coalesce(nullif(p.used_name, ''), p.birth_name), a.scopes,
               a.starts_on, coalesce(a.ends_on, (now() + interval '1 year')::date), a.time_zone, a.created_at, now()
        from patient_access a join account c on c.id = a.account_id join patient p on p.id = a.patient_id
        left join lateral (select establishment_id from patient_record r where r.patient_id = p.id
                           order by r.created_at limit 1) r on true
        where a.relation <> 'self'""")


def downgrade() -> None:
    for table, column in (("document", "file_id"), ("document", "content_id"), ("piece", "file_id")):
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
    for table in (
        "audit_event",
        "stored_file",
        "patient_access",
        "emergency_access",
        "document_reading",
        "piece",
        "appointment_change",
        "claim",
        *_MASKABLE,
    ):
        op.execute(f"drop policy {table}_mandate on {table}")
    op.execute("drop policy piece_scope on piece")
    for table in _MASKABLE:
        op.drop_column(table, "masked")
    op.execute("drop policy stored_file_proof on stored_file")
    op.execute("drop function accounts_acting_for(uuid)")
    op.drop_table("mandate_change")
    op.drop_table("mandate")
