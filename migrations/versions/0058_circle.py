"""The patient's circle: care team, treating doctor, consents, accesses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

_TABLES = ("circle_change", "circle_member", "circle_code", "circle_proposal", "circle_choice")
_ROLES = (
    "role in ('treating_doctor', 'doctor', 'nurse', 'pharmacist', 'midwife', 'dentist', 'physiotherapist',"
    " 'psychologist', 'coordinator', 'home_care', 'other')"
)
_STANDINGS = "standing in ('team', 'outside')"
_SCOPES = "scopes <@ '{documents,appointments,referrals}'::text[]"
_HIDDEN = "visibility && '{MASQUE_PS,INVISIBLE_PATIENT,INVISIBLE_REP_LEGAUX,CONNEXION_SECRETE}'::text[]"

# The professional who is signed in, in person: whoever acts in their stead has an account of their own.
_ME = (
    "(select case when p.rpps <> '' then '8' || p.rpps else p.subject_name_id end from professional p"
    " where p.account_id = (select nullif(current_setting('parvis.account', true), '')::uuid))"
)
_LIVE = (
    "state = 'active' and identity <> '' and not closed_by_death and cardinality(scopes) > 0"
    " and (until_at is null or until_at > now())"
)


def _in_circle(scope: str, column: str = "patient_id") -> str:
    """Rows of patients who let the signed-in professional see this; found once a statement."""
    let = f"select array_agg(m.patient_id) from circle_member m where m.identity = {_ME} and {_LIVE} and '{scope}' = any (m.scopes)"
    return f"coalesce({column} = any ((select ({let}))::uuid[]), false)"


def upgrade() -> None:
    _create_proposal()
    _create_member()
    _create_change()
    _create_code_and_choice()
    _protect()
    op.execute(_CLOSE_AT_DEATH)
    op.execute(
        "create trigger patient_circle after update of deceased_on on patient for each row"
        " when (old.deceased_on is distinct from new.deceased_on) execute function close_circle_at_death()"
    )
    _open_to_circle()
    _show_journal_of(*_KNOWN, *_MEDICAL)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _scopes(**options: str) -> sa.Column[object]:
    return sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False, **options)


def _foreign(table: str, column: str, other: str, **options: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"), **options)


def _check(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(text, name=op.f(f"ck_{table}_{name}")) for name, text in conditions.items()]


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def _create_member() -> None:
    table = "circle_member"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        *_text("identity", "name", "occupation", "place", "role", "standing", "state", "origin"),
        _scopes(server_default="{}"),
        *_text("why", "patient_name"),
        sa.Column("patient_birth_on", sa.Date(), nullable=True),
        *(sa.Column(f"{other}_id", sa.Uuid(), nullable=True) for other in ("establishment", "proposal", "account")),
        _moment("created_at", nullable=False),
        *(_moment(f"{name}_at") for name in ("since", "until", "ended", "first_opened")),
        sa.Column("closed_by_death", sa.Boolean(), server_default="false", nullable=False),
        *_check(
            table,
            role=_ROLES,
            standing=_STANDINGS,
            state="state in ('asked', 'active', 'objected', 'refused', 'ended')",
            origin="origin in ('patient', 'code', 'practitioner', 'hospital')",
            scopes=_SCOPES,
        ),
        *(_foreign(table, f"{other}_id", other) for other in ("patient", "establishment", "account")),
        _foreign(table, "proposal_id", "circle_proposal", ondelete="set null"),
        _key(table),
    )
    op.create_index(op.f("ix_circle_member_patient_id"), table, ["patient_id"])
    active = sa.text("state = 'active'")
    op.create_index("ix_circle_member_identity", table, ["identity"], postgresql_where=active)
    standing = sa.text("role = 'treating_doctor' and state in ('active', 'objected')")
    op.create_index("uq_circle_member_treating", table, ["patient_id"], unique=True, postgresql_where=standing)
    known = sa.text("identity <> '' and state in ('asked', 'active', 'objected')")
    op.create_index("uq_circle_member_once", table, ["patient_id", "identity"], unique=True, postgresql_where=known)


def _create_change() -> None:
    table = "circle_change"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        *_text("code", "from_state", "to_state"),
        _scopes(server_default="{}"),
        _moment("until_at"),
        *_text("actor", "actor_name"),
        _moment("at", nullable=False),
        _foreign(table, "member_id", "circle_member"),
        _key(table),
    )
    op.create_index(op.f("ix_circle_change_member_id"), table, ["member_id"])
    op.execute(f"comment on table {table} is 'append-only'")


def _create_code_and_choice() -> None:
    table = "circle_code"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(f"{other}_id", sa.Uuid(), nullable=False) for other in ("account", "patient")),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_text("role", "standing"),
        _scopes(),
        _moment("until_at"),
        *(_moment(f"{name}_at", nullable=False) for name in ("created", "expires")),
        _moment("used_at"),
        *_check(table, role=_ROLES, standing=_STANDINGS, scopes=_SCOPES),
        *(_foreign(table, f"{other}_id", other) for other in ("account", "patient")),
        _key(table),
        sa.UniqueConstraint("digest", name=op.f("uq_circle_code_digest")),
    )
    op.create_index(op.f("ix_circle_code_patient_id"), table, ["patient_id"])
    op.create_table(
        "circle_choice",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        _moment("no_treating_doctor_at"),
        _foreign("circle_choice", "patient_id", "patient"),
        sa.PrimaryKeyConstraint("patient_id", name=op.f("pk_circle_choice")),
    )


def _create_proposal() -> None:
    table = "circle_proposal"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        *_text("identity", "name", "occupation", "place", "role", "why", "birth_name", "first_name"),
        sa.Column("birth_on", sa.Date(), nullable=False),
        *_text("sex"),
        *(_moment(f"{name}_at", nullable=False) for name in ("created", "expires")),
        *(_moment(f"{name}_at") for name in ("looked", "withdrawn")),
        *_check(table, role=_ROLES),
        _foreign(table, "account_id", "account"),
        _key(table),
    )
    op.create_index(op.f("ix_circle_proposal_account_id"), table, ["account_id"])


def _protect() -> None:
    """The patient writes; a professional reads where they are let in, and nothing of what was refused them."""
    mine = may.either(may.own(), may.SYSTEM)
    may.protect("circle_member", read=may.either(mine, may.both(f"identity = {_ME}", _LIVE)), insert=mine, update=mine)
    # The member's own policies apply inside, the mandate's included.
    theirs = f"exists (select 1 from circle_member m where m.id = member_id and {may.own('m.patient_id')})"
    seen = may.either(theirs, may.SYSTEM)
    may.protect("circle_change", read=seen, insert=may.both(seen, may.either(may.actor(), may.SYSTEM)))
    by_me = may.both(may.own(), may.account())
    may.protect("circle_code", read=may.either(by_me, may.SYSTEM), write=may.either(by_me, may.SYSTEM))
    may.protect("circle_choice", read=mine, write=mine)
    asker = may.either(may.both(may.account(), f"identity = {_ME}"), may.SYSTEM)
    may.protect("circle_proposal", read=asker, insert=asker, update=asker, delete=may.SYSTEM)
    for table in ("circle_member", "circle_code", "circle_choice"):
        may.restrain(table, may.within("medical"))


# Nobody sees a dead person's file by their consent; when the death is undone, everything is as it was.
_CLOSE_AT_DEATH = """
create function close_circle_at_death() returns trigger language plpgsql as $$
declare
  former text := coalesce(current_setting('parvis.system', true), '');
