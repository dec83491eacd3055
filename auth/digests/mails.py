"""The morning's mail: kinds of things and numbers, no unit, nobody's name."""

from base64 import urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from auth.identity import sealing
from auth.news import kinds
from auth.news.mails import stop_path
from portal import notifications
from portal.notifications import Mail, message

PAGE = "/admin/en-attente"


@dataclass(frozen=True)
class Number:
    """label: a lazy translation of what waits; late: how many of them are."""

    label: Any
    number: int
    late: int

    def __str__(self) -> str:
        line = _("%(label)s: %(number)d", label=self.label, number=self.number)
        if not self.late:
            return f"– {line}"
        late = ngettext("%(num)d is late", "%(num)d are late", self.late)
        return f"– {line} ({late})"


@dataclass(frozen=True)
class _Lines:
    """Numbers, one a line, in the language of the moment when the mail is written."""

    numbers: Collection[Number]

    def __str__(self) -> str:
        return "\n".join(map(str, self.numbers))


@dataclass(frozen=True)
class _Stop:
    path: str

    def __str__(self) -> str:
        return str(_("To receive no more of these messages: %(address)s", address=notifications.address(self.path)))


@message("agents.morning", "staff", sample={"numbers": ()}, values=lambda _given: {})
def morning(numbers: Collection[Number], stop: str) -> Mail:
    """What waits this morning. stop: the path of the page that stops these mails."""
    return Mail(
        _l("What waits on the hospital’s portal this morning"),
        (_l("Hello,"), _l("This waits on the hospital’s portal:"), _Lines(numbers), _Stop(stop), _l("To see it:")),
        PAGE,
    )


def stop_agent(account_id: UUID) -> str:
    """The page that stops the summary of an agent."""
    return stop_path(account_id, kinds.MAIL, (kinds.DIGESTS,))


def stop_shared(address_id: UUID) -> str:
    """The page that stops the summary of a shared address."""
    return f"/nouvelles/arreter-la-liste/{address_id}/{token(address_id)}"


def token(address_id: UUID) -> str:
    """What only we can write."""
    return _tokens(address_id)[0]


def is_token(address_id: UUID, given: str) -> bool:
    """Whether we wrote it for this address."""
    return sealing.one_of(given, _tokens(address_id))


def _tokens(address_id: UUID) -> list[str]:
    return [urlsafe_b64encode(each[:18]).decode() for each in sealing.digests("digest stop", str(address_id))]
