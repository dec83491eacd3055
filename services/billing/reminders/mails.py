"""The words of a reminder: a bill waits. Neither the hospital, nor the amount, nor what it is for."""

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from portal import notifications


def mail(locale: str, bills: int, *, has_account: bool) -> tuple[str, str]:
    """Subject and text about so many bills, in the reader's language."""
    with force_locale(locale or "fr"):
        where = (
            _("See it, pay it or ask a question in your space:")
            if has_account
            else _("Find it again with the letter of the hospital, without an account:")
        )
        lines = (
            _("Hello,"),
            ngettext(
                "A bill of the hospital is still to pay.", "%(num)d bills of the hospital are still to pay.", bills
            ),
            where,
            notifications.address("/factures" if has_account else "/factures/payer"),
            _("If you have just paid, or cannot pay at once, the same page tells you what to do."),
        )
        return str(_("A bill waits for you")), "\n\n".join(map(str, lines))