begin
  perform set_config('parvis.system', 'circle.death', true);
  update circle_member set closed_by_death = new.deceased_on is not null where patient_id = new.id;
  perform set_config('parvis.system', former, true);
  return null;
end $$
"""


def _open_to_circle() -> None:
    """What professionals of the circle read elsewhere. A document: the version in force, shown to its patient, and
    kept from nobody by anybody."""
    shown = f"state = 'filed' and not masked and confidentiality = 'N' and visible_at <= now() and not ({_HIDDEN})"
    op.execute(
        f"create policy document_circle on document for select using ({may.both(shown, _in_circle('documents'))})"
    )
    opened = may.either(
        *(
            f"exists (select 1 from document o where o.{column} = stored_file.id)"
            for column in ("file_id", "content_id")
        )
    )
    op.execute(
        "create policy stored_file_circle on stored_file for select using"
        f" ({may.both(_in_circle('documents'), opened)})"
    )
    coming = may.both("state = 'booked' and not masked and end_at > now()", _in_circle("appointments"))
    op.execute(f"create policy appointment_circle on appointment for select using ({coming})")


_KNOWN = (
    ("appointment", "appointment"), ("preadmission", "preadmission"), ("folder", "preadmission"), ("piece", "piece"),
    ("document", "document"), ("bill", "bill"),
)  # fmt: skip
"""Kind of an object in the journal → its table."""
_MEDICAL = (("circle_member", "circle_member"), ("referral_target", "referral_target"))


def _show_journal_of(*kinds: tuple[str, str]) -> None:
    """Of somebody else's journal, a proxy reads what was done to things they see, and what they did themselves."""
    op.execute("drop policy audit_event_mandate on audit_event")
    seen = " ".join(
        f"when '{kind}' then (exists (select 1 from {table} o where o.id = audit_event.object_id))"
        for kind, table in kinds
    )
    known = f"case object_kind {seen} when 'patient' then {may.within('administrative')} else {may.actor()} end"
    may.restrain("audit_event", may.either("patient_id is null", f"not {may.proxied()}", known), command="select")


def downgrade() -> None:
    _show_journal_of(*_KNOWN)
    for table in ("document", "stored_file", "appointment"):
        op.execute(f"drop policy {table}_circle on {table}")
    op.execute("drop trigger patient_circle on patient")
    op.execute("drop function close_circle_at_death")
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
