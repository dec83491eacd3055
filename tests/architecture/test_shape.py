"""Short functions, short modules, guessable names, and each module keeping to its own work."""

import ast

import pytest

from tests.architecture.code import Module, modules, where

LONGEST_FUNCTION, LONGEST_MODULE = 40, 400
VAGUE = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "manager",
    "managers",
    "tools",
    "stuff",
    "core",
    "base",
}

# What one may only do behind a door (`portal.gateways`) or at the identity provider's (`auth`).
SOCKETS = {
    "socket", "ssl", "smtplib", "imaplib", "poplib", "ftplib", "telnetlib", "http.client", "urllib.request",
    "requests", "httpx", "urllib3", "aiohttp", "socketserver", "websockets", "stripe",
}  # fmt: skip
MAY_OPEN_SOCKETS = (
    "portal.apart",
    "portal.gateways",
    "auth.oidc",
    "auth.demo_idp",
    "portal.embedded",
    "portal.web.listening",
)
# Instruments of tests and of the demonstration: production must not be able to reach them by accident.
TWINS = {"auth.demo_idp": ("auth.demo_idp",), "portal.gateways.payments.payfip_twin": ("portal.gateways",),
         "portal.gateways.payments.stripe_twin": ("portal.gateways",),
         "portal.gateways.mssante.twin": ("portal.gateways.mssante.twin",)}  # fmt: skip

by_module = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


def test_functions_stay_under_forty_lines() -> None:
    long = [
        f"{where(module, function)} {function.name}: {length} lines"
        for module in modules()
        for function in module.functions()
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long == []


def test_modules_stay_under_four_hundred_lines() -> None:
    long = {
        module.name: lines
        for module in modules()
        if (lines := len(module.path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }
    assert long == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [module.name for module in modules() if VAGUE & set(module.name.split("."))] == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        module.name for module in modules() if not ast.get_docstring(module.tree) and module.path.stem != "__main__"
    ]
    assert silent == []


@by_module
class TestAModule:
    def test_opens_no_socket_unless_it_is_a_door(self, module: Module) -> None:
        if not module.name.startswith(MAY_OPEN_SOCKETS):
            assert SOCKETS & set(module.imports()) == set()

    def test_does_not_reach_the_instruments_of_the_demonstration(self, module: Module) -> None:
        for twin, allowed in TWINS.items():
            if not module.name.startswith(allowed):
                assert [name for name in module.imports() if name.startswith(twin)] == []

    def test_of_rules_knows_neither_flask_nor_forms(self, module: Module) -> None:
        if module.drawer in ("actions", "queries", "models", "states") and module.name.split(".")[0] != "admin":
            roots = {name.split(".")[0] for name in module.imports()}
            assert roots & {"flask", "flask_wtf", "wtforms", "werkzeug", "jinja2"} == set()

    def test_leaves_the_end_of_transactions_to_the_edges(self, module: Module) -> None:
        """A route is an edge: it ends its transaction before a call to the outside, and the request ends the rest."""
        if module.name.split(".")[0] in ("services", "admin", "auth") and not module.name.rpartition(".")[2].startswith(
            "routes"
        ):
            ends = [
                where(module, node)
                for node in ast.walk(module.tree)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("commit", "rollback")
            ]
            assert ends == []
