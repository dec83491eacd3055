"""Who is at the door: accounts, identities, patients, professionals, staff, mandates."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the doors, the account pages and the count of visits."""
    # Imported here: the demonstration's identity provider imports this package without the application.
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
        local,
        machines,
        mandates,
        news,
        oversight,
        practice,
        providers,
        routes,
        visits,
        wording,
    )

    app.extensions["parvis.doors"] = providers.connect(app.config["SETTINGS"])
    app.add_template_filter(routes.provider_query, "provider_query")
    app.register_blueprint(routes.doors)
    figures.declare()
    for noun in (
        hospital_providers, account, visits, wording, practice, death, guests, factors, local, identity, contact,
        enrolment, agents, emergencies, machines, mandates, news, digests, oversight, figure_views,
        figure_reports,
    ):  # fmt: skip
        noun.register(app)
