"""Those who follow appointments: the hospital's own system by HL7 v2 (SIU), and subscribers by signed webhooks."""

from collections.abc import Sequence

import click
from flask import Flask

from services.appointments.exchanges import jobs, routes_machine


def register(app: Flask) -> None:
    """Open the doors, and add the address that machines call."""
    jobs.connect(app.config["SETTINGS"])
    app.register_blueprint(routes_machine.pages)


def commands() -> Sequence[click.Command]:
    """What an operator may type about exchanges."""
    from services.appointments.exchanges.commands import appointments, listen

    return [listen, appointments]
