"""Those who sign with a patient: the other holder of parental authority, the person of trust."""

from flask import Flask


def register(app: Flask) -> None:
    """Their pages, the patient's, and what follows the steps that name them."""
    # Not above: whoever reads a companion (the hospital's message) needs none of the pages.
    from services.preadmission import additions
    from services.preadmission.actions import filled, purging
    from services.preadmission.companions import actions, jobs, notes, routes_companion, routes_patient  # noqa: F401 - its tasks

    app.register_blueprint(routes_patient.patient_pages)
    app.register_blueprint(routes_companion.link_pages)
    app.register_blueprint(routes_companion.companion_pages)
    filled.follow("holders", actions.follow_holders)
    filled.follow("trust", actions.follow_trust)
    purging.forget_too(actions.forget)
    additions.offer_notes(notes.on_file)
    additions.offer_desk_notes(notes.at_desk)
