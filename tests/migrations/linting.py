"""What a migration may not do to tables that the former release is using: read in the SQL that it would run.

A migration is run without a database (alembic's SQL mode) and each statement is looked at. Tables that it makes itself
are its own; all the others are taken for large and busy, unless it says `SMALL = {"table": "why"}`. What the former
release still needs goes in a contract step, a release later: `CONTRACT = "what no release reads, since which one"`.
"""

import importlib
import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from alembic.migration import MigrationContext
from alembic.operations import Operations

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
_NAME = r'(?:only )?(?:public\.)?"?(\w+)"?'
_IF = r"(?:if (?:not )?exists )?"
_STABLE = {"now", "coalesce", "current_setting", "lower", "upper", "make_interval", "array", "numeric", "varchar"}
"""What looks like a call in a column's definition, and makes PostgreSQL rewrite nothing."""


@dataclass
class _Seen:
    """What earlier statements of the migration did."""

    small: frozenset[str]
    contract: bool
    taken_again: frozenset[str] = frozenset()
    made: set[str] = field(default_factory=set)
    dropped_indexes: set[str] = field(default_factory=set)
    never_null: dict[str, tuple[str, str]] = field(default_factory=dict)
    validated: set[tuple[str, str]] = field(default_factory=set)

    def busy(self, table: str) -> bool:
        return table not in self.made and table not in self.small

    def former(self, table: str) -> bool:
        return table not in self.made


def faults_of(module: ModuleType) -> list[str]:
    """What is wrong with a migration's way up."""
    return faults(statements(module), small=getattr(module, "SMALL", {}), contract=getattr(module, "CONTRACT", ""))


def statements(module: ModuleType) -> list[str]:
    """The SQL of a migration's way up, one statement each, in small letters, without texts and bodies of functions."""
    told = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": told, "transactional_ddl": True}
    )
    with Operations.context(context), context.begin_transaction(_per_migration=True):
        module.upgrade()
    return list(split(told.getvalue()))


def module_of(revision: str) -> ModuleType:
    """A migration, by its revision."""
    (found,) = VERSIONS.glob(f"{revision}_*.py")
    return importlib.import_module(f"migrations.versions.{found.stem}")


def split(sql: str) -> Iterator[str]:
    """Statements, without comments, texts and bodies; those that a `do` block runs, after it."""
    for block in re.findall(r"\bdo\s+\$(\w*)\$(.*?)\$\1\$", sql, re.DOTALL | re.IGNORECASE):
        for inside in split(block[1]):
            yield re.sub(
                r"^(?:(?:begin|then|else|loop) )+",
                "",
                re.sub(r"^(?:if|for|declare) .*? (?=begin|then|loop)", "", inside),
            )
    bare = re.sub(r"\$(\w*)\$.*?\$\1\$", "''", sql, flags=re.DOTALL)
    bare = re.sub(r"'(?:[^']|'')*'", lambda found: _kept(found[0]), bare)
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", bare, flags=re.DOTALL)
    for each in bare.split(";"):
        if words := re.sub(r"\s+", " ", each).strip():
            yield words.lower()


def _kept(literal: str) -> str:
    # A value of a setting is read below; no other text is.
    return literal if re.fullmatch(r"'[\w.]*'", literal) else "''"


def faults(said: Sequence[str], *, small: Mapping[str, str] | None = None, contract: str = "") -> list[str]:
    """What is wrong with these statements, each with what to do instead."""
    small = small or {}
    unexplained = [f"SMALL: say why {table} is small" for table, why in small.items() if len(why) < 10]
    seen, found = _Seen(frozenset(small), bool(contract)), unexplained
    for position, each in enumerate(said):
        seen.taken_again = _taken_again(said[position + 1 :])
        found += [f"{fault}: {each[:100]}" for fault in _of_one(each, seen)]
    return found


def _taken_again(following: Sequence[str]) -> frozenset[str]:
    """Names that somebody else takes before the transaction ends: whoever waits for them finds the new one."""
    taken = set()
    for each in itertools.takewhile(lambda statement: not re.match(r"(?:commit|begin)\b", statement), following):
        if found := re.match(rf"create (?:unique )?(?:table|index) {_IF}{_NAME}", each):
            taken.add(found[1])
    return frozenset(taken)


def _of_one(statement: str, seen: _Seen) -> Iterator[str]:
    if found := re.match(rf"create (?:temp(?:orary)? |unlogged )?table {_IF}{_NAME}", statement):
        seen.made.add(found[1])
    elif found := re.match(rf"alter table {_IF}{_NAME} (.*)", statement):
        for action in _actions(found[2]):
            yield from _of_a_table(found[1], action, seen)
    elif "index" in statement.split(" (")[0]:
        yield from _of_an_index(statement, seen)
    elif found := re.match(rf"(?:update|delete from) {_NAME}", statement):
        if seen.busy(found[1]) and found[1] != "alembic_version":
            yield "fills a busy table in one transaction, and holds its rows: fill in batches, in a job"
    else:
        yield from _of_others(statement, seen)


