"""What a session knows of who acts: assurance, for whom and how far, at which site, in whose stead, in what emergency.

An access says how it came to be, what it covers and from when to when, in the civil days of the hospital that
checked it. `parvis.for_<scope>` lists the people an actor may act for in that matter, `parvis.proxied` those who are
not themselves, `parvis.emergency` those whose file an agent has opened in an emergency.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_RELATIONS = "relation in ('self', 'parent', 'guardian', 'curator', 'carer')"
_FORMER_RELATIONS = "relation in ('self', 'parent', 'mandate')"


def upgrade() -> None:
    _extend_sessions()
    _extend_accesses()
    _create_delegation()
    _create_emergency_access()
    op.execute("drop function open_web_session(bytea, interval)")
    op.execute(_OPEN_WEB_SESSION)


def _extend_sessions() -> None:
    for column in (
        sa.Column("idle_s", sa.Integer(), server_default="1800", nullable=False),
        sa.Column("factor", sa.Text(), server_default="", nullable=False),
        sa.Column("factor_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activity", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
    ):
        op.add_column("web_session", column)
    op.create_foreign_key(op.f("fk_web_session_on_behalf_of"), "web_session", "professional", ["on_behalf_of"], ["id"])


def _extend_accesses() -> None:
    for column in (
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            server_default="{administrative,medical,payment}",
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="Europe/Paris", nullable=False),
    ):
        op.add_column("patient_access", column)
    op.drop_constraint("ck_patient_access_relation", "patient_access")
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("update patient_access set relation = 'carer' where relation = 'mandate'")
    op.create_check_constraint(op.f("ck_patient_access_relation"), "patient_access", _RELATIONS)


def _create_delegation() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("delegate_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("professional_id <> delegate_id", name=op.f("ck_delegation_two_people")),
        sa.ForeignKeyConstraint(["professional_id"], ["professional.id"], name=op.f("fk_delegation_professional_id")),
        sa.ForeignKeyConstraint(["delegate_id"], ["professional.id"], name=op.f("fk_delegation_delegate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    for column in ("professional_id", "delegate_id"):
        op.create_index(op.f(f"ix_delegation_{column}"), "delegation", [column])
    mine = may.either(may.professional(), may.SYSTEM)
    may.protect(
        "delegation",
        read=may.either(mine, may.professional("delegate_id")),
        insert=mine,
        update=may.either(mine, may.professional("delegate_id")),
    )


def _create_emergency_access() -> None:
    op.create_table(
        "emergency_access",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("review", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_emergency_access_account_id")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_emergency_access_establishment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_emergency_access_patient_id")),
        sa.ForeignKeyConstraint(["reviewed_by"], ["account.id"], name=op.f("fk_emergency_access_reviewed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_access")),
    )
    op.create_index(op.f("ix_emergency_access_account_id"), "emergency_access", ["account_id"])
    op.create_index(op.f("ix_emergency_access_patient_id"), "emergency_access", ["patient_id"])
    reviewers = may.either(may.staff("audit"), may.SYSTEM)
    may.protect(
        "emergency_access",
        read=may.either(may.account(), may.own(), reviewers),
        insert=may.either(may.both(may.account(), may.any_staff()), may.SYSTEM),
        update=reviewers,
    )


# Reads the session as the system, then declares the person: one round trip for both. An ended session declares
# nobody, and only tells whose it was, so that what they typed can wait for them.
_OPEN_WEB_SESSION = """
create function open_web_session(token_digest bytea)
returns table (state text, session_id uuid, account_id uuid, audience text, name text, locale text, provider text,
               acr text, amr text, factor text, factor_at timestamptz, activity jsonb, professional_id uuid,
               on_behalf_of uuid, patient_id uuid, self_id uuid, patients text[], proxied text[], scopes text,
               rights text, emergency text[], idle_s int, expires_at timestamptz)
language plpgsql as $$
declare
  opened web_session;
  who account;
  is_open boolean;
  held record;
