-- Two roles and a database, once, as PostgreSQL's superuser: psql -v owner=… -v app=… -f database.sql
-- Safe to run twice. Neither role is superuser or may step over row-level security; the portal is not the owner.
select 'create role parvis_owner login' where not exists (select from pg_roles where rolname = 'parvis_owner')
\gexec
select 'create role parvis_app login' where not exists (select from pg_roles where rolname = 'parvis_app')
\gexec
alter role parvis_owner nosuperuser nobypassrls nocreatedb nocreaterole password :'owner';
alter role parvis_app nosuperuser nobypassrls nocreatedb nocreaterole password :'app';
select 'create database parvis owner parvis_owner template template0 encoding ''UTF8'''
    where not exists (select from pg_database where datname = 'parvis')
\gexec
revoke all on database parvis from public;
grant connect on database parvis to parvis_app;
-- A process that hangs in a transaction must not hold back the audit's seal and the figures of all the others.
alter role parvis_app in database parvis set idle_in_transaction_session_timeout = '60s';
-- A statement that runs away must not keep its connection; the longest of ours (a rebuild of the figures) asks for more.
alter role parvis_app in database parvis set statement_timeout = '60s';
