"""What leaves: that something waits, how many of what kind, and where; nobody's name, nothing of care."""

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _

from auth.news import stopping
from auth.news.kinds import KINDS
from portal import notifications
from portal.notifications import message

LIST = "/nouvelles"
CHOICES = "/mon-compte/nouvelles"


@message("professionals.news", "professional", sample={"told": Counter(), "urgent": False})
def news(told: Counter[str], path: str, stop: str, locale: str, *, urgent: bool) -> tuple[str, str]:
    """Subject and text. told: kind → how many; path: where they are read; stop: the address that stops them."""
    with force_locale(locale or "fr"):
        lines = [f"– {kind.told(told[code])}" for code, kind in KINDS.items() if told[code]]
        text = "\n\n".join((
            _("Hello,"),
            _("On the hospital’s portal, there is something new for you:"),
            "\n".join(lines),
            _("It can only be read there, after you sign in: %(address)s", address=notifications.address(path)),
            _("To choose when and how we write to you: %(address)s", address=notifications.address(CHOICES)),
            _("To receive no more of these messages: %(address)s", address=notifications.address(stop)),
        ))  # fmt: skip
        subject = _("Something urgent waits for you on the hospital’s portal") if urgent else _(
            "Something new on the hospital’s portal"
        )  # fmt: skip
    return subject, text


@message("professionals.proof", "professional")
def proof(token: str, locale: str) -> tuple[str, str]:
    """To a professional box: the link that proves that it is read by whoever wants to be told there."""
    with force_locale(locale or "fr"):
        return _("Confirm this box for the hospital’s portal"), "\n\n".join((
            _("Hello,"),
            _("Somebody wants to be told in this box that something waits for them on the hospital’s portal."),
            _("If it is you, open this link, signed in, within two days: %(address)s",
              address=notifications.address(f"{CHOICES}/boite/{token}")),
            _("If it is not you, do nothing: nothing more will come."),
        ))  # fmt: skip


def stop_path(account_id: UUID, channel: str, kinds: Collection[str]) -> str:
    """The address, good without signing in, of the page that stops these kinds by this channel."""
    key = "-".join(code for code in KINDS if code in kinds)
    return f"/nouvelles/arreter/{account_id}/{channel}/{key}/{stopping.token(account_id, channel, key)}"


def headers(stop: str, key: str) -> dict[str, str]:
    """So that a mail program offers to stop, and knows a message that comes twice."""
    return {"List-Unsubscribe": f"<{notifications.address(stop)}>", "X-Parvis-Message": key}
