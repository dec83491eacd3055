"""What an operator types when keys change: what a former one holds still, and sealing it anew."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from auth.factors.sealing import Unsealable
from auth.identity import sealing
from auth.identity.sealing import CannotBeOpened
from auth.keys import columns, standing, stored_files
from portal import audit, config, db
from portal.file_crypto import FileCryptoError
from portal.gateways import DoorError


@click.group()
def keys() -> None:
    """The keys of the configuration."""


@keys.command()
@click.pass_context
def status(context: click.Context) -> None:
    """Say what former keys still hold; exit 1 when something would be lost without them."""
    with _application(context), db.transaction(db.system("cli.keys")), _saying():
        current, *former = sealing.known_key_ids()
        click.echo(f"PORTAL_FILE_KEYS: {current} seals" + (f", {', '.join(former)} only open" if former else ""))
        left = {place.name: columns.left(place) for place in columns.places()}
        files = stored_files.left()
        for name, number in left.items():
            if number:
                click.echo(f"  {number} rows of {name}")
        if files:
            click.echo(f"  {files} files were not looked at")
        rows = sum(left.values())
        ask = "run parvis keys reseal" if rows or files else "former ones are needed for older backups alone"
        click.echo(f"  {rows} rows and {files} files to seal anew: {ask}")
        _tell_secret()
    if rows or files:
        context.exit(1)


def _tell_secret() -> None:
    since, depending = standing.since(), standing.depending()
    click.echo(f"PORTAL_SECRET_KEY: signs {f'since {since:%Y-%m-%d %H:%M} UTC' if since else 'since ever'}")
    if since is not None:
        where = "a former one, which is recognised" if standing.is_former_known() else "a former one, which is gone"
        click.echo(f"  made with {where}: {standing.told(depending) or 'nothing that is of use'}")


@keys.command()
@click.option("--again", is_flag=True, help="Look at every file anew, those looked at before too.")
@click.pass_context
def reseal(context: click.Context, again: bool) -> None:
    """Seal columns and files with the first of PORTAL_FILE_KEYS, and index beneficiary numbers with PORTAL_SECRET_KEY.

    For when every process has these keys. The portal goes on meanwhile. Stopped, run it again: it goes on where it was.
    """
    with _application(context), _saying():
        rows = sum(map(_reseal_column, columns.places()))
        if again:
            with db.transaction(db.system("keys.reseal")):
                stored_files.begin_again()
        files = _reseal_files()
        with db.transaction(db.system("keys.reseal")):
            audit.record("keys.resealed", object_kind="keys", key=sealing.current_key_id(), rows=rows, files=files)
    click.echo(f"{rows} rows and {files} files sealed anew")


def _reseal_column(place: columns.Place) -> int:
    done = 0
    for number in columns.renew(place):
        done += number
        if number == columns.BATCH:
            click.echo(f"{place.name}: {done} rows", err=True)
    return done


def _reseal_files() -> int:
    with db.transaction(db.system("keys.reseal")):
        left = stored_files.left()
    done = 0
    for looked_at, renewed in stored_files.renew():
        left, done = max(0, left - looked_at), done + renewed
        click.echo(f"files: {done} sealed anew, {left} left", err=True)
    return done


@contextmanager
def _application(context: click.Context) -> Iterator[None]:
    with context.obj(config.load()).app_context():
        yield


@contextmanager
def _saying() -> Iterator[None]:
    """Raises ClickException, which says what to do."""
    try:
        yield
    except FileCryptoError as error:
        raise click.ClickException(
            f"{type(error).__name__} {error}: put the key back into PORTAL_FILE_KEYS. What was done stays done."
        ) from error
    except (CannotBeOpened, Unsealable) as error:
        raise click.ClickException(
            "A row opens with no key of PORTAL_FILE_KEYS: put the former one back. What was done stays done."
        ) from error
    except DoorError as error:
        raise click.ClickException(f"{error}. What was done stays done; run it again.") from error
