"""The only message about a death: that a mistake was put right, to the person who is alive."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, named

REOPENED = named(
    "account.reopened",
    Mail(
        subject=_l("Your account is open again"),
        paragraphs=(
            _l("Hello,"),
            _l("Your account had been closed by mistake. It is open again, with all that was in it. We are sorry."),
            _l("You can sign in as before:"),
        ),
        path="/connexion",
    ),
)
