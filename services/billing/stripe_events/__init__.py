"""What Stripe tells: events that only make us ask, deduplicated, and swept for those that never came."""

from flask import Flask

from services.billing.stripe_events import jobs
from services.billing.stripe_events.routes_callbacks import stripe_callbacks


def register(app: Flask) -> None:
    """Furnish: where Stripe calls, what its events lead to, who may sign them."""
    jobs.configure(app.config["SETTINGS"])
    app.register_blueprint(stripe_callbacks)
