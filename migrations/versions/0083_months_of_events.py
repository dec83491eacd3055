"""Raw events by month (UTC), a table each: a month whose time is over is emptied at once instead of row by row.

The table that was there becomes the part of all that came before. Nothing is copied and nobody waits: what takes time
(an index, a check) is done beside the work, then names change in one short transaction. Nothing is dropped either: when
a row is in the way, `attach` fails, and everything is as it was.
"""

from datetime import UTC, date, datetime, timedelta

from alembic import op

from migrations import online
from migrations import policies as may

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None

AHEAD = 3
"""Months made after the first one; the job of each night keeps as many (portal/kpi/months.py)."""
_LATER = 3
"""From which month on, counted from the present one, a filled portal has tables of their own. Until the names change,
the check refuses what would belong there: an upgrade that was cut off has two whole months to be run again."""
_CHECK, _KEY = "ck_kpi_event_before", "pk_kpi_event_before"
_COLUMNS = (
    "id", "xid", "at", "event", "establishment_id", "channel", "audience", "dimension", "quantity", "pseudonym",
)  # fmt: skip


def upgrade() -> None:
    _as_the_system()
    latest = _latest()
    first = _first_month(latest)
    if latest is not None:
        _prepare(first)
        _as_the_system()
    _give_up_the_names()
    _create(first)
    for function in (_PARTS, _MAKE_MONTH, _FORGET_MONTH, _DROP_PART):
        op.execute(function)


def downgrade() -> None:
    _as_the_system()
    op.execute("set local statement_timeout = 0")
    op.execute("lock table kpi_event in access exclusive mode")  # parts too: what is copied is all there is
    op.execute("alter table kpi_event no force row level security")
    for function in ("kpi_drop_part(text, text)", "kpi_make_month(date)", "kpi_parts()"):
        op.execute(f"drop function {function}")
    op.execute("create table kpi_event_whole as table kpi_event")
    op.execute(_ALL_COPIED)
    op.execute(_REMEMBER_THE_NUMBER)
    _give_the_same_rights("kpi_event", "kpi_event_whole")
    op.execute("drop table kpi_event")
    op.execute("alter table kpi_event_whole rename to kpi_event")
    for column in _COLUMNS:
        op.execute(f"alter table kpi_event alter column {column} set not null")
    op.execute("alter table kpi_event alter column xid set default pg_current_xact_id()")
    op.execute("alter table kpi_event alter column at set default clock_timestamp()")
    op.execute("alter table kpi_event add constraint pk_kpi_event primary key (id)")
    op.execute("alter table kpi_event alter column id add generated always as identity")
    op.execute(_NUMBER_ON)
    _index_and_protect()
    op.execute(_FORGET_ROW_BY_ROW)


def _as_the_system() -> None:
    """For this transaction: row-level security holds for the owner too, who would see no row."""
    op.execute("select set_config('parvis.system', 'migration', true), set_config('timezone', 'UTC', true)")


# -- what there is -----------------------------------------------------------------------------------------------


def _latest() -> datetime | None:
    """The moment of the last event; None where nothing was counted yet."""
    if op.get_context().as_sql:
        return datetime.now(UTC)
    op.execute("set local statement_timeout = 0")
    found: datetime | None = op.get_bind().exec_driver_sql("select max(at) from kpi_event").scalar()
    return found


def _first_month(latest: datetime | None) -> date:
    """The first that has a table of its own."""
    today = datetime.now(UTC)
    if latest is None:
        return today.date().replace(day=1)
    return _later(max(today, latest.astimezone(UTC)).date().replace(day=1), _LATER)


def _later(month: date, months: int) -> date:
    return month if not months else _later((month + timedelta(days=31)).replace(day=1), months - 1)


# -- beside the work ---------------------------------------------------------------------------------------------


