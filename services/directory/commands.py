"""What an operator types about the directory.

`parvis import directory` hands over to `python -m services.directory`, which knows this room and nothing else: the
whole portal in memory would weigh three times what reading two million lines does.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from portal import config, db
from portal.config import ConfigurationError
from services.directory import loading
from services.directory.columns import NotTheDirectory
from services.directory.loading import AlreadyLoading

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
FORCE = click.option(
    "--force", is_flag=True, help="Load a file that is older, or that would take half of the people away."
)
REFUSED = 3


@click.group("import")
def import_() -> None:
    """Bulk loads."""


@import_.command()
@FILES
@FORCE
def directory(files: tuple[Path, ...], force: bool) -> None:
    """Bring the national directory up to date: the published archives or texts, in any order.

    Safe to run twice, and again after a cut: it goes on from there. One JSON line a file. Exit code 3 when one was
    refused.
    """
    sys.stdout.flush()
    os.execv(sys.executable, loading.arguments(files, force=force))  # noqa: S606 - our own module, without a shell


@click.command()
@FILES
@FORCE
@click.pass_context
def main(context: click.Context, files: tuple[Path, ...], force: bool) -> None:
    """Load files of the national directory, in a process of its own."""
    try:
        settings = config.load()
        db.connect(settings.database_url.get_secret_value(), prepare=settings.database_prepare, pool_size=3)
        reports = loading.load(files, force=force)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    except NotTheDirectory as error:
        raise click.ClickException(f"This is no file of the directory: {error}.") from error
    except AlreadyLoading as error:
        raise click.ClickException("Another import of the directory is under way.") from error
    for report in reports:
        click.echo(json.dumps(asdict(report) | {"peak_mb": _peak_mb()}, ensure_ascii=False))
    if any(report.state == "refused" for report in reports):
        context.exit(REFUSED)


def _peak_mb() -> int:
    """The most memory this process held: not what the one it was started from did, as getrusage would say."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) // 1024 if found else 0
