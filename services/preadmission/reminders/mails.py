"""The words of a reminder: something waits. Neither the hospital, nor the day, nor what it is."""

from flask_babel import force_locale
from flask_babel import gettext as _

from portal import notifications

PATH = "/mon-compte"
"""An address that says nothing either."""


def mail(locale: str) -> tuple[str, str]:
    """Subject and text."""
    with force_locale(locale or "fr"):
        lines = (
            _("Hello,"),
            _("Something waits for you in your hospital’s space, and its day is near. Sign in to see what it is:"),
            notifications.address(PATH),
            _("To choose how we write to you: %(address)s", address=notifications.address("/mon-compte/coordonnees")),
        )
        return str(_("A reminder from the hospital")), "\n\n".join(map(str, lines))


def text(locale: str) -> str:
    with force_locale(locale or "fr"):
        return str(
            _("Something waits for you on your hospital’s portal: %(address)s", address=notifications.address(""))
        )
