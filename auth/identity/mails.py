"""What is told when an identity unit finds that two accounts are one person's; never a trait."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

_WRONG = _l("If this is a mistake, call the hospital: its staff can undo it at once.")


@message("account.joined")
def joined() -> Mail:
    return Mail(
        _l("Your two accounts are now one"),
        (
            _l("After checking with you, a hospital joined two accounts of yours. Both ways to sign in lead to one."),
            _WRONG,
        ),
        "/mon-compte",
    )


@message("account.parted")
def parted() -> Mail:
    return Mail(
        _l("Your account stands alone again"),
        (_l("Two accounts that had been joined are apart again. Each has what it had before."),),
        "/mon-compte",
    )
