"""Every `PORTAL_*` variable, typed and explained; refuses to boot on nonsense.

Settings of the machine live here; what differs per hospital is a row in the database (`portal.establishments`).
Each secret `PORTAL_X` may also be given as `PORTAL_X_FILE`, the path of a file that holds it.
"""

import base64
import ipaddress
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

PROVIDERS = ("franceconnect", "franceconnect-plus", "prosanteconnect", "proconnect")
DEMO_ISSUER_SUFFIX = ".demo.parvis.test"
_SHORTEST_SECRET = 32
_FEWEST_SYMBOLS = 10


Model = TypeVar("Model", bound=BaseModel)


class ConfigurationError(Exception):
    """The environment asks for something Parvis will not do. The message says what to change."""


class ProviderSettings(BaseModel):
    """One identity provider, `PORTAL_<P>_*`. Without a client id, its button is not shown."""

    model_config = ConfigDict(frozen=True)

    discovery_url: str = Field("", description="Where the provider publishes its OpenID configuration")
    issuer: str = Field("", description="The issuer the provider must claim, compared to the letter")
    client_id: str = Field("", description="Our client id at the provider")
    client_secret: SecretStr = Field(SecretStr(""), description="Our client secret at the provider")
    signing_alg: Literal["", "ES256", "RS256"] = Field(
        "", description="The one algorithm accepted; empty = the provider's usual one"
    )
    scopes: str = Field("", description="Scopes asked for, separated by spaces; empty = the provider's usual ones")
    acr_values: str = Field("", description="Assurance levels asked for; empty = the provider's usual ones")
    acr_accepted: str = Field("", description="Assurance levels accepted, separated by spaces; empty = the usual ones")

    userinfo_mode: Literal["", "json", "jwt", "jwe"] = Field(
        "", description="How the provider tells who the person is; empty = its usual way"
    )
    token_auth_method: Literal["", "client_secret_post", "client_secret_basic"] = Field(
        "", description="How we show our secret; empty = client_secret_post"
    )

    @property
    def enabled(self) -> bool:
        return bool(self.client_id and self.discovery_url)


class SealingProviderSettings(ProviderSettings):
    """A provider that encrypts its answers for us."""

    encryption_keys: SecretStr = Field(
        SecretStr(""),
        description="Our private keys, PEM blocks or JWK, current first; public at /oidc/jwks; empty = one made from"
        " PORTAL_SECRET_KEY",
    )


