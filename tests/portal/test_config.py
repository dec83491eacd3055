"""The environment: read whole, explained, and refused when it makes no sense."""

import base64
import re
from pathlib import Path

import pytest

from portal import config
from portal.config import PROVIDERS, ConfigurationError, Settings
from tools import configuration

KEY = base64.b64encode(bytes(range(32))).decode()
MINIMAL = {
    "PORTAL_ENV": "development",
    "PORTAL_SECRET_KEY": "a-key-of-the-tests-0123456789abcdef",
    "PORTAL_FILE_KEYS": f"k1:{KEY}",
    "PORTAL_DATABASE_URL": "postgresql://app:x@db.exemple.test/parvis",
}
PRODUCTION = MINIMAL | {"PORTAL_ENV": "production", "PORTAL_BASE_URL": "https://portail.exemple.fr"}
PROVIDER = {
    "PORTAL_FRANCECONNECT_CLIENT_ID": "us",
    "PORTAL_FRANCECONNECT_CLIENT_SECRET": "x" * 20 + "0123456789ab",
    "PORTAL_FRANCECONNECT_DISCOVERY_URL": "https://fc.exemple.fr/.well-known/openid-configuration",
    "PORTAL_FRANCECONNECT_ISSUER": "https://fc.exemple.fr/api/v2",
}


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as refused:
        config.load(environ)
    return str(refused.value)


class TestASensibleEnvironment:
    def test_is_taken(self) -> None:
        settings = config.load(PRODUCTION | PROVIDER)
        assert (settings.env, settings.secure_cookies) == ("production", True)
        assert [name for name, provider in settings.providers.items() if provider.enabled] == ["franceconnect"]

    def test_is_production_unless_it_says_otherwise(self) -> None:
        assert config.load({name: value for name, value in PRODUCTION.items() if name != "PORTAL_ENV"}).is_production

    def test_may_leave_variables_empty_as_compose_files_do(self) -> None:
        empty = {name: "" for name, *_ in config.variables() if name not in PRODUCTION}
        assert config.load(empty | PRODUCTION) == config.load(PRODUCTION)

    def test_leaves_each_provider_its_usual_algorithm(self) -> None:
        assert {provider.signing_alg for provider in config.load(MINIMAL).providers.values()} == {""}

    @pytest.mark.parametrize(("text", "expected"), [("true", True), ("1", True), ("false", False), ("0", False)])
    def test_says_yes_and_no_in_several_ways(self, text: str, expected: bool) -> None:
        assert config.load(MINIMAL | {"PORTAL_READ_ONLY": text}).read_only is expected

    def test_never_shows_a_secret(self) -> None:
        shown = repr(config.load(PRODUCTION | PROVIDER))
        for name in ("PORTAL_SECRET_KEY", "PORTAL_DATABASE_URL", "PORTAL_FRANCECONNECT_CLIENT_SECRET"):
            assert (PRODUCTION | PROVIDER)[name] not in shown
        assert KEY not in shown


NONSENSE = {
    "PORTAL_ENV": "staging",
    "PORTAL_READ_ONLY": "perhaps",
    "PORTAL_LOG_LEVEL": "LOUD",
    "PORTAL_TRUSTED_PROXIES": "-1",
    "PORTAL_WEB_PROCESSES": "many",
    "PORTAL_BASE_URL": "portail.exemple.fr",
    "PORTAL_DATABASE_URL": "mysql://app@db/parvis",
    "PORTAL_DATABASE_OWNER_URL": "sqlite:///x",
    "PORTAL_FILE_KEYS": "k1:short",
    "PORTAL_FRANCECONNECT_SIGNING_ALG": "none",
    "PORTAL_PROCONNECT_SIGNING_ALG": "HS256",
}


class TestNonsense:
    @pytest.mark.parametrize(("name", "value"), NONSENSE.items())
    def test_is_refused_by_the_name_of_its_variable(self, name: str, value: str) -> None:
        assert refusal(MINIMAL | {name: value}).startswith(name)

    @pytest.mark.parametrize("value", [
        "https://", "ftp://portail", "https://portail/a/path", "https://portail?x=1", "https://portail#x", "//portail",
    ])  # fmt: skip
    def test_of_an_address_is_refused(self, value: str) -> None:
        assert refusal(MINIMAL | {"PORTAL_BASE_URL": value}).startswith("PORTAL_BASE_URL")

    @pytest.mark.parametrize("value", [
        f"{KEY}", f":{KEY}", "k1:!!!", "k1:" + base64.b64encode(b"x" * 31).decode(), f"k1:{KEY},k2", "k1:é",
    ])  # fmt: skip
    def test_of_file_keys_is_refused(self, value: str) -> None:
        assert refusal(MINIMAL | {"PORTAL_FILE_KEYS": value}).startswith("PORTAL_FILE_KEYS")

    @pytest.mark.parametrize("name", ["PORTAL_SECRET_KEY", "PORTAL_FILE_KEYS", "PORTAL_DATABASE_URL"])
    def test_nothing_runs_without_its_essentials(self, name: str) -> None:
        environ = {key: value for key, value in MINIMAL.items() if key != name}
        assert refusal(environ).startswith(name)

    @pytest.mark.parametrize("missing", ["CLIENT_ID", "DISCOVERY_URL", "ISSUER"])
    def test_half_a_provider_is_refused(self, missing: str) -> None:
        environ = MINIMAL | {name: value for name, value in PROVIDER.items() if not name.endswith(missing)}
        assert refusal(environ).startswith("PORTAL_FRANCECONNECT_")

    def test_a_final_slash_is_forgiven(self) -> None:
        assert config.load(MINIMAL | {"PORTAL_BASE_URL": "https://portail.fr/"}).base_url == "https://portail.fr"


