"""Messages about appointments: that one exists, when and where at most. Neither the unit, nor why, nor with whom.

How much is told is the hospital's choice, then the person's; what acts without signing in is a link of the message.
Each is given by who knows it (`told_by`, `linked_by`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from portal import notifications
from portal.notifications import Mail, message
from services.appointments.models import Appointment
from services.appointments.wording import hospital_moment, hospital_zone

Says = Callable[[UUID, UUID | None], str]
Link = Callable[[Appointment], str]
_says: list[Says] = []
_links: list[Link] = []


@dataclass(frozen=True)
class Told:
    """What a message about one appointment tells. says: `where` (time and hospital), `when` or `nothing`. link: the
    path of the page where one acts without signing in, "" when there is none. has_account: the reader has one."""

    appointment: Appointment
    says: str = "nothing"
    link: str = ""
    has_account: bool = True

    @property
    def when(self) -> str:
        """When, and at which hospital, in the current language; "" when nothing is told."""
        return "" if self.says == "nothing" else moment(self)

    @property
    def path(self) -> str:
        """Where the message leads: the account's page, or the link for whoever has no account."""
        return self.link if self.link and not self.has_account else f"/rendez-vous/{self.appointment.id}"


def told_by(says: Says) -> None:
    """Ask this how much messages of a hospital (to an account, or to nobody's) tell."""
    _says[:] = [says]


def linked_by(link: Link) -> None:
    """Ask this for the path of the page that acts on an appointment without signing in; "" when none may."""
    _links[:] = [link]


def told(appointment: Appointment, account_id: UUID | None) -> Told:
    """What a message to this account, or to an address on paper, tells. In a transaction of the system."""
    says = _says[0](appointment.establishment_id, account_id) if _says else "nothing"
    link = _links[0](appointment) if _links else ""
    return Told(appointment, says, link, account_id is not None)


# -- mails ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Facts:
    """An appointment of nobody, for the list of messages."""

    id = UUID(int=0)
    reference: str = "{reference}"


@dataclass(frozen=True)
class _Sample(Told):
    """What a message tells of it."""

    when = "{when}"
    path = "/rendez-vous"


_NOBODYS: Any = _Facts()
_MAILS: Any = {"at_hospital": True, "sample": {"what": _Sample(_NOBODYS, "where", "/{answer_link}")}}


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    what = given["what"]
    has_link = what.link and what.has_account
    return {
        "reference": what.appointment.reference,
        "when": LazyString(lambda: what.when),
        "answer_link": notifications.address(what.link) if has_link else "",
    }


@message("appointments.confirmed", values=_values, **_MAILS)
def confirmed(what: Told) -> Mail:
    reference = what.appointment.reference
    return _mail(
        what,
        _l("Your appointment is confirmed"),
        _l("Your appointment is confirmed. Its reference is %(reference)s.", reference=reference),
    )


@message("appointments.moved", values=_values, **_MAILS)
def moved(what: Told) -> Mail:
    reference = what.appointment.reference
    return _mail(
        what,
        _l("Your appointment is at another time"),
        _l("Your appointment with reference %(reference)s has moved.", reference=reference),
    )


@message("appointments.cancelled", values=_values, **_MAILS)
def cancelled(what: Told) -> Mail:
    """No link: there is nothing left to act on."""
    reference = what.appointment.reference
    return Mail(
        subject=_l("Your appointment is cancelled"),
        paragraphs=(
            _l("Hello,"),
            _l("Your appointment with reference %(reference)s is cancelled.", reference=reference),
            *when_and_where(what, _l("It was on %(when)s.")),
            _l("The details are in your account, and you can choose another time there:")
            if what.has_account
            else _l("To choose another time, call the hospital, or sign in here:"),
        ),
        path=what.path if what.has_account else "/rendez-vous",
    )


def _mail(what: Told, subject: Any, news: Any) -> Mail:
    return Mail(subject, (_l("Hello,"), news, *when_and_where(what), *to_act(what), _rest(what)), path=what.path)


def when_and_where(what: Told, sentence: Any = None) -> tuple[Any, ...]:
    """The paragraph that says when, and at which hospital; none when nothing is told. Written in its reader's language
    at the last moment: hence lazy. sentence: with `%(when)s`."""
    if what.says == "nothing":
        return ()
    words = sentence or _l("It is on %(when)s.")
    return (LazyString(lambda: str(words) % {"when": what.when}),)


def moment(what: Told) -> str:
    """`lundi 23 novembre 2026 à 09:30, Hôpital d’essai`, in the current language and the hospital's time."""
    appointment = what.appointment
    zone = hospital_zone(appointment.tz)
    said = hospital_moment(appointment.start_at, appointment.tz) + (f" ({zone})" if zone else "")
    if what.says != "where":
        return said
    return str(_("%(when)s, %(place)s", when=said, place=appointment.establishment.name))


def to_act(what: Told) -> tuple[Any, ...]:
    """The link by which one answers without signing in, in a message whose last line leads elsewhere."""
    if not what.link or not what.has_account:
        return ()
    address = notifications.address(what.link)
    return (_l("Say that you come, move it or cancel it, without signing in: %(address)s", address=address),)


def _rest(what: Told) -> Any:
    if not what.has_account and what.link:
        return _l("Say that you come, move it or cancel it here, without signing in:")
    if what.says == "nothing":
        return _l("The date, the place and what to bring are in your account: for your privacy, not in this mail.")
    return _l("What to bring and how to come are in your account:")
