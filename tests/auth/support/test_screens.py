"""No word of what is blanked reaches the agent: every page of a person whose file is full of marked words."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import ARRAY, JSON, Column, String, select

from auth import guards
from auth.identity import sealing
from auth.identity.sealing import SealedText
from auth.models import Account, PatientAccess
from auth.support import screens
from auth.support.actions import KINDS
from auth.support.models import SupportSession
from portal import blanking, db
from portal.db import Base
from tests.conftest import Database
from tests.factories import demonstration, people, rooms
from tests.ground import audited, prepared
from tests.pages import parsed

pytestmark = pytest.mark.xdist_group("demonstration")

MARK = "CANARI"
NOT_MARKED = {"audit_event", "audit_batch", "web_session", "procrastinate_jobs"}
MOST_OF_A_KIND = 2
MUST_SHOW = {
    "pages.home", "account.show", "account_access.log", "identity.show", "contact.show", "my_appointments.mine",
    "requests.mine", "requests.show", "preadmission.home", "preadmission.show", "billing.my_bills", "billing.show",
    "my_documents.shelf", "my_messages.messages", "questionnaires.mine", "my_referrals.mine",
}  # fmt: skip


@pytest.fixture
def look(app: Flask, database: Database) -> SupportSession:
    """The demonstration with a marked word in each text that is not said to be harmless, and a look at Dominique's."""
    with prepared():
        world = demonstration.build()
        for room in rooms.ROOMS:
            if room != "history":
                import_module(f"tests.factories.{room}").demonstrate(world)
        here = world.north.establishment.id
        agent = people.agent(here, "support", name="Soline Soutien")
        made = _open(agent, here, world.patients["dominique"].id)
    assert _mark_everything(database) > 1000
    assert _mark_others(database, made) > 10
    return made


def _open(agent: Account, here: UUID, patient_id: UUID) -> SupportSession:
    own = select(PatientAccess.account_id).where(
        PatientAccess.patient_id == patient_id, PatientAccess.relation == "self"
    )
    one = SupportSession(
        establishment_id=here, patient_id=patient_id, person_account_id=db.session.scalar(own), account_id=agent.id,
        agent_name=agent.name, kind=KINDS[0], words="Elle ne trouve pas sa page.",
        opened_at=db.now(), ends_at=db.now() + timedelta(minutes=15),
    )  # fmt: skip
    db.session.add(one)
    db.session.flush()
    return one


def _mark_everything(database: Database) -> int:
    """Write the mark into every row of every text column that is not listed, where the table's own rules let it."""
    marked = 0
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if (table.name, column.name) in blanking.shown() or table.name in NOT_MARKED:
                    continue
                if (value := _marked(column)) is not None:
                    marked += _mark(connection, table.name, column.name, value)
    return marked


def _mark_others(database: Database, look: SupportSession) -> int:
    """Names are shown of the person alone: whoever else has a file or an account is a third person."""
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        people_ = connection.execute(
            "update patient set birth_name = %(m)s, used_name = %(m)s, email = %(m)s, mobile = %(m)s,"
            " first_names = array[%(m)s] where id <> %(id)s",
            {"m": f"{MARK} patient", "id": look.patient_id},
        )
        accounts = connection.execute(
            "update account set name = %(m)s where id <> all(%(ids)s)",
            {"m": f"{MARK} account", "ids": [look.person_account_id, look.account_id]},
        )
        return people_.rowcount + accounts.rowcount


def _marked(column: Column[Any]) -> sql.Composable | None:
    """What holds the mark in a column of this type, None when it holds no words."""
    mark, name = f"{MARK} {column.table.name} {column.name}", sql.Identifier(column.name)
    if isinstance(column.type, SealedText):
        return sql.Literal(sealing.seal_text(column.type.purpose, mark))
    if isinstance(column.type, JSON):  # its texts, and neither its shape nor its keys
        texts = sql.SQL("regexp_replace({}::text, {}, {}, 'g')::jsonb")
        return texts.format(name, sql.Literal(r'([:\[,] ?)"(?:[^"\\]|\\.)*"(?=[,\]}])'), sql.Literal(rf'\1"{mark}"'))
    if isinstance(column.type, ARRAY):
        return sql.SQL("array_fill({}, array[cardinality({})])").format(sql.Literal(mark), name)
    return sql.Literal(mark) if isinstance(column.type, String) else None


