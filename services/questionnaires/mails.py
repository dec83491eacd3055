"""The one message: something waits. Neither the unit, nor the questionnaire, nor that it is one."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail

WAITS = Mail(
    subject=_l("Something waits for you in your space"),
    paragraphs=(
        _l("Hello,"),
        _l("The hospital has something to ask you. Sign in to your space to answer: it takes a few minutes."),
    ),
    path="/mon-compte",
)
"""The link leads to the account's page, whose address says nothing either."""