def _of_others(statement: str, seen: _Seen) -> Iterator[str]:
    if found := re.match(rf"drop (?:materialized )?(?:table|view) {_IF}{_NAME}", statement):
        if seen.former(found[1]) and not seen.contract:
            yield "drops what the former release reads: say CONTRACT, a release later"
    elif re.match(r"drop (?:function|procedure|type|sequence|schema|domain)", statement):
        if not seen.contract:
            yield "drops what the former release calls: say CONTRACT, a release later"
    elif re.match(r"alter .* rename ", statement):
        if not seen.contract:
            yield "renames what the former release reads: say CONTRACT, a release later"
    elif re.match(r"(?:truncate|lock table|lock|cluster|vacuum)\b", statement):
        yield "locks everybody out"
    elif re.match(r"refresh materialized view (?!concurrently)", statement):
        yield "locks readers out: refresh concurrently"
    elif re.match(r"set (?:session |local )?lock_timeout|reset (?:lock_timeout|all)", statement):
        yield "changes how long a migration may wait for a lock, which portal.schema says"


def _of_an_index(statement: str, seen: _Seen) -> Iterator[str]:
    if found := re.match(rf"create (?:unique )?index (concurrently )?{_IF}(\w+) on {_NAME}", statement):
        concurrently, name, table = found.groups()
        if concurrently and name not in seen.dropped_indexes:
            yield "leaves an invalid index when it is interrupted: migrations.online.add_index"
        elif not concurrently and seen.busy(table):
            yield "holds writers back while an index is built: migrations.online.add_index"
    elif found := re.match(rf"drop index (concurrently )?{_IF}{_NAME}", statement):
        seen.dropped_indexes.add(found[2])
        if not found[1] and not seen.contract and not seen.made:
            yield "waits for every reader: migrations.online.drop_index"
    elif re.match(r"reindex (?!.*concurrently)", statement):
        yield "holds writers back: reindex concurrently"
    elif found := re.match(rf"alter index {_IF}{_NAME} rename ", statement):
        yield from () if seen.contract or found[1] in seen.taken_again else ("renames: say CONTRACT",)


def _of_a_table(table: str, action: str, seen: _Seen) -> Iterator[str]:
    if re.match(r"(?:no force|disable) row level security", action):
        yield "opens the rows of a table to everybody"
    elif re.match(r"rename |drop column|drop (?!constraint|column|identity|expression)", action):
        given_on = action.startswith("rename to ") and table in seen.taken_again
        if seen.former(table) and not seen.contract and not given_on:
            yield "takes away what the former release reads: say CONTRACT, a release later"
    elif seen.busy(table):
        yield from _of_a_busy_table(table, action, seen)


def _of_a_busy_table(table: str, action: str, seen: _Seen) -> Iterator[str]:
    if found := re.match(r"validate constraint (\w+)", action):
        if column := seen.never_null.get(found[1]):
            seen.validated.add(column)
    elif found := re.match(r"alter (?:column )?\"?(\w+)\"? set not null", action):
        if (table, found[1]) not in seen.validated:
            yield "reads the whole table while it is locked: migrations.online.require"
    elif re.match(r"alter (?:column )?\S+ (?:set data )?type ", action):
        yield "writes the whole table again: a new column, filled by a job, then a contract step"
    elif re.match(r"set (?:logged|unlogged|tablespace|access method)", action):
        yield "writes the whole table again"
    elif re.match(r"add (?:constraint|check|foreign|unique|primary|exclude)", action):
        yield from _of_a_constraint(table, action, seen)
    elif found := re.match(rf"add (?:column )?{_IF}(.*)", action):
        yield from _of_a_column(found[1])


def _of_a_constraint(table: str, action: str, seen: _Seen) -> Iterator[str]:
    if found := re.match(r"add constraint (\w+) check \((\w+) is not null\) not valid", action):
        seen.never_null[found[1]] = table, found[2]
    elif re.search(r"\b(?:unique|primary key)\b", action) and "using index" not in action:
        yield "holds writers back while its index is built: add_index(unique=True), then `using index`"
    elif "exclude" in action:
        yield "holds writers back while its index is built: there is no other way, put it on a new table"
    elif re.search(r"\b(?:check|foreign key)\b", action) and not action.endswith("not valid"):
        yield "reads the whole table while it is locked: migrations.online.add_check or add_reference"


def _of_a_column(definition: str) -> Iterator[str]:
    if re.search(r"\breferences\b|\bunique\b|\bprimary key\b|\bcheck\b", definition):
        yield "reads the whole table while it is locked: the column first, then migrations.online"
    if re.search(r"\b(?:big|small)?serial\b|\bgenerated\b", definition):
        yield "writes the whole table again: a column without it, filled by a job"
    default = re.search(r"\bdefault (.*)", definition)
    if default and set(re.findall(r"(\w+)\(", default[1])) - _STABLE:
        yield "writes the whole table again, its default being another one for each row: filled by a job"
    if "not null" in definition and not default:
        yield "fails on a table that has rows: nullable, filled, then migrations.online.require"


def _actions(said: str) -> Iterator[str]:
    """The parts of an `alter table`, split at the commas that are in no bracket."""
    depth, part = 0, ""
    for letter in said:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            yield part.strip()
            part = ""
        else:
            part += letter
    yield part.strip()
