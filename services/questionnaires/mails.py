"""The one message: something waits. Neither the unit, nor the questionnaire, nor that it is one."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, named

WAITS = named(
    "questionnaires.waits",
    Mail(
        subject=_l("Something waits for you in your space"),
        paragraphs=(
            _l("Hello,"),
            _l("The hospital has something to ask you. Sign in to your space to answer: it takes a few minutes."),
        ),
        path="/mon-compte",
    ),
    at_hospital=True,
)
"""The link leads to the account's page, whose address says nothing either."""
