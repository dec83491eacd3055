"""What an operator types about exchanges of appointments."""

import click

from services.appointments.exchanges import states
from services.exchanges.commands import replay_of


@click.group("appointments")
def appointments() -> None:
    """Appointments and those who follow them."""


appointments.add_command(replay_of(states.SUBJECT))
