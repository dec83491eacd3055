"""Who is at the door: accounts, identities, patients, professionals, staff, mandates."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the doors, accounts and visits; imported here: the demo provider imports this package without them."""
    from auth import (
        account,
        agents,
        contact,
        death,
        digests,
        emergencies,
        enrolment,
        factors,
        figure_reports,
        figure_views,
        figures,
        guests,
        hospital_providers,
        identity,
        kept_reading,
        local,
        machines,
        mandates,
        news,
        oversight,
        practice,
        providers,
        routes,
        support,
        visits,
        wording,
    )

    app.extensions["parvis.doors"] = providers.connect(app.config["SETTINGS"])
    app.register_blueprint(routes.doors)
    figures.declare()
    for noun in (
        hospital_providers, account, visits, wording, practice, death, guests, factors, local, identity, contact,
        enrolment, agents, emergencies, machines, mandates, news, digests, oversight, figure_views, figure_reports,
        support, kept_reading,
    ):  # fmt: skip
        noun.register(app)
