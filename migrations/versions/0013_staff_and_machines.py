"""Agents with several doors, units and rights that wait for a second administrator; emergencies; machines.

The two-administrators rule is also a policy: an administrator cannot write the right to administer or to read the
journal for anybody unless they confirmed somebody else's request for it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NEW_TABLES = (
    "machine_use", "machine_assertion", "machine_token", "machine", "dormancy_notice", "right_request", "staff_unit",
)  # fmt: skip
_OPEN_IN_EMERGENCY = {
    "appointment": "",
    "preadmission": "submitted_at is not null",
    "document": "state in ('filed', 'superseded')",
    "stored_file": "staff_right = 'documents'",
}
"""What an emergency shows, and the rows of it that concern the hospital."""


def upgrade() -> None:
    _extend_identities()
    _extend_invitations()
    _extend_emergencies()
    _create_staff_unit()
    _create_right_request()
    _create_dormancy_notice()
    _create_machine()
    _create_machine_ledgers()
    _ask_two_administrators()
    op.execute(_OPEN_MACHINE)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _foreign(table: str, column: str, other: str, **options: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"), **options)


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _extend_identities() -> None:
    op.add_column("identity", sa.Column("as_staff", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("identity", _text("acr"))
    op.add_column("identity", _text("amr"))
    op.drop_constraint("uq_identity_issuer_subject", "identity")
    op.create_unique_constraint(
        op.f("uq_identity_issuer_subject_as_staff"), "identity", ["issuer", "subject", "as_staff"]
    )
    of_my_agents = f"exists (select 1 from staff_right r where r.account_id = identity.account_id and {may.staff('administration', 'r.establishment_id')})"
    op.execute(f"create policy identity_agents on identity for select using ({of_my_agents})")


def _extend_invitations() -> None:
    for column in (
        _text("provider", "proconnect"),
        _text("siret"),
        _text("subject_name_id"),
        sa.Column("unit_ids", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
    ):
        op.add_column("staff_invitation", column)
    for column in ("account_id", "invited_by"):
        op.create_foreign_key(op.f(f"fk_staff_invitation_{column}"), "staff_invitation", "account", [column], ["id"])
    op.create_index(op.f("ix_staff_invitation_account_id"), "staff_invitation", ["account_id"])


def _extend_emergencies() -> None:
    op.add_column("emergency_access", _text("kind", "other"))
    op.add_column("emergency_access", sa.Column("justified", sa.Boolean(), nullable=True))
    for table, concerned in _OPEN_IN_EMERGENCY.items():
        opened = may.both(may.emergency(table), concerned) if concerned else may.emergency(table)
        op.execute(f"create policy {table}_emergency on {table} for select using ({opened})")
    # Auditors read who opened a file and who judged it, and no other account.
    concerned = may.both(
        may.either("e.account_id = account.id", "e.reviewed_by = account.id"), may.staff("audit", "e.establishment_id")
    )
    op.execute(
        "create policy account_emergencies on account for select using"
        f" (audience = 'staff' and exists (select 1 from emergency_access e where {concerned}))"
    )


def _create_staff_unit() -> None:
    op.create_table(
        "staff_unit",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        _foreign("staff_unit", "account_id", "account"),
        _foreign("staff_unit", "unit_id", "unit"),
        _foreign("staff_unit", "establishment_id", "establishment"),
        sa.PrimaryKeyConstraint("account_id", "unit_id", name=op.f("pk_staff_unit")),
    )
    op.create_index(op.f("ix_staff_unit_establishment_id"), "staff_unit", ["establishment_id"])
    mine = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("staff_unit", read=may.either(may.account(), mine), insert=mine, delete=mine)


def _create_right_request() -> None:
    op.create_table(
        "right_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("right", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        _moment("requested_at"),
        _moment("expires_at"),
        _text("outcome"),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        _moment("decided_at", nullable=True),
        sa.CheckConstraint(
            "outcome in ('', 'confirmed', 'refused', 'withdrawn', 'lapsed')", name=op.f("ck_right_request_outcome")
        ),
        sa.CheckConstraint(
            "outcome <> 'confirmed' or (decided_by is not null and decided_by not in (requested_by, account_id))",
            name=op.f("ck_right_request_two_people"),
        ),
        _foreign("right_request", "establishment_id", "establishment"),
        _foreign("right_request", "account_id", "account"),
        _foreign("right_request", "requested_by", "account"),
        _foreign("right_request", "decided_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_right_request")),
    )
    op.create_index(op.f("ix_right_request_establishment_id"), "right_request", ["establishment_id"])
    op.create_index(
        "uq_right_request_waiting",
        "right_request",
        ["account_id", "establishment_id", "right"],
        unique=True,
        postgresql_where=sa.text("outcome = ''"),
    )
    administrators = may.staff("administration")
    may.protect(
        "right_request",
        read=may.either(may.account(), administrators, may.SYSTEM),
        insert=may.either(may.both(administrators, may.account("requested_by"), "outcome = ''"), may.SYSTEM),
        update=may.either(administrators, may.SYSTEM),
    )


def _ask_two_administrators() -> None:
    """Replaces the policy of the foundations, under which one administrator was enough."""
    confirmed = may.both(
        "q.account_id = staff_right.account_id",
        "q.establishment_id = staff_right.establishment_id",
        'q."right" = staff_right."right"',
        "q.outcome = 'confirmed'",
        "q.decided_at > now() - interval '5 minutes'",
        may.account("q.decided_by"),
    )
    allowed = may.either(
        "\"right\" not in ('administration', 'audit')", f"exists (select 1 from right_request q where {confirmed})"
    )
    op.execute("drop policy staff_right_insert on staff_right")
    op.execute("drop policy staff_right_update on staff_right")
    insert = may.either(may.both(may.staff("administration"), allowed), may.SYSTEM)
    op.execute(f"create policy staff_right_insert on staff_right for insert with check ({insert})")
    op.execute(f"create policy staff_right_update on staff_right for update using ({may.SYSTEM})")
    # Row locks (`select … for update`) ask for the right to update as well.
    held = may.staff("administration")
    op.execute(f"create policy staff_right_lock on staff_right for update using ({held}) with check (false)")


def _create_dormancy_notice() -> None:
    op.create_table(
        "dormancy_notice",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _moment("told_at"),
        _foreign("dormancy_notice", "account_id", "account"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_dormancy_notice")),
    )
    may.protect("dormancy_notice", read=may.either(may.account(), may.SYSTEM), write=may.SYSTEM)


def _create_machine() -> None:
    op.create_table(
        "machine",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=True),
        sa.Column("jwks", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("quota_per_hour", sa.Integer(), nullable=False),
        _moment("created_at"),
        _moment("expires_at", nullable=True),
        _moment("revoked_at", nullable=True),
        _moment("last_used_at", nullable=True),
        sa.CheckConstraint("(secret_digest is null) <> (jwks is null)", name=op.f("ck_machine_one_proof")),
        sa.CheckConstraint("quota_per_hour > 0", name=op.f("ck_machine_quota")),
        _foreign("machine", "establishment_id", "establishment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machine")),
        sa.UniqueConstraint("client_id", name=op.f("uq_machine_client_id")),
    )
    op.create_index(op.f("ix_machine_establishment_id"), "machine", ["establishment_id"])
    mine = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("machine", read=mine, insert=mine, update=mine)


def _create_machine_ledgers() -> None:
    """Tokens, used assertions and counts: read and written by the system alone."""
    op.create_table(
        "machine_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("machine_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rights", postgresql.ARRAY(sa.Text()), nullable=False),
        _moment("issued_at"),
        _moment("expires_at"),
        _foreign("machine_token", "machine_id", "machine", ondelete="cascade"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_machine_token")),
    )
    op.create_index(op.f("ix_machine_token_machine_id"), "machine_token", ["machine_id"])
    op.create_index(op.f("ix_machine_token_expires_at"), "machine_token", ["expires_at"])
    op.create_table(
        "machine_assertion",
        sa.Column("machine_id", sa.Uuid(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        _moment("expires_at"),
        _foreign("machine_assertion", "machine_id", "machine", ondelete="cascade"),
        sa.PrimaryKeyConstraint("machine_id", "jti", name=op.f("pk_machine_assertion")),
    )
    op.create_index(op.f("ix_machine_assertion_expires_at"), "machine_assertion", ["expires_at"])
    op.create_table(
        "machine_use",
        sa.Column("machine_id", sa.Uuid(), nullable=False),
        _moment("hour"),
        sa.Column("backend", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        _foreign("machine_use", "machine_id", "machine", ondelete="cascade"),
        sa.PrimaryKeyConstraint("machine_id", "hour", "backend", name=op.f("pk_machine_use")),
    )
    for table in ("machine_token", "machine_assertion", "machine_use"):
        may.protect(table, read=may.SYSTEM, write=may.SYSTEM)


# As `open_web_session` for browsers: one round trip finds the machine, counts the call and declares the actor.
_OPEN_MACHINE = """
create function open_machine_token(token_digest bytea)
returns table (state text, machine_id uuid, name text, establishment_id uuid, scopes text[], rights text[],
               expires_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  held machine_token;
  caller machine;
  used bigint;
begin
  perform set_config(key, '', true) from unnest(array[
    'parvis.actor', 'parvis.account', 'parvis.professional', 'parvis.patients', 'parvis.proxied',
    'parvis.for_administrative', 'parvis.for_medical', 'parvis.for_payment', 'parvis.emergency',
    'parvis.establishments', 'parvis.at_appointments', 'parvis.at_preadmission', 'parvis.at_billing',
    'parvis.at_documents', 'parvis.at_identity', 'parvis.at_administration', 'parvis.at_audit']) key;
  perform set_config('parvis.actor', 'anonymous', true);
  perform set_config('parvis.system', 'machines.open_token', true);

  select * into held from machine_token t where t.digest = token_digest;
  select * into caller from machine m where m.id = held.machine_id;
  state := case when caller.id is not null and held.expires_at > now() and caller.revoked_at is null
                     and (caller.expires_at is null or caller.expires_at > now()) then 'open' else 'ended' end;
  if state = 'open' and not current_setting('transaction_read_only')::boolean then
    insert into machine_use as u (machine_id, hour, backend, calls)
      values (caller.id, date_trunc('hour', now(), 'UTC'), pg_backend_pid(), 1)
      on conflict (machine_id, hour, backend) do update set calls = u.calls + 1;
    select sum(u.calls) into used from machine_use u
      where u.machine_id = caller.id and u.hour = date_trunc('hour', now(), 'UTC');
    if used > caller.quota_per_hour then
      state := 'over_quota';
    elsif caller.last_used_at is null or caller.last_used_at < now() - interval '1 minute' then
      update machine m set last_used_at = now() where m.id = caller.id;
    end if;
  end if;
  if state = 'open' then
    machine_id := caller.id; name := caller.name; establishment_id := caller.establishment_id;
    scopes := held.scopes; rights := held.rights; expires_at := held.expires_at;
    perform set_config('parvis.at_' || code, caller.establishment_id::text, true) from unnest(held.rights) code;
    perform set_config('parvis.actor', 'machine:' || caller.id, true);
    if cardinality(held.rights) > 0 then
      perform set_config('parvis.establishments', caller.establishment_id::text, true);
    end if;
  end if;
  perform set_config('parvis.system', '', true);
  return next;
end $$
"""


def downgrade() -> None:
    op.execute("drop function open_machine_token(bytea)")
    _ask_one_administrator()
    for table in _NEW_TABLES:
        op.drop_table(table)
    for table in _OPEN_IN_EMERGENCY:
        op.execute(f"drop policy {table}_emergency on {table}")
    op.execute("drop policy account_emergencies on account")
    for column in ("justified", "kind"):
        op.drop_column("emergency_access", column)
    for column in ("invited_by", "account_id", "unit_ids", "subject_name_id", "siret", "provider"):
        op.drop_column("staff_invitation", column)
    op.execute("drop policy identity_agents on identity")
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("delete from identity where as_staff")
    op.drop_constraint("uq_identity_issuer_subject_as_staff", "identity")
    op.create_unique_constraint(op.f("uq_identity_issuer_subject"), "identity", ["issuer", "subject"])
    for column in ("amr", "acr", "as_staff"):
        op.drop_column("identity", column)


def _ask_one_administrator() -> None:
    """The foundations' policies again."""
    for policy in ("staff_right_lock", "staff_right_update", "staff_right_insert"):
        op.execute(f"drop policy {policy} on staff_right")
    former = may.either(may.staff("administration"), may.SYSTEM)
    op.execute(f"create policy staff_right_insert on staff_right for insert with check ({former})")
    op.execute(f"create policy staff_right_update on staff_right for update using ({former}) with check ({former})")
