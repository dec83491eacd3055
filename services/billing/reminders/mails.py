"""The words of a reminder: a bill waits. Neither the hospital, nor the amount, nor what it is for."""

from uuid import UUID

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from portal import notifications
from portal.message_texts import writing
from portal.message_texts.kinds import message

_CODE = "billing.reminder"
_PATH = "/factures"


def mail(locale: str, bills: int, *, has_account: bool, establishment_id: UUID | None = None) -> tuple[str, str]:
    """Subject and text about so many bills, in the reader's language. establishment_id: of all of them, None when they
    are of several; the hospital may say it in its own words."""
    language = locale or "fr"
    path = _PATH if has_account else "/factures/payer"
    own = writing.chosen(_CODE, establishment_id, language, {"number": bills}, path)
    if own is not None:
        return own.subject, own.body
    with force_locale(language):
        return _mail(bills, has_account, path)


@message(_CODE, at_hospital=True, sample={"bills": 1, "path": _PATH}, path=_PATH)
def _mail(bills: int, has_account: bool, path: str) -> tuple[str, str]:
    where = (
        _("See it, pay it or ask a question in your space:")
        if has_account
        else _("Find it again with the letter of the hospital, without an account:")
    )
    lines = (
        _("Hello,"),
        ngettext("A bill of the hospital is still to pay.", "%(num)d bills of the hospital are still to pay.", bills),
        where,
        notifications.address(path),
        _("If you have just paid, or cannot pay at once, the same page tells you what to do."),
    )
    return str(_("A bill waits for you")), "\n\n".join(map(str, lines))