class Settings(BaseModel):
    """The settings of this machine."""

    model_config = ConfigDict(frozen=True)

    env: Literal["production", "development", "demo", "test"] = Field(
        "production", description="What this instance is; production refuses weak secrets and loopback providers"
    )
    base_url: str = Field("http://127.0.0.1:8000", description="The public address of the portal, no final slash")
    secret_key: SecretStr = Field(SecretStr(""), description="Signs cookies and tokens; at least 32 characters")
    secret_key_fallbacks: SecretStr = Field(
        SecretStr(""), description="Recognised, and never sign: the former key, or the next one; several, one a line"
    )
    file_keys: SecretStr = Field(
        SecretStr(""), description="Keys that wrap the files' keys: `id:base64(32 bytes)`, comma list, current first"
    )
    database_url: SecretStr = Field(
        SecretStr(""), description="PostgreSQL (15 or later), the application's role: neither superuser nor owner"
    )
    database_owner_url: SecretStr = Field(
        SecretStr(""), description="PostgreSQL, the schema's owner; used by `parvis db upgrade` alone"
    )
    database_prepare: bool = Field(True, description="Prepared statements; set to false behind PgBouncer")
    redis_url: SecretStr = Field(SecretStr(""), description="Redis or Valkey for rate limits; empty = in the database")
    storage_url: str = Field(
        "file:var/files",
        description="Where files are stored: file:PATH | s3://host[:port]/bucket[/prefix][?region=…&ca=PATH] |"
        " s3+http://… (no TLS)",
    )
    storage_access_key: SecretStr = Field(SecretStr(""), description="The id of our key at the S3 store")
    storage_secret_key: SecretStr = Field(SecretStr(""), description="The secret of that key")
    backup_url: str = Field(
        "", description="Where `parvis backup` keeps what it makes: file:PATH; empty = backups are made by other means"
    )
    backup_keys: SecretStr = Field(
        SecretStr(""), description="Keys of the backups, as PORTAL_FILE_KEYS and never the same"
    )
    backup_database_url: SecretStr = Field(
        SecretStr(""), description="PostgreSQL, the backups' role (replication), direct; used by `parvis backup` alone"
    )
    backup_keep_days: int = Field(14, description="How far back one can go; what was erased stays as long", ge=1, le=35)
    backup_programs: str = Field(
        "", description="The folder of PostgreSQL's programs (pg_basebackup…); empty = found by the server's version"
    )
    antivirus_url: str = Field("none:", description="none: | clamd://host:port | clamd:///socket | twin:")
    mail_url: SecretStr = Field(
        SecretStr("console:"), description="console: | smtp://user:password@host:port?starttls=1"
    )
    sms_url: str = Field("console:", description="console:")
    siem_url: str = Field(
        "none:",
        description="Where the sealed audit is sent: none: | file:PATH | syslog+tcp://host:port |"
        " syslog+tls://host:port?ca=PATH",
    )
    mail_from: str = Field("Parvis <ne-pas-repondre@parvis.test>", description="The sender of our mails")
    read_only: bool = Field(False, description="Answer writes with 503 and keep the reading pages up")
    printed_lists_dir: str = Field(
        "",
        description="Where lists of the day are written every hour, for work without the portal: a folder of another"
        " machine that is mounted here; empty = none is written",
    )
    printed_lists_hours: int = Field(48, description="How many hours these lists are kept", ge=2, le=168)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", description="Verbosity of the log"
    )
    otlp_url: str = Field(
        "",
        description="Where traces are sent (OpenTelemetry, OTLP over HTTP): http://host:4318; empty = there are none."
        " OTEL_* variables say the rest",
    )
    metrics_token: SecretStr = Field(SecretStr(""), description="Opens /status/metrics from elsewhere than loopback")
    trusted_proxies: int = Field(0, description="How many reverse proxies set X-Forwarded-* in front of us", ge=0)
    web_processes: int = Field(0, description="Web processes; 0 = one per core", ge=0)
    security_contact: str = Field(
        "", description="Whom to tell of a weakness (security.txt): mailto:… or https://…; empty = the legal notice"
    )
    portal_name: str = Field("Parvis", description="The name patients see: the hospital group's")
    cda_stylesheet: str = Field(
        "",
        description="The national stylesheet for clinical documents (CDA-FO.xsl, in a folder of its own, not shipped"
        " here); empty = letters are laid out by the portal alone",
    )
    leaked_passwords: str = Field(
        "",
        description="Passwords known from leaks, which nobody may choose: the file of Pwned Passwords (SHA-1,"
        " ordered by hash), or the folder of its ranges; empty = only the commonest ones are refused",
    )
    payfip_endpoint_url: str = Field(
        "https://www.payfip.gouv.fr/tpa/services/securite", description="PayFiP's SOAP endpoint"
    )
    payfip_payment_url: str = Field(
        "https://www.payfip.gouv.fr/tpa/paiementws.web", description="PayFiP's payment page"
    )
    stripe_api_base: str = Field("https://api.stripe.com", description="Stripe's API, without /v1")
    stripe_api_key: SecretStr = Field(
        SecretStr(""), description="Stripe's key, for an installation of one hospital; others have one per hospital"
    )
    stripe_webhook_secrets: SecretStr = Field(
        SecretStr(""), description="What signs Stripe's webhooks (`whsec_…`), comma list; several during a rotation"
    )

    inside_hosts: str = Field(
        "",
        description="Hosts inside the network that administrators may name, for hospital systems, identity providers,"
        " secure mail and subscriptions: name, name:port or network/length, separated by spaces; others are refused",
    )
    directory_urls: str = Field(
        "", description="Where the national directory's files are fetched every day, separated by spaces"
    )
    directory_anchors: str = Field(
        "",
        description="A file of root certificates (PEM) to trust there: IGC-Santé's, which no machine trusts by itself",
    )

    franceconnect_ends_on: date = Field(
        date(2028, 12, 31), description="The last day of plain FranceConnect for health services; told a year ahead"
    )

    providers: dict[str, ProviderSettings] = Field(default_factory=dict, exclude=True)

    @field_validator("base_url")
    @classmethod
    def _no_final_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")

    def secret_keys(self) -> tuple[str, ...]:
        """What signs, then what is recognised too: at least one."""
        fallbacks = map(str.strip, self.secret_key_fallbacks.get_secret_value().splitlines())
        return tuple(dict.fromkeys((self.secret_key.get_secret_value(), *filter(None, fallbacks))))

    def storage_keys(self) -> tuple[str, str]:
        """The id and the secret of our key at the S3 store; empty for a folder."""
        return self.storage_access_key.get_secret_value(), self.storage_secret_key.get_secret_value()

    def file_key_ring(self) -> dict[str, bytes]:
        """Key id → 32-byte key; the first one is the current one. Raises ConfigurationError on a malformed list."""
        return _key_ring("PORTAL_FILE_KEYS", self.file_keys)

    def backup_key_ring(self) -> dict[str, bytes]:
        """As `file_key_ring`, for backups; empty when there are none."""
        return _key_ring("PORTAL_BACKUP_KEYS", self.backup_keys)


