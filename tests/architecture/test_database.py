"""Two locks on every row about a person or a hospital, one line of migrations, and models that match them."""

import ast
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from portal import db, schema
from portal.db import Base
from tests.architecture.code import modules, where
from tests.conftest import Database, with_database
from tests.factories import demonstration, rooms

SOMEBODYS = {"account_id", "patient_id", "professional_id", "establishment_id"}
PERSONAL = sorted(
    {table.name for table in Base.metadata.tables.values() if SOMEBODYS & {column.name for column in table.columns}}
    | {"patient", "account", "professional", "establishment", "sign_in_attempt"}
)

HOSPITALS_OWN = {
    "establishment", "site", "unit", "practitioner", "published_service", "service_link", "link_host", "site_notice",
    "legal_page",
}  # fmt: skip


@pytest.fixture
def connection(app: Flask, database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.superuser_url) as opened:
        yield opened


def test_the_application_is_neither_superuser_nor_owner(connection: psycopg.Connection, database: Database) -> None:
    role = schema.role_of(database.application_url)
    facts = connection.execute(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = %s", (role,)
    ).fetchone()
    assert facts == (False, False, False, False)
    owned = connection.execute("select tablename from pg_tables where tableowner = %s", (role,)).fetchall()
    assert owned == []


def test_tables_about_somebody_have_forced_row_level_security(connection: psycopg.Connection) -> None:
    closed = connection.execute(
        "select relname from pg_class where relrowsecurity and relforcerowsecurity"
        " and relname in (select tablename from pg_policies)"
    )
    assert set(PERSONAL) - {name for (name,) in closed} == set()


def test_nobody_declared_sees_no_person(app: Flask, database: Database) -> None:
    """A connection that declares nobody sees only what hospitals publish."""
    published = {*HOSPITALS_OWN, "establishment_setting", "reason", "consultation_session"}
    with db.transaction(db.system("tests")):
        demonstration.build()
    with psycopg.connect(database.application_url) as stranger:
        held = {name for name in PERSONAL if stranger.execute(f'select 1 from "{name}" limit 1').fetchone()}
    assert held - published == set()


def test_one_line_of_migrations() -> None:
    assert len(ScriptDirectory("migrations").get_heads()) == 1


@pytest.fixture
def another_database(server_url: str) -> Iterator[tuple[str, str]]:
    """(owner's URL, application's URL) of a database that is not the suite's."""
    stamp = secrets.token_hex(4)
    name, owner, application = f"up_{stamp}", (f"up_owner_{stamp}", "x" * 20), (f"up_app_{stamp}", "x" * 20)
    schema.create_database(server_url, name, owner, application)
    yield with_database(server_url, name, *owner), with_database(server_url, name, *application)
    with psycopg.connect(server_url, autocommit=True) as superuser:
        superuser.execute(f'drop database "{name}" with (force)')
        superuser.execute(f'drop role "{owner[0]}"')
        superuser.execute(f'drop role "{application[0]}"')


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_up_down_up_on_a_filled_database(app: Flask, another_database: tuple[str, str]) -> None:
    owner_url, application_url = another_database
    schema.upgrade(owner_url, application_url)
    _fill(app, application_url)
    schema.downgrade(owner_url, "base")
    schema.upgrade(owner_url, application_url)
    schema.upgrade(owner_url, application_url)
    assert _differences(owner_url) == []


def _fill(app: Flask, application_url: str) -> None:
    """The whole demonstration, in that database instead of the suite's."""
    other = create_engine(db.sqlalchemy_url(application_url), poolclass=NullPool)
    db._factory.configure(bind=other)
    try:
        with db.transaction(db.system("tests")):
            rooms.demonstrate(demonstration.build())
    finally:
        db._factory.configure(bind=app.extensions["parvis.engine"])


def _differences(owner_url: str) -> list[object]:
    engine = create_engine(db.sqlalchemy_url(owner_url), poolclass=NullPool)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=_HOW), Base.metadata)
    return [each for each in found if not _is_beside_the_models(each)]


_HOW = {
    "compare_type": True,
    "include_name": lambda name, kind, _parents: kind != "table" or not schema.is_a_part(name or ""),
}


def _is_beside_the_models(difference: object) -> bool:
    """The queue's own tables, and the comments that mark append-only ones."""
    text = repr(difference)
    return "procrastinate" in text or "_table_comment" in text


def test_a_row_is_held_without_keeping_out_those_who_refer_to_it() -> None:
    """FOR UPDATE waits for every foreign key that points to the row, and two who hold one each wait for ever."""
    found = [
        where(module, node)
        for module in modules()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.keyword) and node.arg == "with_for_update" and "key_share" not in ast.unparse(node))
        or (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith(".with_for_update")
            and "key_share=True" not in ast.unparse(node)
        )
    ]
    assert found == []
