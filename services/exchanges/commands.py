"""What an operator types about exchanges: the listener of a hospital's messages, and telling again."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import click
from flask import Flask

from portal import config, db, establishments
from portal.gateways.his.listener import MllpListener, Network
from services.exchanges import actions, listening, queries, states


@click.group()
def listen() -> None:
    """Listeners: processes that other systems call."""


@listen.command("his")
@click.argument("finess")
@click.option("--bind", default="127.0.0.1:2575", show_default=True, help="Address and port; TLS ends in front of it.")
@click.option("--from", "callers", multiple=True, help="Network that may call, as 10.1.2.0/24; may be repeated.")
@click.option("--seconds", type=float, default=0.0, hidden=True, help="Stop after so long (for tests).")
@click.pass_context
def listen_his(context: click.Context, finess: str, bind: str, callers: tuple[str, ...], seconds: float) -> None:
    """Take a hospital's HL7 v2 messages (SIU, ADT) over MLLP, until interrupted."""
    address = _address(bind)
    if not callers and not _is_loopback(address[0]):
        raise click.UsageError("Say with --from which network may call: whoever may speaks as this hospital.")
    app: Flask = context.obj(config.load())
    with app.app_context(), db.transaction(db.system("cli.listen_his")):
        establishment_id = establishments.by_finess(finess).id

    def receive(body: bytes) -> bytes:
        with app.app_context():
            return listening.take(establishment_id, body, "mllp")

    with MllpListener(address, receive, _networks(callers)) as listener:
        click.echo(f"listening on port {listener.port} for {finess}")
        _wait(seconds)


def _address(bind: str) -> tuple[str, int]:
    host, _colon, port = bind.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{bind!r} is not an address and a port, as 127.0.0.1:2575")
    return host.strip("[]") or "127.0.0.1", int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _networks(callers: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(each) for each in callers)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _wait(seconds: float) -> None:
    try:
        time.sleep(seconds) if seconds else _for_ever()
    except KeyboardInterrupt:
        click.echo("stopped")


def _for_ever() -> None:
    while True:
        time.sleep(3600)


def replay_of(kind: str) -> click.Command:
    """The command by which a hospital's system is told again what changed of one kind of things."""

    @click.command("replay", help="Tell a hospital's system again everything that changed since a moment.")
    @click.argument("finess")
    @click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), required=True, help="UTC.")
    @click.pass_context
    def replay(context: click.Context, finess: str, since: datetime) -> None:
        with _as_system(context, "cli.replay"):
            hospital = establishments.by_finess(finess)
            found = [line.follower for line in queries.lines([hospital.id]) if line.follower.kind == states.HIS]
            if not found:
                raise click.ClickException("This hospital's system is not followed: set his_url first.")
            told = actions.replay_since(found[0], since.replace(tzinfo=UTC), kind=kind)
            click.echo(f"{told} to tell again")

    return replay


@contextmanager
def _as_system(context: click.Context, job: str) -> Iterator[None]:
    create_app: Callable[..., Flask] = context.obj
    with create_app(config.load()).app_context(), db.transaction(db.system(job)):
        yield
