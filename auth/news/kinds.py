"""The kinds of news, and how often each may be told: words for people, and what is chosen for whoever chose nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

AT_ONCE, HOURLY, DAILY, NEVER = RHYTHMS = ("at_once", "hourly", "daily", "never")
MAIL, MSSANTE = CHANNELS = ("mail", "mssante")
DIGESTS: Final = "digests"


@dataclass(frozen=True)
class Kind:
    """title, hint: lazy translations. usual: audience → the rhythm of whoever chose nothing. needed: audiences that
    hear of it by one channel at least. told: a number of news → words for a message: neither names nor care."""

    code: str
    title: Any
    hint: Any
    usual: Mapping[str, str]
    told: Callable[[int], str]
    needed: frozenset[str] = frozenset()
    rhythms: tuple[str, ...] = RHYTHMS


def _messages(number: int) -> str:
    return str(ngettext("%(num)d new message", "%(num)d new messages", number))


def _referrals(number: int) -> str:
    return str(ngettext("%(num)d referral that moved", "%(num)d referrals that moved", number))


def _callbacks(number: int) -> str:
    return str(ngettext("%(num)d request to call back", "%(num)d requests to call back", number))


def _appointments(number: int) -> str:
    return str(ngettext("%(num)d appointment", "%(num)d appointments", number))


def _communities(number: int) -> str:
    return str(ngettext("%(num)d news of your communities", "%(num)d news of your communities", number))


def _digests(number: int) -> str:
    return str(ngettext("%(num)d thing that waits", "%(num)d things that wait", number))


_KINDS: Final = (
    Kind(
        "messages", _l("Messages"), _l("Somebody wrote to you or to your unit."),
        {"professional": HOURLY, "staff": NEVER}, _messages, frozenset({"professional"}),
    ),
    Kind(
        "referrals", _l("Referrals"), _l("A referral was answered, or waits for you."),
        {"professional": HOURLY, "staff": NEVER}, _referrals, frozenset({"professional"}),
    ),
    Kind(
        "callbacks", _l("Calls back"), _l("Somebody is to call you back, or to be called back."),
        {"professional": AT_ONCE, "staff": AT_ONCE}, _callbacks,
    ),
    Kind(
        "appointments", _l("Appointments of my patients"), _l("One was booked, moved or cancelled."),
        {"professional": DAILY}, _appointments,
    ),
    Kind(
        "communities", _l("Communities"), _l("Announcements, discussions and documents."),
        {"professional": DAILY, "staff": DAILY}, _communities,
    ),
    Kind(
        DIGESTS, _l("The morning’s summary"), _l("What waits in your units, in numbers, each working morning."),
        {"staff": DAILY}, _digests, rhythms=(DAILY, NEVER),
    ),
)  # fmt: skip
KINDS: Final[Mapping[str, Kind]] = {kind.code: kind for kind in _KINDS}
"""By their codes, in the order in which people read them."""


def of(audience: str) -> Sequence[Kind]:
    """The kinds that concern an audience."""
    return [kind for kind in KINDS.values() if audience in kind.usual]


def usual(kind: str, audience: str, channel: str, *, has_box: bool) -> str:
    """How often somebody who chose nothing is told by this channel. has_box: a professional box of theirs is proven,
    and takes the place of plain mail; the morning's summary is always a plain mail."""
    rhythm = KINDS[kind].usual.get(audience, AT_ONCE)
    by_box = has_box and kind != DIGESTS
    return rhythm if (channel == MSSANTE) == by_box else NEVER
