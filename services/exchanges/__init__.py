"""The door of hospital systems: what the rooms tell them, in order and for as long as it takes, and what they say.

A room below the others: each offers what it exchanges (`subjects.offer`), and this one knows none of them.
"""

from collections.abc import Mapping

import click
from flask import Flask

from auth.wording import say
from portal import establishments
from portal.db import session
from portal.establishments import Establishment
from portal.gateways import UnsupportedUrl
from portal.gateways.his import HospitalSystem
from services.exchanges import dialect, jobs, journal, metrics, queries, routes_machine


def register(app: Flask) -> None:
    """Open the doors, and add the address that machines call."""
    say(journal.WORDS)
    jobs.connect(app.config["SETTINGS"])
    metrics.register()
    # A wrong address is told when it is set, whoever sets it.
    establishments.check_setting_with(dialect.check_setting)
    app.register_blueprint(routes_machine.pages)


def systems() -> Mapping[str, HospitalSystem | UnsupportedUrl]:
    """FINESS number → the door to that hospital's system, or why it cannot be opened; as the system."""
    found: dict[str, HospitalSystem | UnsupportedUrl] = {}
    for establishment_id in queries.his_addresses():
        finess = session.get_one(Establishment, establishment_id).finess
        try:
            found[finess] = jobs.system_of(establishment_id)
        except UnsupportedUrl as error:
            found[finess] = error
    return found


def for_operators() -> list[click.Command]:
    """What an operator may type about exchanges."""
    from services.exchanges.commands import listen

    return [listen]