def _prepare(first: date) -> None:
    """Done again after an interruption, and kept when only the change of names did not get its lock."""
    has_key = _is_true("select indisvalid from pg_index where indexrelid = to_regclass(%s)", _KEY)
    is_checked = _is_true(
        "select convalidated and pg_get_constraintdef(oid) like %s from pg_constraint where conname = %s",
        f"%{first}%", _CHECK,
    )  # fmt: skip
    if not has_key:
        online.add_index(_KEY, "kpi_event", "(id, at)", unique=True)
    if not is_checked:
        online.add_check(_CHECK, "kpi_event", f"at < '{first} 00:00:00+00'")


def _is_true(query: str, *values: str) -> bool:
    return not op.get_context().as_sql and bool(op.get_bind().exec_driver_sql(query, values).scalar())


# -- the change of names -----------------------------------------------------------------------------------------


def _give_up_the_names() -> None:
    op.execute("alter table kpi_event rename to kpi_event_before")
    op.execute(_REMEMBER_THE_NUMBER)
    for kind in ("xid", "at"):
        op.execute(f"alter index ix_kpi_event_{kind} rename to ix_kpi_event_before_{kind}")
    op.execute("alter table kpi_event_before drop constraint pk_kpi_event")
    op.execute("alter table kpi_event_before alter column id drop identity")


def _create(first: date) -> None:
    op.execute(_PARTED)
    _index_and_protect()
    _give_the_same_rights("kpi_event_before", "kpi_event")
    _take_in_what_was_there(first)
    op.execute("create table kpi_event_others partition of kpi_event default")
    _close_to_all("kpi_event_others")
    for command in ("select", "delete"):
        op.execute(f"create policy kpi_event_others_{command} on kpi_event_others for {command} using ({may.SYSTEM})")
    for month in (_later(first, ahead) for ahead in range(AHEAD + 1)):
        part = f"kpi_event_{month:%Y_%m}"
        bounds = f"from ('{month} 00:00:00+00') to ('{_later(month, 1)} 00:00:00+00')"
        op.execute(f"create table {part} partition of kpi_event for values {bounds}")
        _close_to_all(part)
    op.execute(_NUMBER_ON)


def _index_and_protect() -> None:
    op.execute("create index ix_kpi_event_xid on kpi_event (xid)")
    op.execute("create index ix_kpi_event_at on kpi_event using brin (at)")
    may.protect("kpi_event", read=may.SYSTEM, insert=may.ANYBODY, delete=may.SYSTEM)
    op.execute(
        f"create policy kpi_event_update on kpi_event for update using ({may.SYSTEM}) with check (pseudonym = '')"
    )
    op.execute("comment on table kpi_event is 'append-only'")


def _take_in_what_was_there(first: date) -> None:
    """PostgreSQL believes the check and reads no row; where nothing had been counted there are none, or next to none."""
    if not op.get_context().as_sql and not _is_true("select to_regclass(%s) is not null", _KEY):
        op.execute(f"create unique index {_KEY} on kpi_event_before (id, at)")
    op.execute(f"alter table kpi_event_before add constraint {_KEY} primary key using index {_KEY}")
    op.execute(
        f"alter table kpi_event attach partition kpi_event_before for values from (minvalue) to ('{first} 00:00:00+00')"
    )
    op.execute(f"alter table kpi_event_before drop constraint if exists {_CHECK}")
    for command in ("read", "insert", "update", "delete"):
        op.execute(f"drop policy kpi_event_{command} on kpi_event_before")
    op.execute("comment on table kpi_event_before is null")


def _close_to_all(part: str) -> None:
    """Asked by its own name a part shows nothing, to its owner neither: what holds are the policies of the whole."""
    op.execute(f"alter table {part} enable row level security")
    op.execute(f"alter table {part} force row level security")


