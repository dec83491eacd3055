"""Places at maternity units: asked for from the first test on, few, kept for one birth each."""

from flask import Flask


def register(app: Flask) -> None:
    """The patient's pages, what happens later, the figures."""
    from services.preadmission.maternity import belongings, figures, jobs, routes_patient  # noqa: F401 - its tasks

    app.register_blueprint(routes_patient.patient_pages)
    app.register_blueprint(routes_patient.public_pages)
    figures.declare()
    belongings.declare()
