"""Messages to the patient. Neither health data nor the name of a service: it would say that a stay is planned."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, named

NEWS = named(
    "preadmission.news",
    Mail(
        subject=_l("You have a message in your space"),
        paragraphs=(
            _l("Hello,"),
            _l("The hospital has left you a message. Sign in to your space to read it."),
        ),
        path="/mon-compte",
    ),
    at_hospital=True,
)
"""The link leads to the account's page, whose address says nothing either."""
