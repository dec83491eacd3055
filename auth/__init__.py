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
        emergencies,
        enrolment,
        factors,
        figures,
        guests,
        hospital_providers,
        identity,
        local,
        machines,
        mandates,
        practice,
        providers,
        routes,
        visits,
        wording,
    )

    app.extensions["parvis.doors"] = providers.connect(app.config["SETTINGS"])
    hospital_providers.register(app)
    app.add_template_filter(routes.provider_query, "provider_query")
    app.register_blueprint(routes.doors)
    account.register(app)
    visits.register(app)
    wording.register(app)
    figures.declare()
    practice.register(app)
    death.register(app)
    guests.register(app)
    factors.register(app)
    local.register(app)
    identity.register(app)
    contact.register(app)
    enrolment.register(app)
    agents.register(app)
    emergencies.register(app)
    machines.register(app)
    mandates.register(app)