def _mark(connection: psycopg.Connection, table: str, column: str, value: sql.Composable) -> int:
    statement = sql.SQL("update {} set {} = {} where {}::text not in ('', '{{}}', '[]')").format(
        sql.Identifier(table), sql.Identifier(column), value, sql.Identifier(column)
    )
    try:
        return connection.execute(statement).rowcount
    except (psycopg.errors.IntegrityError, psycopg.errors.DatatypeMismatch):
        return 0  # a code among those that the table knows; an array of something else than words


def test_no_marked_word_reaches_the_agent(
    look: SupportSession, sign_in: Callable[[Account | UUID], FlaskClient], app: Flask
) -> None:
    """Whatever page a link leads to: not a word, no script, no form but ours, no way out, and a line in the journal."""
    browser, base = sign_in(look.account_id), f"/admin/assistance/{look.id}/ecrans/"
    todo, done, seen, shown = [base], set[str](), Counter[str](), set[str]()
    while todo:
        address = todo.pop(0)
        endpoint = screens.endpoint_of(app, "/" + urlsplit(address).path.removeprefix(base))
        if address in done or seen[endpoint] >= MOST_OF_A_KIND:
            continue
        done.add(address)
        seen[endpoint] += 1
        answer = browser.get(address)
        assert MARK not in answer.text, f"{endpoint}: {re.findall(MARK + r'[ _a-z]*', answer.text)}"
        assert answer.status_code == 200
        if "script-src 'none'" in answer.headers["Content-Security-Policy"]:  # a page of theirs, and not ours
            shown.add(endpoint)
            todo += _checked(answer.text, base, look)
    assert shown >= MUST_SHOW
    assert audited().count("support.looked") == len(done)
    _tells_nothing_by_what_is_left(browser, base)
    own = sign_in(look.person_account_id)
    assert MARK in own.get("/documents").text or MARK in own.get("/rendez-vous").text, "the mark would be seen"


def _tells_nothing_by_what_is_left(browser: FlaskClient, base: str) -> None:
    """A filter by what is blanked would say it by how many lines it leaves."""
    whole = len(parsed(browser.get(f"{base}documents").text).xpath("//main//a"))
    assert whole > MOST_OF_A_KIND
    for asked in (f"kind={MARK} document kind", "kind=result", "kind=imaging", "words=x", "q=x"):
        assert len(parsed(browser.get(f"{base}documents?{asked}").text).xpath("//main//a")) == whole, asked


def _checked(page: str, base: str, look: SupportSession) -> list[str]:
    """The links of a page, none of which leads out of what the agent may see."""
    tree = parsed(page)
    assert tree.xpath("//script | //iframe | //input[@type='hidden'][not(ancestor::section[1])]") == []
    assert {form.get("action") for form in tree.xpath("//form")} == {f"/admin/assistance/{look.id}/terminer"}
    out = tree.xpath(
        "//*[self::button or self::input or self::select or self::textarea][not(@disabled)][not(ancestor::form)]"
    )
    assert out == []
    links = [str(href) for href in tree.xpath("//a/@href")]
    ours = {f"/admin/assistance/{look.id}", "#main"}
    assert [href for href in links if not href.startswith((base, "#")) and href not in ours] == []
    return [href for href in links if href.startswith(base)]


def test_screens_are_pages_that_a_person_may_read(app: Flask) -> None:
    """Each is read with GET, and open to patients; none gives a file."""
    guarded = {"patient", guards.SIGNED_IN, "public"}
    for endpoint in screens.SCREENS:
        rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint]
        assert any("GET" in (rule.methods or ()) for rule in rules), endpoint
        assert guards.of(endpoint.partition(".")[0]) in guarded, endpoint
        assert not any(rule.rule.endswith((".pdf", ".csv", ".ics")) for rule in rules), endpoint