class TestProduction:
    @pytest.mark.parametrize(("name", "value"), [
        ("PORTAL_SECRET_KEY", "short"),
        ("PORTAL_SECRET_KEY", "a" * 64),
        ("PORTAL_SECRET_KEY", "change-me"),
        ("PORTAL_FILE_KEYS", "k1:" + base64.b64encode(bytes(32)).decode()),
        ("PORTAL_BASE_URL", "http://portail.exemple.fr"),
        ("PORTAL_BASE_URL", "https://localhost"),
        ("PORTAL_BASE_URL", "https://127.0.0.1:8000"),
        ("PORTAL_ANTIVIRUS_URL", "twin:"),
        ("PORTAL_STORAGE_URL", "twin:"),
        ("PORTAL_PAYFIP_ENDPOINT_URL", "http://127.0.0.1:9000/soap"),
        ("PORTAL_PAYFIP_PAYMENT_URL", "http://www.payfip.gouv.fr/"),
        ("PORTAL_STRIPE_API_BASE", "http://127.0.0.1:9000"),
        ("PORTAL_STRIPE_API_BASE", "http://api.stripe.com"),
        ("PORTAL_FRANCECONNECT_CLIENT_SECRET", "short"),
    ])  # fmt: skip
    def test_refuses_what_a_test_may_use(self, name: str, value: str) -> None:
        assert refusal(PRODUCTION | PROVIDER | {name: value}).startswith(name)

    @pytest.mark.parametrize("address", [
        "http://fc.exemple.fr/", "https://localhost/", "https://localhost./", "https://idp.localhost/",
        "https://127.0.0.1:8001/", "https://[::1]/", "https://127.1/", "https://2130706433/", "https://10.0.0.4/",
        "https://192.168.1.1/", "https://franceconnect.demo.parvis.test/api/v2", "https:///nowhere",
    ])  # fmt: skip
    @pytest.mark.parametrize("which", ["ISSUER", "DISCOVERY_URL"])
    def test_refuses_a_provider_that_is_not_a_public_one(self, which: str, address: str) -> None:
        environ = PRODUCTION | PROVIDER | {f"PORTAL_FRANCECONNECT_{which}": address}
        assert refusal(environ).startswith(f"PORTAL_FRANCECONNECT_{which}")

    @pytest.mark.parametrize("env", ["development", "demo", "test"])
    def test_alone_does(self, env: str) -> None:
        loopback = {"PORTAL_BASE_URL": "http://127.0.0.1:8000", "PORTAL_FRANCECONNECT_ISSUER": "http://127.0.0.1/"}
        config.load(PRODUCTION | PROVIDER | loopback | {"PORTAL_ENV": env})


class TestASecretInAFile:
    def test_is_read_without_its_last_line_break(self, tmp_path: Path) -> None:
        path = tmp_path / "key"
        path.write_text(MINIMAL["PORTAL_SECRET_KEY"] + "\n", encoding="utf-8")
        environ = {name: value for name, value in MINIMAL.items() if name != "PORTAL_SECRET_KEY"}
        settings = config.load(environ | {"PORTAL_SECRET_KEY_FILE": str(path)})
        assert settings.secret_key.get_secret_value() == MINIMAL["PORTAL_SECRET_KEY"]

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
    def test_that_cannot_be_read_is_named(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "key"
        if content is not None:
            path.write_bytes(content)
        assert str(path) in refusal({"PORTAL_SECRET_KEY_FILE": str(path)})

    def test_and_in_a_variable_is_one_too_many(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("x", encoding="utf-8")
        assert "both" in refusal(MINIMAL | {"PORTAL_SECRET_KEY_FILE": str(tmp_path / "key")})

    @pytest.mark.parametrize("name", [name for name, *_, secret in config.variables() if secret])
    def test_may_be_any_secret(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / "secret"
        path.write_text(MINIMAL.get(name, "postgresql://from-the-file"), encoding="utf-8")
        environ = {key: value for key, value in MINIMAL.items() if key != name}
        assert "from-the-file" in str(_revealed(config.load(environ | {f"{name}_FILE": str(path)}))) or name in MINIMAL


def _revealed(settings: Settings) -> list[str]:
    models = [settings, *settings.providers.values()]
    values = [value for model in models for value in dict(model).values()]
    return [value.get_secret_value() for value in values if hasattr(value, "get_secret_value")]


class TestItsDocumentation:
    def test_is_up_to_date(self) -> None:
        assert configuration.DOCUMENT.read_text(encoding="utf-8") == configuration.text(), (
            "run: .venv/bin/python -m tools.configuration"
        )

    def test_explains_every_variable(self) -> None:
        for name, _kind, _default, meaning, _secret in config.variables():
            assert len(meaning) > 5, name

    def test_covers_every_provider(self) -> None:
        names = {name for name, *_ in config.variables()}
        for provider in PROVIDERS:
            assert f"PORTAL_{provider.upper().replace('-', '_')}_CLIENT_ID" in names

    def test_covers_every_variable_that_the_code_reads(self) -> None:
        root = Path(__file__).parents[2]
        read = {
            name
            for folder in ("portal", "auth", "services", "admin")
            for path in (root / folder).rglob("*.py")
            for name in re.findall(r"\bPORTAL_[A-Z0-9_]+\b", path.read_text(encoding="utf-8"))
        }
        known = {name for name, *_ in config.variables()}
        # Prefixes, suffixes (`_FILE`) and the example of the module's docstring.
        loose = {name for name in read if name.endswith("_") or name.startswith("PORTAL_X")}
        assert {name.removesuffix("_FILE") for name in read - loose} <= known