def _give_the_same_rights(former: str, new: str) -> None:
    """In the same instant: the former release writes there, and its role is granted nothing before the last migration
    of an upgrade is done."""
    op.execute(
        f"""
        do $$ declare held record;
        begin
          for held in
            select g.grantee::regrole::text as role, string_agg(g.privilege_type, ', ') as rights
            from pg_class c cross join aclexplode(c.relacl) g
            where c.oid = '{former}'::regclass and g.grantee not in (0, c.relowner) group by 1
          loop
            execute format('grant %s on {new} to %s', held.rights, held.role);
            execute format('revoke all on {former} from %s', held.role);
          end loop;
        end $$
        """
    )


_PARTED = """
create table kpi_event (
  id bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null default clock_timestamp(),
  event text not null,
  establishment_id uuid not null,
  channel text not null,
  audience text not null,
  dimension text not null,
  quantity bigint not null,
  pseudonym text not null,
  constraint pk_kpi_event primary key (id, at)
) partition by range (at)
"""
# Of the sequence, which no policy hides: numbers go on where they were.
_REMEMBER_THE_NUMBER = "select set_config('parvis.last_number', (select last_value::text from kpi_event_id_seq), true)"
_NUMBER_ON = (
    "select setval(pg_get_serial_sequence('kpi_event', 'id'), current_setting('parvis.last_number')::bigint, true)"
)
_ALL_COPIED = """
do $$ declare part regclass; seen bigint; counted bigint := 0;
begin
  for part in select inhrelid::regclass from pg_inherits where inhparent = 'kpi_event'::regclass loop
    execute format('alter table %s no force row level security', part);
    execute format('select count(*) from %s', part) into seen;
    counted := counted + seen;
  end loop;
  if counted <> (select count(*) from kpi_event_whole) then
    raise exception 'not every event was copied: nothing is changed';
  end if;
end $$
"""

# -- functions ---------------------------------------------------------------------------------------------------
# Of the owner, for the application owns no table. Row-level security holds for the owner too: without a system job
# that says its name they would see no row, and would throw away what they did not see; hence the first line of each.
# They lock before they look, and each of their statements sees what was committed until then.

_DEFINER = "security definer set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '{waits}'"
_SYSTEM_ONLY = """
  if coalesce(current_setting('parvis.system', true), '') = ''
      or current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'only a system job does this' using errcode = 'insufficient_privilege';
  end if;
"""
_CIVIL_MONTH = (
    "date_trunc('month', k.at at time zone coalesce((select e.time_zone from establishment e"
    " where e.id = k.establishment_id), group_zone))::date"
)

