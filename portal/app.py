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
import auth.keys
import auth.machines
import auth.oversight
import services.appointments
import services.attendance
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
import services.satisfaction
import services.sent_patients
from admin import printed_lists
from auth import navigation, rate_counters
from auth.machines import callers
from portal import check, cli, config, db, files, jobs, kpi, logs, notifications, pages, text_messages, tracing
from portal.audit import sending as audit_sending
from portal.config import ConfigurationError, Settings
from portal.gateways import UnsupportedUrl, reach
from portal.retention import own as own_retention
from portal.retention.commands import command as retention_command
from portal.web import (
    announcing,
    branding,
    counting,
    errors,
    i18n,
    limits,
    security,
    tracking,
    ui,
    unit_of_work,
    uploads,
)

_DAY_S = 86_400
_HASHED = re.compile(r"^.+\.[0-9a-f]{8,}\..+$")
ROOMS = (
    services.exchanges, services.appointments, services.preadmission, services.questionnaires, services.billing,
    services.documents, services.directory, services.offer, services.sent_patients, services.circle, services.referrals,
    services.lines, services.communities, services.satisfaction, services.attendance,
)  # fmt: skip
OTHERS_WITH_COMMANDS = (
    printed_lists, auth.enrolment, auth.hospital_providers, auth.keys, auth.machines, auth.oversight,
)  # fmt: skip


def create_app(settings: Settings | None = None) -> Flask:
    """The portal as a WSGI application. Raises ConfigurationError when the environment makes no sense."""
    settings = settings or config.load()
    app = Flask("portal", static_folder=None)
    _configure(app, settings)
    counting.register(app)
    tracking.register(app)
    _serve_static(app)
    _open_doors(app, settings)
    for furnish in (security, i18n, errors, ui, branding, announcing, uploads, limits):
        furnish.register(app)
    unit_of_work.register(app, callers.declare, callers.foresee)
    navigation.register(app)
    auth.register(app)
    auth.keys.register(app)
    for room in ROOMS:
        room.register(app)
    admin.register(app)
    pages.register(app)
    own_retention.declare()
    check.declare()
    counting.begin(app, app.extensions["parvis.engine"])
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
        SECRET_KEY_FALLBACKS=list(settings.secret_keys()[1:]),
        WTF_CSRF_SECRET_KEY=list(reversed(settings.secret_keys())),  # the last one signs
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
        RATELIMIT_STORAGE_URI=rate_counters.address(settings),
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # as Flask documents it


def _open_doors(app: Flask, settings: Settings) -> None:
    logs.configure(settings)
    tracing.configure(settings)
    app.extensions["parvis.engine"] = db.connect(
        settings.database_url.get_secret_value(), prepare=settings.database_prepare
    )
    tracing.watch(app.extensions["parvis.engine"])
    kpi.configure(settings.secret_keys())
    try:
        reach.configure(reach.read(settings.inside_hosts, anywhere=not settings.is_production))
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
    for room in (*ROOMS, *OTHERS_WITH_COMMANDS):
        for command in room.for_operators():
            _add(command)
    _add(retention_command)
    return cli.parvis(obj=create_app)
