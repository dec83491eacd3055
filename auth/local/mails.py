"""The mail that tells somebody that their password has changed."""

from flask_babel import lazy_gettext as _l

from auth.models import Account
from portal.notifications import Mail, message, tell


def password_changed(account: Account) -> None:
    """To the person, whoever did it."""
    tell(_password_changed(), recipient=account.email, account_id=account.id, locale=account.locale)


@message("account.password_changed", "anybody")
def _password_changed() -> Mail:
    return Mail(
        _l("Your password was changed"),
        (
            _l("Hello,"),
            _l("The password of your account on the hospital’s portal was changed. Your other sessions were closed."),
            _l("If it was not you, call the hospital: it will give you a link to start again."),
        ),
        path="/mon-compte/securite",
    )
