"""What the linter of migrations lets pass, and what it refuses; then every migration since it exists."""

import pytest

from tests.migrations.linting import VERSIONS, faults, faults_of, module_of, split

BASELINE = "0079"
"""The migrations up to this one were written before any hospital ran the portal: nobody served meanwhile. Once the
first release is out, this never moves again."""
LATER = sorted(path.stem[:4] for path in VERSIONS.glob("[0-9]*.py") if path.stem[:4] > BASELINE)

HARMLESS = (
    "create table note (id uuid primary key, patient_id uuid not null references patient (id));"
    " create index ix_note_patient_id on note (patient_id); alter table note alter column id set not null",
    "alter table appointment add column colour text",
    "alter table appointment add column colour text default 'blue' not null",
    "alter table appointment add column noted_at timestamptz default now()",
    "drop index concurrently if exists ix_a; create index concurrently ix_a on appointment (colour)",
    "alter table appointment add constraint ck_a check (colour is not null) not valid;"
    " alter table appointment validate constraint ck_a;"
    " alter table appointment alter column colour set not null; alter table appointment drop constraint ck_a",
    "alter table appointment add constraint fk_a foreign key (x) references patient (id) not valid",
    "alter table appointment alter column colour drop not null, alter column colour set default 'red'",
    "create or replace function f() returns void language plpgsql as $$ begin update appointment set x = 1; end $$",
    "drop policy a_read on appointment; create policy a_read on appointment for select using (true)",
    "comment on table appointment is 'append-only; drop table appointment'",
    "-- drop table appointment\nselect 1",
    "insert into setting values ('a; drop table b')",
    "alter table appointment rename to appointment_before; create table appointment (id uuid) partition by range (at)",
)
HARMFUL = (
    "create index ix_a on appointment (colour)",
    "create unique index if not exists ix_a on appointment (colour)",
    "create index concurrently ix_a on appointment (colour)",
    "drop index ix_a",
    "reindex table appointment",
    "alter table appointment add column colour text not null",
    "alter table appointment add column token uuid default gen_random_uuid()",
    "alter table appointment add column rank bigserial",
    "alter table appointment add column rank bigint generated always as identity",
    "alter table appointment add column unit_id uuid references unit (id)",
    "alter table appointment add column a text, add column b uuid default random_id()",
    "alter table appointment alter column colour set not null",
    "alter table appointment add constraint ck_a check (x is not null) not valid;"
    " alter table appointment alter column x set not null",
    "alter table appointment alter column colour type integer using colour::integer",
    "alter table only public.appointment add constraint ck_a check (x > 0)",
    "alter table appointment add constraint fk_a foreign key (x) references patient (id)",
    "alter table appointment add constraint uq_a unique (x)",
    "alter table appointment add primary key (x)",
    'alter table "appointment" drop column colour',
    "alter table appointment rename column colour to color",
    "alter table appointment rename to visit",
    "alter table appointment rename to visit; commit; create table appointment (id uuid)",
    "alter table appointment set unlogged",
    "alter table appointment disable row level security",
    "alter table appointment no force row level security",
    "drop table appointment",
    "drop function search_missed(date, text)",
    "alter type kind rename value 'a' to 'b'",
    "update appointment set colour = 'blue' where colour is null",
    "delete from appointment",
    "do $$ begin update appointment set colour = 'blue'; end $$",
    "truncate appointment",
    "lock table appointment",
    "vacuum full appointment",
    "set lock_timeout = '1h'",
)
TAKEN_AWAY = (
    "drop table appointment",
    "alter table appointment drop column colour",
    "alter table appointment rename column colour to color",
    "drop function search_missed(date, text)",
)


@pytest.mark.parametrize("sql", HARMLESS)
def test_what_holds_nobody_back_passes(sql: str) -> None:
    assert faults(list(split(sql))) == []


@pytest.mark.parametrize("sql", HARMFUL)
def test_what_holds_people_back_or_breaks_the_former_release_is_refused(sql: str) -> None:
    assert len(faults(list(split(sql)))) == 1


@pytest.mark.parametrize("sql", TAKEN_AWAY)
def test_a_contract_step_takes_away_what_no_release_reads(sql: str) -> None:
    assert faults(list(split(sql)), contract="nothing reads it since 1.2") == []


def test_a_contract_step_still_holds_nobody_back() -> None:
    assert faults(["create index ix_a on appointment (colour)"], contract="nothing reads it since 1.2")


def test_a_small_table_may_be_locked_for_a_moment_when_one_says_why() -> None:
    filled = ["update establishment set colour = ''", "create index ix_e on establishment (colour)"]
    assert faults(filled, small={"establishment": "a row for each hospital of the group"}) == []
    assert faults(filled, small={"establishment": ""})
    assert faults(["drop table establishment"], small={"establishment": "a row for each hospital of the group"})


def test_the_linter_reads_what_alembic_would_run() -> None:
    """On migrations of before it, which it would have refused: it is not blind to the ways we write them."""
    assert any("index" in fault for fault in faults_of(module_of("0007")))
    assert any("takes away" in fault for fault in faults_of(module_of("0031")))


@pytest.mark.parametrize("revision", LATER)
def test_a_migration_runs_while_the_former_release_serves(revision: str) -> None:
    assert faults_of(module_of(revision)) == []
