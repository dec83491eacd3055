"""Promises of the security table (docs/security/asvs.csv) that no room keeps by itself."""

import ast
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from auth.local import passwords
from portal import logs
from portal.config import Settings
from tests.architecture.code import Module, modules
from tests.factories import people
from tests.ground import prepared

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "assets").rglob("*.js") if "node_modules" not in path.parts)
STARTERS = {
    "portal.apart", "portal.backup.programs", "portal.backup.server", "portal.backup.taking", "portal.backup.wal",
    "portal.cli", "portal.embedded.postgres", "portal.embedded.supervisor", "services.directory.commands",
    "services.directory.jobs",
}  # fmt: skip
"""Modules that start a process, always with a list of words of our own and never through a shell."""
RUNS = {"subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_output", "subprocess.check_call",
        "os.system", "os.popen", "os.execv", "os.execvp", "os.execvpe", "os.spawnv"}  # fmt: skip
PUBLIC = (
    "/",
    "/connexion",
    "/recherche",
    "/accessibilite",
    "/nothing-here",
    "/.well-known/security.txt",
    "/status/live",
)


def called(module: Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a module, as it is written."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


class TestTheCode:
    def test_no_process_is_started_elsewhere_than_here(self) -> None:
        found = {module.name for module in modules() for name, _call in called(module) if name in RUNS}
        assert found == STARTERS

    def test_no_shell_is_asked(self) -> None:
        shells = [
            f"{module.name}:{call.lineno}"
            for module in modules()
            for name, call in called(module)
            if name in RUNS and any(each.arg == "shell" for each in call.keywords)
        ]
        assert shells == []

    def test_no_code_is_evaluated(self) -> None:
        """Neither code nor a template made of a text."""
        wrong = {"eval", "exec", "compile", "__import__", "render_template_string"}
        found = [f"{module.name}:{call.lineno} {name}" for module in modules() for name, call in called(module)
                 if name in wrong or name.endswith((".from_string", ".render_template_string"))]  # fmt: skip
        assert [each for each in found if "puremagic" not in each] == []

    def test_no_format_that_makes_objects_is_read(self) -> None:
        objects = {"pickle", "cPickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"}
        found = [module.name for module in modules() if objects & {name.split(".")[0] for name in module.imports()}]
        assert found == []

    def test_no_expression_is_made_of_what_was_typed(self) -> None:
        """A pattern is a text of ours; where it is a name, that name is a constant of the module or a row of a table of
        ours."""
        ours = {
            "services.communities.library.reading.reader", "services.billing.imports.wording",
            "services.directory.wording", "services.documents.mss.bounces", "services.documents.cda.narrative",
            "admin.forms_offer", "auth.wording",
        }  # fmt: skip
        names = {"re.compile", "re.match", "re.search", "re.fullmatch", "re.sub", "re.split", "re.findall"}
        found = {
            module.name
            for module in modules()
            for name, call in called(module)
            if name in names and call.args and not isinstance(call.args[0], (ast.Constant, ast.JoinedStr, ast.BinOp))
        }
        assert found <= ours


class TestAnswers:
    def test_trace_is_not_answered(self, client: FlaskClient) -> None:
        for path in ("/", "/status/live", "/connexion"):
            assert client.open(path, method="TRACE").status_code == 405

    @pytest.mark.parametrize("path", ["/static/", "/static", "/static/..", "/theme/", "/logo/"])
    def test_no_folder_is_listed(self, client: FlaskClient, path: str) -> None:
        assert client.get(path).status_code == 404

    @pytest.mark.parametrize("path", PUBLIC)
    def test_every_text_says_its_letters(self, client: FlaskClient, path: str) -> None:
        kind = client.get(path).headers["Content-Type"]
        assert "charset=utf-8" in kind.lower() or kind == "application/json"

    @pytest.mark.parametrize("path", PUBLIC)
    def test_no_other_origin_reads_a_page(self, client: FlaskClient, path: str) -> None:
        answer = client.get(path, headers={"Origin": "https://evil.exemple.test"})
        assert not any(name.startswith("Access-Control-") for name, _value in answer.headers)


class TestCookies:
    def test_are_bound_by_their_name(self) -> None:
        """On https each bears `__Host-`: its name is asked of a function, never written there."""
        written = [
            f"{module.name}:{call.lineno}"
            for module in modules()
            for name, call in called(module)
            if name.endswith(".set_cookie") and call.args and not isinstance(call.args[0], ast.Call)
            and not module.name.startswith(("auth.demo_idp", "auth.sessions"))
            and name != "sessions.set_cookie"
        ]  # fmt: skip
        assert written == []

    def test_are_for_every_page_as_that_name_wants(self) -> None:
        """A browser refuses a `__Host-` cookie of another path, or for a whole domain."""
        given = [
            (f"{module.name}:{call.lineno}", keyword.arg, ast.unparse(keyword.value))
            for module in modules()
            for name, call in called(module)
            if name.endswith((".set_cookie", ".delete_cookie")) and not module.name.startswith("auth.demo_idp")
            for keyword in call.keywords
            if keyword.arg in ("path", "domain")
        ]  # fmt: skip
        assert [each for each in given if each[1:] != ("path", "'/'")] == []

    def test_of_the_language_is(self, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", True)
        answer = client.get("/connexion?lang=en", base_url="https://127.0.0.1")
        assert any(each.startswith("__Host-parvis_lang=en;") for each in answer.headers.getlist("Set-Cookie"))


class TestScripts:
    """Ours; what the government's design system ships is not written here."""

    def test_are_found(self) -> None:
        assert len(SCRIPTS) >= 5

    def test_scripts_write_text_and_never_markup(self) -> None:
        wrong = re.compile(
            r"innerHTML|outerHTML|insertAdjacentHTML|DOMParser|document\.write|\beval\(|new Function|postMessage"
        )
        assert [path.name for path in SCRIPTS if wrong.search(path.read_text(encoding="utf-8"))] == []

    def test_scripts_keep_nothing_of_a_person(self) -> None:
        """In the browser's stores: when it was last seen, and whether a sound is off."""
        kept = {
            key
            for path in SCRIPTS
            for key in re.findall(r"(?:local|session)Storage\.setItem\((\w+)", path.read_text(encoding="utf-8"))
        }
        assert kept <= {"SEEN", "OFF"}
        assert not any("indexedDB" in path.read_text(encoding="utf-8") for path in SCRIPTS)

    def test_scripts_merge_no_objects(self) -> None:
        merging = re.compile(
            r"Object\.assign\((?!document\.createElement)|__proto__|\.prototype\b|structuredClone|\[\w+\]\[\w+\]\s*="
        )
        assert [path.name for path in SCRIPTS if merging.search(path.read_text(encoding="utf-8"))] == []


class TestSecurityTxt:
    def test_is_of_rfc_9116(self, client: FlaskClient) -> None:
        answer = client.get("/.well-known/security.txt")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        fields = [line.partition(": ") for line in answer.text.splitlines() if line and not line.startswith("#")]
        names = [name for name, _colon, _value in fields]
        values = {name: value for name, _colon, value in fields}
        assert names.count("Expires") == 1, "section 2.5.5"
        assert names.count("Contact") >= 1, "section 2.5.3"
        assert names.count("Preferred-Languages") <= 1, "section 2.5.8"
        assert set(names) <= {"Acknowledgments", "Canonical", "Contact", "Encryption", "Expires", "Hiring", "Policy",
                              "Preferred-Languages"}  # fmt: skip
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", values["Expires"])
        assert client.get(values["Contact"].partition("127.0.0.1")[2]).status_code == 200, "the page is there"


def test_a_password_of_sixty_four_characters_is_taken() -> None:
    assert passwords.weakness("Vingt-trois corneilles regardent la marée montante depuis le môle") == ""
    assert passwords.LONGEST >= 64


def test_passwords_take_the_work_that_is_advised_today() -> None:
    """OWASP's password storage cheat sheet: scrypt with N = 2^15, r = 8, p = 3, or more."""
    n, r, p = (int(each) for each in passwords.hashed("x").split("$")[0].split(":")[1:])
    assert n >= 2**15
    assert r >= 8
    assert n * p >= 3 * 2**15


class TestARefusedAccess:
    @pytest.mark.parametrize(("path", "code"), [("/admin/connecteurs", 403), ("/mon-compte/nothing-here", 404)])
    def test_is_a_line_that_says_who_and_where(self, sign_in: Callable[..., FlaskClient], path: str, code: int) -> None:
        with prepared():
            account, _patient = people.patient_with_account()
        browser = sign_in(account)
        before = structlog.get_config()
        structlog.reset_defaults()  # the suite's own level hides what is not an error
        with capture_logs() as seen:
            assert browser.get(path).status_code == code
        structlog.configure(**before)
        (line,) = [each for each in seen if each["event"] == "error.shown"]
        assert (line["code"], line["actor"]) == (code, f"patient:{account.id}")
        assert line["reference"]
        assert "Jeanne" not in str(line)


def test_a_log_line_is_one_line_of_json(app: Flask, settings: Settings) -> None:
    """Whatever it holds."""
    hostile = 'x\r\n{"event": "forged"}\x1b[31m\u2028'
    seen = io.StringIO()
    with redirect_stderr(seen):
        logs.configure(settings.model_copy(update={"env": "production", "log_level": "INFO"}))
        structlog.get_logger("tests").info("something.seen", said=hostile)
    logs.configure(settings)
    (line,) = seen.getvalue().splitlines(keepends=False)[:1]
    assert seen.getvalue().count("\n") == 1
    assert json.loads(line)["said"] == hostile
