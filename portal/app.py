"""The application: the only module that knows every room."""

import re
from pathlib import Path
from typing import Any

import click
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

import admin
import auth.enrolment
import auth.hospital_providers
import auth.machines
import services.appointments
import services.billing
import services.circle
import services.communities
import services.directory
import services.documents
import services.exchanges
import services.lines
import services.offer
import services.preadmission
import services.questionnaires
import services.referrals
import services.sent_patients
from auth import navigation
from auth.machines import callers
from portal import check, cli, config, db, files, jobs, kpi, logs, notifications, pages, text_messages
from portal.audit import sending as audit_sending
from portal.config import ConfigurationError, Settings
from portal.gateways import UnsupportedUrl
from portal.retention import own as own_retention
from portal.retention.commands import command as retention_command
from portal.web import announcing, branding, errors, i18n, limits, security, ui, unit_of_work, uploads

_DAY_S = 86_400
_HASHED = re.compile(r"^.+\.[0-9a-f]{8,}\..+$")
ROOMS = (
    services.exchanges, services.appointments, services.preadmission, services.questionnaires, services.billing,
    services.documents, services.directory, services.offer, services.sent_patients, services.circle, services.referrals,
    services.lines, services.communities,
)  # fmt: skip


def create_app(settings: Settings | None = None) -> Flask:
    """The portal as a WSGI application. Raises ConfigurationError when the environment makes no sense."""
    settings = settings or config.load()
    app = Flask("portal", static_folder=None)
    _configure(app, settings)
    _serve_static(app)
    _open_doors(app, settings)
    for furnish in (security, i18n, errors, ui, branding, announcing, uploads, limits):
        furnish.register(app)
    unit_of_work.register(app, callers.declare, callers.foresee)
    navigation.register(app)
    auth.register(app)
    for room in ROOMS:
        room.register(app)
    admin.register(app)
    pages.register(app)
    own_retention.declare()
    check.declare()
    return app


def _serve_static(app: Flask) -> None:
    """Style sheets, scripts, fonts: read once, served before the application; hashed names never change."""
    folder = Path(__file__).parent / "static"
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]  # as Flask documents it
        app.wsgi_app, root=folder, prefix="static/", max_age=_DAY_S, immutable_file_test=_HASHED.pattern
    )


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SETTINGS=settings,
        PORTAL_ENV=settings.env,
        SECRET_KEY=settings.secret_key.get_secret_value(),
        MAX_CONTENT_LENGTH=uploads.MAX_UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        MAX_FORM_PARTS=500,
        # Without the prefix a neighbour (another site of the hospital's domain) could plant a cookie of its own, whose
        # token it knows, and post our forms with it.
        SESSION_COOKIE_NAME="__Host-parvis_form" if settings.secure_cookies else "parvis_form",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        TESTING=settings.env == "test",
        PROPAGATE_EXCEPTIONS=False,
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # as Flask documents it


def _open_doors(app: Flask, settings: Settings) -> None:
    logs.configure(settings)
    app.extensions["parvis.engine"] = db.connect(
        settings.database_url.get_secret_value(), prepare=settings.database_prepare
    )
    kpi.configure(settings.secret_key.get_secret_value())
    try:
        files.configure(settings)
        notifications.configure(settings)
        text_messages.configure(settings)
        audit_sending.configure(settings)
    except UnsupportedUrl as error:
        raise ConfigurationError(str(error)) from error
    jobs.surround(app.app_context)


def _add(command: click.Command) -> None:
    """Two rooms may share a group, such as `import`."""
    known = cli.parvis.commands.get(command.name or "")
    if isinstance(known, click.Group) and isinstance(command, click.Group):
        for each in command.commands.values():
            known.add_command(each)
    else:
        cli.parvis.add_command(command)


def main() -> Any:
    """The `parvis` command."""
    for room in (*ROOMS, auth.enrolment, auth.hospital_providers, auth.machines):
        for command in room.commands():
            _add(command)
    _add(retention_command)
    return cli.parvis(obj=create_app)
