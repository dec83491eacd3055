"""Those who follow appointments: the hospital's own system by HL7 v2 (SIU), and subscribers by signed webhooks."""

from collections.abc import Mapping, Sequence

import click
from flask import Flask

from portal import establishments
from portal.db import session
from portal.establishments import Establishment
from portal.gateways import UnsupportedUrl
from portal.gateways.his import HospitalSystem
from services.appointments.exchanges import dialect, jobs, metrics, queries, routes_machine


def register(app: Flask) -> None:
    """Open the doors, and add the address that machines call."""
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


def commands() -> Sequence[click.Command]:
    """What an operator may type about exchanges."""
    from services.appointments.exchanges.commands import appointments, listen

    return [listen, appointments]