def _key_ring(variable: str, keys: SecretStr) -> dict[str, bytes]:
    ring: dict[str, bytes] = {}
    for item in filter(None, keys.get_secret_value().split(",")):
        name, _, text = item.strip().partition(":")
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError as error:
            raise ConfigurationError(f"{variable}: key {name!r} is not base64") from error
        if not name or len(key) != 32 or name in ring:
            raise ConfigurationError(f"{variable}: each key is `id:base64 of 32 bytes`, each id its own")
        ring[name] = key
    return ring


_PROVIDER_MODELS: Mapping[str, type[ProviderSettings]] = {
    name: SealingProviderSettings if name == "franceconnect-plus" else ProviderSettings for name in PROVIDERS
}


def variables() -> list[tuple[str, str, str, str, bool]]:
    """(name, type, default, meaning, secret) of every variable, for `parvis config` and docs/configuration.md."""
    rows = [
        _describe(f"PORTAL_{name.upper()}", field)
        for name, field in Settings.model_fields.items()
        if name != "providers"
    ]
    for provider, model in _PROVIDER_MODELS.items():
        for name, field in model.model_fields.items():
            rows.append(_describe(f"PORTAL_{_upper(provider)}_{name.upper()}", field))
    return rows


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the environment. Raises ConfigurationError with a message for the operator."""
    environ = os.environ if environ is None else environ
    providers = {name: _parsed(model, f"PORTAL_{_upper(name)}_", environ) for name, model in _PROVIDER_MODELS.items()}
    settings = _parsed(Settings, "PORTAL_", environ, providers=providers)
    _refuse_nonsense(settings)
    return settings


def _parsed(model: type[Model], prefix: str, environ: Mapping[str, str], **more: Any) -> Model:
    try:
        return model(**_read(model, prefix, environ), **more)
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"{prefix}{name}: {first['msg']}") from error


def _upper(provider: str) -> str:
    return provider.replace("-", "_").upper()


def _describe(name: str, field: Any) -> tuple[str, str, str, str, bool]:
    secret = field.annotation is SecretStr
    choices = " | ".join(filter(None, get_args(field.annotation)))
    kind = "secret" if secret else choices or field.annotation.__name__
    default = field.default.get_secret_value() if secret else str(field.default)
    return name, kind, default, field.description or "", secret


def _read(model: type[BaseModel], prefix: str, environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in model.model_fields:
        name = prefix + field.upper()
        # An empty variable is how compose files and charts say "not set".
        value, path = environ.get(name), environ.get(f"{name}_FILE")
        if value and path:
            raise ConfigurationError(f"{name} and {name}_FILE are both set: which one is meant?")
        if path:
            values[field] = _read_secret(name, path)
        elif value:
            values[field] = value
    return values


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{name}_FILE: cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name}_FILE: {path} is not text") from error


def _refuse_nonsense(settings: Settings) -> None:
    _refuse_missing(settings)
    _refuse_missing_files(settings)
    _refuse_wrong_addresses(settings)
    for name, provider in settings.providers.items():
        if bool(provider.client_id) != bool(provider.discovery_url and provider.issuer):
            raise ConfigurationError(
                f"PORTAL_{_upper(name)}_CLIENT_ID, _DISCOVERY_URL and _ISSUER go together: set all or none"
            )
    if settings.is_production:
        _refuse_weak_secrets(settings)
        _refuse_unsafe_addresses(settings)


def _refuse_missing(settings: Settings) -> None:
    if not settings.secret_key.get_secret_value():
        raise ConfigurationError("PORTAL_SECRET_KEY: needed (`parvis keygen` prints a fresh one)")
    if not settings.file_key_ring():
        raise ConfigurationError("PORTAL_FILE_KEYS: at least one key is needed (`parvis keygen` prints a fresh one)")
    if not settings.database_url.get_secret_value():
        raise ConfigurationError("PORTAL_DATABASE_URL: a PostgreSQL database is needed")


def _refuse_missing_files(settings: Settings) -> None:
    if settings.cda_stylesheet and not Path(settings.cda_stylesheet).is_file():
        raise ConfigurationError(f"PORTAL_CDA_STYLESHEET: no file is there ({settings.cda_stylesheet})")


def _refuse_wrong_addresses(settings: Settings) -> None:
    for name, url in (("DATABASE", settings.database_url), ("DATABASE_OWNER", settings.database_owner_url),
                      ("BACKUP_DATABASE", settings.backup_database_url)):  # fmt: skip
        scheme = url.get_secret_value().partition("://")[0]
        if scheme not in ("", "postgresql", "postgres"):
            raise ConfigurationError(f"PORTAL_{name}_URL: must start with postgresql:// (not {scheme}://)")
    if settings.security_contact and not settings.security_contact.startswith(("mailto:", "https://")):
        raise ConfigurationError("PORTAL_SECURITY_CONTACT: must start with mailto: or https://")
    if settings.otlp_url and not settings.otlp_url.startswith(("http://", "https://")):
        raise ConfigurationError("PORTAL_OTLP_URL: must start with http:// or https://")
    parts = urlsplit(settings.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ConfigurationError("PORTAL_BASE_URL: must be https://name, without a path")


def _refuse_weak_secrets(settings: Settings) -> None:
    if any(map(_is_weak, settings.secret_keys())):
        raise ConfigurationError("PORTAL_SECRET_KEY, _FALLBACKS: production needs 32 random characters or more each")
    for name, ring in (("FILE", settings.file_key_ring()), ("BACKUP", settings.backup_key_ring())):
        if any(_is_weak(key) for key in ring.values()):
            raise ConfigurationError(f"PORTAL_{name}_KEYS: production needs random keys (`parvis keygen`)")
    if set(settings.file_key_ring().values()) & set(settings.backup_key_ring().values()):
        raise ConfigurationError("PORTAL_BACKUP_KEYS: never the keys of the files (`parvis backup keygen`)")
    for name, provider in settings.providers.items():
        if provider.enabled and len(provider.client_secret.get_secret_value()) < _SHORTEST_SECRET:
            raise ConfigurationError(f"PORTAL_{_upper(name)}_CLIENT_SECRET: shorter than 32 characters")


def _is_weak(secret: str | bytes) -> bool:
    """Short, or one that a person typed to have something: 32 random bytes never hold so few different ones."""
    return len(secret) < _SHORTEST_SECRET or len(set(secret)) < _FEWEST_SYMBOLS


def _refuse_unsafe_addresses(settings: Settings) -> None:
    if is_unsafe_address(settings.base_url):
        raise ConfigurationError(f"PORTAL_BASE_URL: production refuses {settings.base_url!r} (https, not this machine)")
    for name, provider in settings.providers.items():
        for what, url in (("ISSUER", provider.issuer), ("DISCOVERY_URL", provider.discovery_url)):
            if provider.enabled and is_unsafe_address(url):
                raise ConfigurationError(
                    f"PORTAL_{_upper(name)}_{what}: production refuses {url!r} (https, public, not a demonstration)"
                )

    for what, url in (
        ("PAYFIP_ENDPOINT_URL", settings.payfip_endpoint_url),
        ("PAYFIP_PAYMENT_URL", settings.payfip_payment_url),
        ("STRIPE_API_BASE", settings.stripe_api_base),
    ):
        if is_unsafe_address(url):
            raise ConfigurationError(f"PORTAL_{what}: production refuses {url!r} (https, public)")
    for what, url in (("ANTIVIRUS", settings.antivirus_url), ("STORAGE", settings.storage_url)):
        if url.startswith("twin:"):
            raise ConfigurationError(f"PORTAL_{what}_URL: production refuses the demonstration's twin")


def is_unsafe_address(url: str) -> bool:
    """Whether production must not call it: not https, this machine, a private address, a demonstration."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or host in ("", "localhost") or host.endswith((".localhost", DEMO_ISSUER_SUFFIX)):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        # A name whose last part is a number is a short form of an IPv4 address: 127.1 is this machine.
        return host.rpartition(".")[2].isdecimal()
