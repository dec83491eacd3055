-- The backups' own role, once, as PostgreSQL's superuser, in the portal's database:
-- psql -d parvis -v backup=… -f backup.sql          Safe to run twice. -v app=… when the portal's role is another one.
-- It copies everything (replication) and counts everything, and the portal's roles have no power over what it writes.
\if :{?app}
\else
\set app parvis_app
\endif
select 'create role parvis_backup login' where not exists (select from pg_roles where rolname = 'parvis_backup')
\gexec
alter role parvis_backup nosuperuser replication bypassrls nocreatedb nocreaterole password :'backup';
grant pg_read_all_data, pg_read_all_stats to parvis_backup;
select format('grant connect on database %I to parvis_backup', current_database())
\gexec
create schema if not exists parvis_backup authorization parvis_backup;
set role parvis_backup;
create table if not exists parvis_backup.mark (kind text primary key, at timestamptz not null);
comment on table parvis_backup.mark is 'When each part of the backups last went well; written by parvis_backup alone';
grant usage on schema parvis_backup to :"app";
grant select on parvis_backup.mark to :"app";
reset role;
-- It counts large tables: the portal's limit on statements is not its own.
alter role parvis_backup set statement_timeout = 0;
