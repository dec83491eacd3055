"""Messages that something changed around a patient: neither who, nor what they do, nor whom it is about."""

from typing import Final

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, named

_HELLO: Final = _l("Hello,")
_PATH: Final = "/mon-compte"
"""The account's page, whose address says nothing either."""

ASKED: Final = named(
    "circle.asked",
    Mail(
        _l("Somebody asks you something in your hospital area"),
        (_HELLO, _l("A request waits for your answer in your hospital area. Nothing happens before you answer.")),
        _PATH,
    ),
)
CHANGED: Final = named(
    "circle.changed",
    Mail(
        _l("Something changed in your hospital area"),
        (
            _HELLO,
            _l("A change was made in your hospital area. If you did not expect it, sign in: you can undo it at once."),
        ),
        _PATH,
    ),
)
FIRST_OPENING: Final = named(
    "circle.opened",
    Mail(
        _l("Your hospital area was opened by somebody you allowed"),
        (
            _HELLO,
            _l("Somebody whom you allowed has opened your hospital area for the first time."),
            _l("Sign in to see who and when. You can end it at any time."),
        ),
        _PATH,
    ),
)
ACCEPTED: Final = named(
    "circle.accepted",
    Mail(
        _l("An answer waits in your professional area"),
        (_HELLO, _l("What you asked for was accepted. Sign in to see it.")),
        "/pro",
    ),
    "professional",
)
