"""What a request may say and counts for nothing: another method, another host, a way back to another site."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.architecture.code import Module, modules, where
from tests.architecture.test_routes import SAMPLES

ROOT = Path(__file__).parents[2]
OVERRIDES = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST"}
HOSTILE = "evil.exemple.test"
OTHER_HOSTS = {
    "Host": HOSTILE, "X-Forwarded-Host": HOSTILE, "X-Host": HOSTILE, "X-Original-URL": f"https://{HOSTILE}/",
    "X-Rewrite-URL": f"https://{HOSTILE}/", "Forwarded": f"host={HOSTILE};proto=https",
}  # fmt: skip


POURED = ("request.form", "request.args", "request.values", "request.json", "request.get_json", "form.data")


def rules(app: Flask) -> Iterator[Rule]:
    return (rule for rule in app.url_map.iter_rules() if rule.endpoint != "static")


def address(app: Flask, rule: Rule, method: str) -> str:
    """An address of the route, whose parameters name nothing."""
    values: dict[str, object] = {}
    for name, converter in rule._converters.items():
        words: Any = getattr(converter, "items", None)
        values[name] = min(words) if words else SAMPLES[type(converter).__name__]
    return str(app.url_map.bind("127.0.0.1").build(rule.endpoint, values, method=method))


@pytest.fixture
def plain(app: Flask) -> FlaskClient:
    """A browser that nobody signed in with, and that keeps nothing."""
    return FlaskClient(app, app.response_class, use_cookies=False)


class TestAMethod:
    def test_is_the_one_of_the_request_line(self, app: Flask, plain: FlaskClient) -> None:
        """A GET that calls itself a POST, by a header or a field, is a GET: what waits for a POST says 405."""
        adapter = app.url_map.bind("127.0.0.1")
        asked_of = {address(app, rule, "POST") for rule in rules(app) if "POST" in (rule.methods or ())}
        acting = [each for each in sorted(asked_of) if adapter.test(each, "POST") and not adapter.test(each, "GET")]
        assert len(acting) > 300
        wrong = []
        for asked in acting:
            answer = plain.get(f"{asked}?_method=POST&_METHOD=POST", headers=OVERRIDES)
            if answer.status_code != 405:
                wrong.append(f"{asked}: {answer.status_code}")
        assert wrong == []

    def test_that_asks_what_may_be_asked_runs_no_view(
        self, app: Flask, plain: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran: list[str] = []
        for endpoint in list(app.view_functions):

            def noted(_endpoint: str = endpoint, **_values: object) -> str:
                ran.append(_endpoint)
                return ""

            monkeypatch.setitem(app.view_functions, endpoint, noted)
        public = [rule for rule in rules(app) if "OPTIONS" in (rule.methods or ()) and rule.provide_automatic_options]
        for rule in public:
            plain.open(address(app, rule, min(rule.methods or ())), method="OPTIONS")
        assert ran == []

    def test_head_is_a_get_without_a_body(self, app: Flask, plain: FlaskClient) -> None:
        """No route answers HEAD otherwise than it answers GET, which changes nothing (`test_crawl.py`)."""
        assert [
            rule.rule for rule in rules(app) if "HEAD" in (rule.methods or ()) and "GET" not in (rule.methods or ())
        ] == []


def test_another_host_is_named_on_no_public_page(app: Flask, plain: FlaskClient) -> None:
    """Neither in a link nor in a redirection; mails take the configured address (`portal.web.security.public_url`)."""
    public = [rule.rule for rule in rules(app) if not rule._converters and "GET" in (rule.methods or ())]
    assert len(public) > 100
    wrong = []
    for path in public:
        answer = plain.get(path, headers=OTHER_HOSTS)
        if HOSTILE in answer.text or HOSTILE in str(answer.headers):
            wrong.append(f"{path}: {answer.status_code}")
    assert wrong == []


class TestTheWayBack:
    """`?next=` on a dozen routes: where it may lead is decided by one function, `portal.web.addresses.inside`."""

    def test_is_read_by_one_function(self) -> None:
        read = [each for module in modules() for each in _ways_back(module)]
        assert len(read) > 5
        assert [place for place, is_checked in read if not is_checked] == []

    @pytest.mark.parametrize(
        "wanted",
        ["//evil.exemple.test", "/\\evil.exemple.test", "https:evil.exemple.test", "/%2f%2fevil.exemple.test/..//evil",
         "/x\r\nSet-Cookie: a=b", "\t//evil.exemple.test", "/\t/evil.exemple.test", "http://127.0.0.1@evil.exemple.test",
         "javascript:alert(1)", "/\u2215evil.exemple.test", "/x\x00y", "\u3002//evil.exemple.test"],
    )  # fmt: skip
    def test_stays_here_on_every_public_route(self, app: Flask, plain: FlaskClient, wanted: str) -> None:
        public = [rule.rule for rule in rules(app) if not rule._converters and "GET" in (rule.methods or ())]
        for path in public:
            if not path.startswith(("/connexion", "/admin/connexion", "/pro/connexion", "/mon-compte", "/rendez-vous")):
                continue
            answer = plain.get(path, query_string={"next": wanted})
            assert answer.status_code < 500, path
            assert "Set-Cookie: a=b" not in str(answer.headers), path
            where = answer.headers.get("Location", "/")
            assert where.startswith("/"), (path, where)
            assert not where.startswith(("//", "/\\")), (path, where)


def _ways_back(module: Module) -> Iterator[tuple[str, bool]]:
    """Where `request.args.get("next"…)` is read, and whether it is what `inside` is given."""
    if not any(isinstance(node, ast.Constant) and node.value == "next" for node in ast.walk(module.tree)):
        return
    calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    given = {id(each) for call in calls if ast.unparse(call.func).endswith("inside") for each in call.args}
    for call in calls:
        if ast.unparse(call).startswith("request.args.get('next'"):
            yield where(module, call), id(call) in given


class TestAServiceWorker:
    """None: whoever made one run once would answer every page of the portal from then on."""

    def test_is_asked_for_by_no_script_and_no_page(self) -> None:
        ours = [*(ROOT / "assets").rglob("*.js"), *ROOT.glob("*/templates/**/*.html"),
                *ROOT.glob("services/*/**/templates/**/*.html")]  # fmt: skip
        texts = {path: path.read_text(encoding="utf-8") for path in ours if "node_modules" not in path.parts}
        assert [str(path) for path, said in texts.items() if "serviceWorker" in said] == []

    def test_is_given_no_wider_scope(self, plain: FlaskClient) -> None:
        """A script of `/static/dist/` commands that folder alone, where no page is."""
        for path in ("/", "/connexion", "/status/live"):
            answer = plain.get(path, headers={"Service-Worker": "script"})
            assert "Service-Worker-Allowed" not in answer.headers
            assert answer.mimetype != "text/javascript"


class TestAForm:
    def test_is_never_poured_into_a_row(self) -> None:
        """What a page does not ask for has no way in: each field is named where it is written."""
        poured = [
            where(module, node)
            for module in modules() if "_twin" not in module.name
            for node in ast.walk(module.tree) if isinstance(node, ast.Call)
            if (isinstance(node.func, ast.Attribute) and node.func.attr == "populate_obj")
            or any(each.arg is None and ast.unparse(each.value).startswith(POURED) for each in node.keywords)
        ]  # fmt: skip
        assert poured == []
