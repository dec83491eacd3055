"""Whatever changes something says so in the audit: each action by itself or through what it calls."""

import ast
from functools import cache

import pytest

from tests.architecture.code import Function, Module, modules

RECORD = "portal.audit.record"
WRITERS = {"add", "add_all", "delete", "merge", "execute", "flush"}
"""Of a session. `execute` is a write when it is given an insert, an update or a delete."""
STATEMENTS = {"insert", "update", "delete"}

SILENT = {
    "services.appointments.actions.holding.give_up": "a time given back was nobody's yet; keeping it was audited",
    "services.appointments.actions.holding.sweep": "the same, when the time kept has ended",
    "services.appointments.agendas.actions.open_ahead": "the calendar goes on as the audited templates say",
    "services.exchanges.actions.delivering.postpone": "a try that did not arrive; what was taken or refused is audited",
    "services.exchanges.actions.following.let_go": "a job gives its lease back; what it told is audited",
    "services.preadmission.office.actions.leave": "who has a page open is no fact about the file",
    "services.billing.ledger.actions.post": "the hand that writes; whoever moves money says so in the audit",
    "services.billing.stripe_events.actions.book_fee": "what Stripe keeps of a payment that was audited",
    "auth.news.actions.mark_all_read": "what is new is one's own list; nobody else's eyes were on it",
    "services.satisfaction.actions.answer": "who answers is written nowhere: opinions are without names",
    "services.appointments.kiosk.actions.prove": "a try is counted before it is looked at; what it gave is audited",
    "auth.actions.begin": "a sign-in that leaves is nobody's yet; its end is audited",
    "auth.actions.take": "the same: taken back, then audited as opened or refused",
    "auth.enrolment.actions.asking.count_try": "a try is counted before it is looked at; what it gave is audited",
}
"""Actions that write without a line of their own, and why."""


def _is_an_action(module: Module, function: Function) -> bool:
    """A public function of an `actions` module; of a package, one that it gives to the others."""
    parts = module.name.split(".")
    if "actions" not in parts or function.name.startswith("_") or _is_a_job(function):
        return False
    package = ".".join(parts[: parts.index("actions") + 1])
    return module.name == package or any(function.name in _names(each) for each in modules() if each.name == package)


@cache
def _functions() -> dict[str, tuple[Module, Function]]:
    """Every top-level function of the product, by its full name."""
    return {
        f"{module.name}.{node.name}": (module, node)
        for module in modules()
        for node in module.tree.body
        if isinstance(node, Function)
    }


@cache
def _names(module: Module) -> dict[str, str]:
    """What each name of a module stands for, in full."""
    known = {name.rpartition(".")[2]: name for name in _functions() if name.rpartition(".")[0] == module.name}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names}
    return known


def _resolved(module: Module, called: ast.expr) -> str:
    """The full name of what is called: `audit.record` → portal.audit.record; "" when it is a method."""
    first, _dot, rest = ast.unparse(called).partition(".")
    name = _names(module).get(first, "")
    full = f"{name}.{rest}" if rest and name else name
    return _exported(full) if full not in _functions() else full


def _exported(name: str) -> str:
    """A package gives its modules' functions as its own: services.documents.actions.file → …actions.filing.file."""
    package, _dot, last = name.rpartition(".")
    for module in modules():
        if module.name == package and last in _names(module) and _names(module)[last] != name:
            return _names(module)[last]
    return name


def _calls(module: Module, function: Function) -> set[str]:
    return {_resolved(module, node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}


@cache
def _reach(name: str) -> frozenset[str]:
    """Everything an action may end up calling, in its own and in other rooms' modules."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            if current in _functions():
                waiting += _calls(*_functions()[current])
    return frozenset(seen)


def _writes(name: str) -> bool:
    return any(reached in _functions() and _is_a_write(*_functions()[reached]) for reached in _reach(name))


def _is_a_write(module: Module, function: Function) -> bool:
    if module.name.startswith(("portal.kpi", "portal.jobs", "portal.audit", "portal.db")):
        return False  # the ledgers and the queue follow what an action does
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            on, verb = ast.unparse(node.func.value), node.func.attr
            if on in ("session", "current", "db.session") and verb in WRITERS - {"execute", "flush"}:
                return True
            if verb in ("execute", "scalar", "scalars") and any(
                isinstance(inner, ast.Call) and ast.unparse(inner.func) in STATEMENTS for inner in ast.walk(node)
            ):
                return True
    return False


def _is_a_job(function: Function) -> bool:
    return any(ast.unparse(decorator).startswith("jobs.") for decorator in function.decorator_list)


ACTIONS = sorted(name for name, (module, function) in _functions().items() if _is_an_action(module, function))


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_that_writes_leaves_a_line(name: str) -> None:
    if name not in SILENT:
        assert RECORD in _reach(name) or not _writes(name), "call audit.record, or say in SILENT why not"


def test_actions_are_found_and_most_of_them_write() -> None:
    """So that this file cannot pass by looking at nothing."""
    writing = [name for name in ACTIONS if _writes(name)]
    assert len(ACTIONS) > 30
    assert len(writing) > len(ACTIONS) / 2


def test_exceptions_are_still_needed() -> None:
    assert all(_writes(name) and RECORD not in _reach(name) for name in SILENT)
