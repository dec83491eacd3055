"""Whoever is called outside has a limit of time, and leads nobody elsewhere. Only doors call (test_shape.py)."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.code import Module, modules, where

DOORS = ("portal/gateways", "auth/oidc")
OPENING = {
    "create_connection", "HTTPConnection", "HTTPSConnection", "urlopen", "SMTP", "SMTP_SSL", "IMAP4", "IMAP4_SSL",
}  # fmt: skip
"""Opens a line, with a limit given there and then."""
SECOND = {"create_connection"}
"""Those whose second argument is the limit."""
ASKING = {"get", "post", "put", "request", "stream", "delete", "head", "patch"}
CALLERS = {"requests", "httpx", "caller", "self._http", "super()"}
"""What asks by HTTP, by the names that it has in our modules."""


def calls() -> Iterator[tuple[Module, ast.Call]]:
    for module in modules(*DOORS):
        if "twin" not in module.name:
            yield from ((module, node) for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def named(call: ast.Call) -> str:
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def options(call: ast.Call) -> set[str | None]:
    return {word.arg for word in call.keywords}


def has_limit(call: ast.Call) -> bool:
    return "timeout" in options(call) or (named(call) in SECOND and len(call.args) > 1)


def is_asking(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ASKING and ast.unparse(call.func.value) in CALLERS


def test_every_line_that_is_opened_has_a_limit_of_time() -> None:
    found = [(module, call) for module, call in calls() if named(call) in OPENING]
    assert len(found) > 5
    assert [where(module, call) for module, call in found if not has_limit(call)] == []


def test_every_question_by_http_has_one() -> None:
    """Those of identity providers get theirs, and no redirection, in the one place where all of them pass."""
    found = [(module, call) for module, call in calls() if is_asking(call)]
    assert len(found) >= 4
    without = [module.name for module, call in found if not has_limit(call)]
    assert without == ["auth.oidc.http"]
    (passage,) = [call for module, call in calls() if module.name == "auth.oidc.http" and named(call) == "update"]
    assert {"allow_redirects", "timeout"} <= options(passage)


def test_nobody_is_led_elsewhere() -> None:
    """httpx follows no redirection unless it is told to; requests does unless it is told not to."""
    found = [(module, word) for module, call in calls() for word in call.keywords
             if word.arg in ("follow_redirects", "allow_redirects")]  # fmt: skip
    assert [where(module, word) for module, word in found if ast.unparse(word.value) != "False"] == []
    by_requests = {module.name for module, call in calls() if ast.unparse(call.func) == "requests.Session"}
    assert by_requests - {"portal.gateways.confined"} <= {module.name for module, _word in found}


@pytest.mark.parametrize(
    ("said", "has_one"),
    [("socket.create_connection(a)", False), ("socket.create_connection(a, 5)", True), ("SMTP(a, timeout=3)", True),
     ("HTTPConnection(a)", False), ("requests.get(a)", False), ("requests.get(a, timeout=1)", True)],
)  # fmt: skip
def test_a_call_without_one_would_be_seen(said: str, has_one: bool) -> None:
    call = ast.parse(said, mode="eval").body
    assert isinstance(call, ast.Call)
    assert named(call) in OPENING or is_asking(call)
    assert has_limit(call) == has_one
