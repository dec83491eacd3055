"""What an operator types about exchanges of pre-admissions."""

import click

from services.exchanges.commands import replay_of
from services.preadmission.exchanges import states


@click.group("preadmissions")
def preadmissions() -> None:
    """Pre-admissions and the hospital systems that take them."""


preadmissions.add_command(replay_of(states.SUBJECT))