begin
  perform set_config(key, '', true) from unnest(array[
    'parvis.actor', 'parvis.account', 'parvis.professional', 'parvis.patients', 'parvis.proxied',
    'parvis.for_administrative', 'parvis.for_medical', 'parvis.for_payment', 'parvis.emergency',
    'parvis.establishments', 'parvis.at_appointments', 'parvis.at_preadmission', 'parvis.at_billing',
    'parvis.at_documents', 'parvis.at_identity', 'parvis.at_administration', 'parvis.at_audit']) key;
  perform set_config('parvis.actor', 'anonymous', true);
  perform set_config('parvis.system', 'auth.open_session', true);

  select * into opened from web_session s where s.digest = token_digest;
  select * into who from account a where a.id = opened.account_id;
  is_open := opened.id is not null and opened.ended_at is null and who.closed_at is null
             and opened.expires_at > now() and opened.last_seen_at > now() - make_interval(secs => opened.idle_s);
  state := case when is_open then 'open' else 'ended' end;
  account_id := opened.account_id;
  if not is_open then
    perform set_config('parvis.system', '', true);
    return next;
    return;
  end if;

  session_id := opened.id; audience := who.audience; name := who.name; locale := who.locale;
  provider := opened.provider; acr := opened.acr; amr := opened.amr; factor := opened.factor;
  factor_at := opened.factor_at; activity := opened.activity; patient_id := opened.patient_id;
  idle_s := opened.idle_s; expires_at := opened.expires_at;
  if opened.last_seen_at < now() - interval '1 minute' and not current_setting('transaction_read_only')::boolean then
    update web_session s set last_seen_at = now() where s.id = opened.id;
  end if;

  patients := '{}'; proxied := '{}'; scopes := '{}'; rights := '{}'; emergency := '{}';
  if who.audience = 'patient' then
    with access as (
      select a.patient_id, a.relation, a.scopes from patient_access a
      where a.account_id = who.id and a.revoked_at is null
        and (a.starts_on is null or a.starts_on <= (now() at time zone a.time_zone)::date)
        and (a.ends_on is null or a.ends_on >= (now() at time zone a.time_zone)::date))
    select coalesce(array_agg(h.patient_id::text), '{}'),
           coalesce(array_agg(h.patient_id::text) filter (where h.relation <> 'self'), '{}'),
           (array_agg(h.patient_id) filter (where h.relation = 'self'))[1],
           coalesce((select json_object_agg(s.code, s.ids)::text from (
             select each.code, json_agg(i.patient_id) as ids from access i, unnest(i.scopes) each(code) group by 1) s),
             '{}')
      into patients, proxied, self_id, scopes from access h;
    perform set_config('parvis.for_' || s.key, (select string_agg(i, ',') from json_array_elements_text(s.value) i), true)
      from json_each(scopes::json) s;
  elsif who.audience = 'professional' then
    select p.id into professional_id from professional p where p.account_id = who.id;
    if opened.on_behalf_of is not null then
      select d.professional_id into on_behalf_of from delegation d
        where d.professional_id = opened.on_behalf_of and d.delegate_id = open_web_session.professional_id
          and d.revoked_at is null
          and (d.ends_on is null or d.ends_on >= (now() at time zone 'Europe/Paris')::date) limit 1;
      professional_id := coalesce(on_behalf_of, professional_id);
    end if;
  elsif who.audience = 'staff' then
    for held in select r."right" as code, string_agg(r.establishment_id::text, ',' order by r.establishment_id::text) as ids
                from staff_right r where r.account_id = who.id group by r."right" loop
      perform set_config('parvis.at_' || held.code, held.ids, true);
    end loop;
    select coalesce(json_object_agg(g.code, g.ids)::text, '{}') into rights from (
      select r."right" as code, json_agg(r.establishment_id) as ids
      from staff_right r where r.account_id = who.id group by r."right") g;
    perform set_config('parvis.establishments', coalesce(
      (select string_agg(distinct r.establishment_id::text, ',') from staff_right r where r.account_id = who.id), ''), true);
    select coalesce(array_agg(distinct e.patient_id::text), '{}') into emergency from emergency_access e
      where e.account_id = who.id and e.ends_at > now()
        and exists (select 1 from staff_right r
                    where r.account_id = who.id and r.establishment_id = e.establishment_id);
  end if;

  perform set_config('parvis.actor', who.audience || ':' || who.id, true);
  perform set_config('parvis.account', who.id::text, true);
  perform set_config('parvis.professional', coalesce(professional_id::text, ''), true);
  perform set_config('parvis.patients', array_to_string(patients, ','), true);
  perform set_config('parvis.proxied', array_to_string(proxied, ','), true);
  perform set_config('parvis.emergency', array_to_string(emergency, ','), true);
  perform set_config('parvis.system', '', true);
  return next;
end $$
"""


def downgrade() -> None:
    op.execute("drop function open_web_session(bytea)")
    op.execute(_FORMER_OPEN_WEB_SESSION)
    op.drop_table("emergency_access")
    op.drop_table("delegation")
    op.drop_constraint("ck_patient_access_relation", "patient_access")
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("update patient_access set relation = 'mandate' where relation in ('guardian', 'curator', 'carer')")
    op.create_check_constraint(op.f("ck_patient_access_relation"), "patient_access", _FORMER_RELATIONS)
    for column in ("time_zone", "starts_on", "scopes"):
        op.drop_column("patient_access", column)
    for column in ("on_behalf_of", "activity", "factor_at", "factor", "idle_s"):
        op.drop_column("web_session", column)


_FORMER_OPEN_WEB_SESSION = """
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
