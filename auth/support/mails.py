"""What a person is told of support: that somebody wants to see their screens, or does. Nothing of what is on them.

The portal's own words alone, whatever a hospital says of its other messages: they warn of the hospital's own agents.
"""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

_PAGE = "/mon-compte/acces"
_WHAT = _l("For fifteen minutes they see your pages as you do, without the contents of your documents and messages.")
_END = _l("You can end it at any moment, here:")


@message("support.code", required=("code",))
def code(hospital: str, code: str) -> Mail:
    """The code to read out."""
    return Mail(
        _l("An agent wants to see your screens"),
        (
            _l("An agent of %(hospital)s, who is on the phone with you, wants to see your screens.", hospital=hospital),
            _l("If you agree, read them this code within five minutes: %(code)s", code=code),
            _WHAT,
            _l("If nobody is on the phone with you, give this code to nobody, and say no here:"),
        ),
        _PAGE,
    )


@message("support.opened")
def opened(hospital: str) -> Mail:
    """With the person's code."""
    return Mail(
        _l("An agent sees your screens"),
        (_l("You gave your code to an agent of %(hospital)s.", hospital=hospital), _WHAT, _END),
        _PAGE,
    )


@message("support.opened_alone")
def opened_alone(hospital: str) -> Mail:
    """Without the person on the phone."""
    return Mail(
        _l("An agent sees your screens"),
        (
            _l("An agent of %(hospital)s sees your screens, to help you or to look for a fault.", hospital=hospital),
            _WHAT,
            _l("They had to say why without you on the phone; somebody else of the hospital reads it."),
            _END,
        ),
        _PAGE,
    )
