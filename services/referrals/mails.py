"""Messages about referrals: that something waits, never what nor about whom."""

from typing import Final

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message, named


@message("referrals.answered", "professional")
def unit_answered(path: str) -> Mail:
    """To the practitioner."""
    return Mail(
        _l("A unit has answered you"), (_l("A hospital unit has answered one of your requests."),), path, "referrals"
    )


FOR_PATIENT: Final = named(
    "referrals.for_patient",
    Mail(
        _l("Something new in your hospital area"),
        (
            _l("Hello,"),
            _l("Something waits for you in your hospital area. It can only be read there, after you sign in."),
        ),
        "/mon-compte",
    ),
    at_hospital=True,
)
"""To the patient. The link leads to the account’s page, whose address says nothing either."""


@message("referrals.not_answered", "staff")
def not_answered(path: str) -> Mail:
    """To whoever heads a unit."""
    return Mail(
        _l("A request of a practitioner waits beyond its time"),
        (_l("A unit of your hospital has not answered a request within the time that it promised."),),
        path,
    )
