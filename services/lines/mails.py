"""What is written about calls back: that one waits. Neither who asks, nor what about."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, named

TRAY = "/admin/lignes-directes/rappels"
MINE = "/pro/lignes-directes/rappels"
KIND = "callbacks"
"""Of the news that people choose how to be told (`auth.news.kinds`)."""
WAITS = named(
    "lines.asked",
    Mail(
        subject=_l("A practitioner asks to be called back"),
        paragraphs=(_l("Hello,"), _l("Somebody waits for a call. Sign in to see who, and on which line.")),
        path=TRAY,
    ),
    "staff",
)
DELAYED = named(
    "lines.late",
    Mail(
        subject=_l("Nobody has called a practitioner back in time"),
        paragraphs=(
            _l("Hello,"),
            _l("A practitioner asked one of your direct lines to call back, and the delay you announce is over."),
            _l("Sign in to see the requests that wait."),
        ),
        path=TRAY,
    ),
    "staff",
)
