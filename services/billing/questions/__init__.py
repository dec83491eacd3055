"""Questions and disputes about a bill: a thread between whoever pays and the billing agents."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the payer's pages, and what the desk's page of one bill shows."""
    from services.billing.questions import export, jobs, queries, wording  # noqa: F401 - the clock's job
    from services.billing.questions.routes_patient import pages

    export.declare()
    app.register_blueprint(pages)
    app.jinja_env.globals["bill_questions"] = queries.of_bill
    app.jinja_env.globals["bill_question_words"] = wording
