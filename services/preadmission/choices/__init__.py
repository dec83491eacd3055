"""The choices of a person about their record and their messages: each with its legal nature, and its history."""

from flask import Flask


def register(app: Flask) -> None:
    """Keep what is chosen, as it is chosen, and let people change their mind."""
    # Not above: the step of the choices reads its texts here, and these pages show that step.
    from services.preadmission.actions import filled, purging
    from services.preadmission.choices import actions, routes_patient

    app.register_blueprint(routes_patient.choice_pages)
    filled.follow("choices", actions.note)
    purging.forget_too(actions.forget)