_PARTS = r"""
create function kpi_parts() returns table (part text, first timestamptz, next timestamptz)
language sql stable set search_path = public, pg_temp set timezone = 'UTC' as $$
  select c.relname::text,
    coalesce(substring(bound from 'FROM \(''([^'']*)''\)')::timestamptz, '-infinity'),
    substring(bound from 'TO \(''([^'']*)''\)')::timestamptz
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as bound) b
  where i.inhparent = 'kpi_event'::regclass and bound <> 'DEFAULT'
$$
"""
# Nobody rolls up meanwhile: a statement that began before would look for moved rows where they are no more.
_MAKE_MONTH = f"""
create function kpi_make_month(wanted date) returns bigint
language plpgsql {_DEFINER.format(waits="2s")} as $$
declare
  part constant text := 'kpi_event_' || to_char(wanted, 'YYYY_MM');
  begins constant timestamptz := wanted::timestamp at time zone 'UTC';
  ends constant timestamptz := (wanted + interval '1 month') at time zone 'UTC';
  moved bigint;
begin{_SYSTEM_ONLY}
  if extract(day from wanted) <> 1 or wanted not between '2000-01-01' and '2099-12-01' then
    raise exception 'not a month' using errcode = 'invalid_parameter_value';
  end if;
  perform from kpi_watermark where id = 1 for no key update;
  if exists (select from kpi_parts() p where p.first < ends and p.next > begins) then
    return null;
  end if;
  lock table kpi_event_others in access exclusive mode;
  execute format('create table %I (like kpi_event including defaults)', part);
  execute format('with moved as (delete from kpi_event_others where at >= $1 and at < $2 returning *)'
    ' insert into %I select * from moved', part) using begins, ends;
  get diagnostics moved = row_count;
  execute format('alter table %I enable row level security', part);
  execute format('alter table %I force row level security', part);
  execute format('alter table kpi_event attach partition %I for values from (%L) to (%L)', part, begins, ends);
  return moved;
end $$
"""
# Months are civil ones, each hospital's; parts are UTC's. The hours that belong to another month stay: they are written
# again once the file of the part is thrown away. Where they are not few, rows are deleted one by one.
_FORGET_MONTH = f"""
create or replace function kpi_forget_month(wanted date, group_zone text) returns bigint
language plpgsql {_DEFINER.format(waits="2s")} as $$
declare
  mine record;
  seen bigint;
  others bigint;
  kept kpi_event[];
  gone bigint := 0;
  more bigint;
begin{_SYSTEM_ONLY}
  if not exists (select from kpi_closed_month c where c.month = wanted) then
    raise exception 'this month is not closed' using errcode = 'object_not_in_prerequisite_state';
  end if;
  perform from kpi_watermark w where w.id = 1 for no key update;
  select * into mine from kpi_parts() p where p.first = wanted::timestamp at time zone 'UTC'
    and p.next = (wanted + interval '1 month') at time zone 'UTC';
  if found then
    execute format('lock table %I in access exclusive mode', mine.part);
    select count(*), count(*) filter (where {_CIVIL_MONTH} <> wanted) into seen, others
      from kpi_event k where k.at >= mine.first and k.at < mine.next;
    if seen > 0 and others <= greatest(100, seen / 10) then
      select coalesce(array_agg(k), '{{}}') into kept
        from kpi_event k where k.at >= mine.first and k.at < mine.next and {_CIVIL_MONTH} <> wanted;
      execute format('truncate %I', mine.part);
      insert into kpi_event overriding system value select k.* from unnest(kept) k;
      gone := seen - others;
    end if;
  end if;
  delete from kpi_event k where k.at >= wanted - interval '2 days' and k.at < wanted + interval '1 month 2 days'
    and {_CIVIL_MONTH} = wanted;
  get diagnostics more = row_count;
  return gone + more;
end $$
"""
# Only for a part whose last month is forgotten. What came late to such a month goes with it.
_DROP_PART = f"""
create function kpi_drop_part(wanted text, group_zone text) returns boolean
language plpgsql {_DEFINER.format(waits="300ms")} as $$
declare mine record;
begin{_SYSTEM_ONLY}
  select * into mine from kpi_parts() p where p.part = wanted and exists (select from kpi_closed_month c
    where c.forgotten_at is not null and (c.month + interval '1 month') at time zone 'UTC' >= p.next);
  if not found then
    return false;
  end if;
  delete from kpi_event k where k.at >= mine.first and k.at < mine.next and exists (select from kpi_closed_month c
    where c.forgotten_at is not null and c.month = {_CIVIL_MONTH});
  if exists (select from kpi_event k where k.at >= mine.first and k.at < mine.next) then
    return false;
  end if;
  lock table only kpi_event in access exclusive mode;
  execute format('lock table %I in access exclusive mode', mine.part);
  if exists (select from kpi_event k where k.at >= mine.first and k.at < mine.next) then
    return false;
  end if;
  execute format('drop table %I', mine.part);
  return true;
end $$
"""
_FORGET_ROW_BY_ROW = """
create or replace function kpi_forget_month(wanted date, group_zone text) returns bigint language sql
security definer set search_path = public, pg_temp as $$
  with gone as (delete from kpi_event k where k.at >= wanted - interval '2 days'
  and k.at < wanted + interval '1 month 2 days' and date_trunc('month', k.at at time zone
  coalesce((select e.time_zone from establishment e where e.id = k.establishment_id), group_zone))::date
  = wanted returning 1) select count(*) from gone
$$
"""
