"""The message that carries an invitation. It names the hospital, which the page behind the link names too."""

from flask import current_app
from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


def path(token: str) -> str:
    return f"/invitation/{token}"


def link(token: str) -> str:
    """The whole address of the page of an invitation."""
    return f"{current_app.config['SETTINGS'].base_url.rstrip('/')}{path(token)}"


@message("account.guest_invited", "anybody", at_hospital=True, only="fr")
def invited(place: str, token: str) -> Mail:
    return Mail(
        subject=_l("Your personal link"),
        paragraphs=(
            _l("Hello,"),
            _l(
                "%(place)s sends you a link to use once. Have your mobile at hand: a code will be sent to it.",
                place=place,
            ),
        ),
        path=path(token),
    )
