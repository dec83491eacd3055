"""The words of a reminder: when and where at most, in its reader's language and the hospital's time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import force_locale, format_date, ngettext
from flask_babel import gettext as _

from portal import notifications
from portal.message_texts import telephone, writing
from portal.message_texts.kinds import TEXT, message
from services.appointments.wording import hospital_moment, hospital_time, hospital_zone

_MAIL, _TEXT = "appointments.reminder", "appointments.reminder_text"
_PATH, _CHOICES = "/rendez-vous", "/rendez-vous/rappels"


@dataclass(frozen=True)
class Line:
    """One visit of a message. place: the hospital's name, short: a shorter one. says: see `models.SAYS`. link: the
    path of the page that acts on it, "" for none."""

    at: datetime
    tz: ZoneInfo
    place: str
    short: str
    says: str
    link: str = ""


@dataclass(frozen=True)
class Words:
    """A message as it leaves; subject: "" for a text."""

    subject: str
    text: str


def mail(lines: Sequence[Line], *, has_account: bool, locale: str, establishment_id: UUID | None = None) -> Words:
    """A mail about these visits, in order of time. establishment_id: of all of them, None when they are of several;
    the hospital may say it in its own words."""
    with force_locale(locale or "fr"):
        told, links = list(_said(lines)), list(_links(lines, has_account))
        choices = notifications.address(_CHOICES) if has_account else ""
        values = {"appointments": "\n".join(told[1:]), "answer_links": "\n".join(links), "choices": choices}
        path = _PATH if has_account else lines[0].link
        own = writing.chosen(_MAIL, establishment_id, locale or "fr", values, path)
        if own is not None:
            return Words(own.subject, own.body)
        return Words(*_written(told, links, choices))


def _written(told: Sequence[str], links: Sequence[str], choices: str) -> tuple[str, str]:
    paragraphs = [str(_("Hello,")), *told, *links]
    if choices:
        paragraphs.append(
            str(_("What to bring and how to come are in your account:")) + " " + notifications.address(_PATH)
        )
        paragraphs.append(str(_("To choose how we remind you: %(address)s", address=choices)))
    return str(_("A reminder from the hospital")), "\n\n".join(paragraphs)


@message(_MAIL, at_hospital=True, path=_PATH)
def _sample_of_mail(appointments: str, answer_links: str, choices: str) -> tuple[str, str]:
    """What a hospital starts from when it writes its own: several visits are said as one is."""
    one, many = "This is a reminder of your appointment:", "This is a reminder of your %(num)d appointments:"
    return _written([str(ngettext(one, many, 1)), appointments], [answer_links], choices)


def text(lines: Sequence[Line], *, has_account: bool, locale: str, establishment_id: UUID | None = None) -> Words:
    """A text message: in one part whenever that can be, unless the hospital says it in its own words."""
    with force_locale(locale or "fr"):
        first = lines[0]
        values = {
            "place": first.short if first.says == "where" else "",
            "when": "" if first.says == "nothing" else " ".join(filter(None, (_short(first), _more(lines)))),
        }
        own = writing.chosen(_TEXT, establishment_id, locale or "fr", values, _text_path(lines, has_account))
        if own is not None:
            return Words("", telephone.plain(own.body))
        return Words("", telephone.shortest_of(_texts(lines, has_account)))


@message(_TEXT, at_hospital=True, channel=TEXT, path=_PATH)
def _sample_of_text(place: str, when: str) -> str:
    return _whole(place, when, "{link}")


def _said(lines: Sequence[Line]) -> Iterator[str]:
    if lines[0].says == "nothing":
        yield str(_("Something on your hospital’s portal is coming soon: look there for when and where."))
        return
    yield str(
        ngettext("This is a reminder of your appointment:", "This is a reminder of your %(num)d appointments:",
                 len(lines))
    )  # fmt: skip
    yield from (_moment(each) for each in lines)


def _moment(line: Line) -> str:
    zone = hospital_zone(line.tz)
    when = hospital_moment(line.at, line.tz) + (f" ({zone})" if zone else "")
    return str(_("%(when)s, %(place)s", when=when, place=line.place)) if line.says == "where" else when


def _links(lines: Sequence[Line], has_account: bool) -> Iterator[str]:
    # Discretion is for the signed-in: the page behind a link says when and where.
    if lines[0].says == "nothing" and has_account:
        return
    linked = [each for each in lines if each.link]
    for each in linked:
        address = notifications.address(each.link)
        if len(lines) == 1 or each.says == "nothing":
            yield str(_("Say that you come, move it or cancel it, without signing in: %(address)s", address=address))
        else:
            at = hospital_time(each.at, each.tz)
            yield str(_("For the one at %(time)s: %(address)s", time=at, address=address))


def _texts(lines: Sequence[Line], has_account: bool) -> Iterator[str]:
    """From what says most to what says least."""
    first = lines[0]
    if first.says == "nothing":
        address = notifications.address("/rendez-vous" if has_account or not first.link else first.link)
        yield str(_("Something is coming soon on your hospital’s portal: %(address)s", address=address))
        return
    path = _text_path(lines, has_account)
    address = notifications.address(path) if path else ""
    yield from _shorter_and_shorter(first, address, _more(lines))


def _text_path(lines: Sequence[Line], has_account: bool) -> str:
    first = lines[0]
    return first.link if first.link and len(lines) == 1 else _PATH if has_account else first.link


def _more(lines: Sequence[Line]) -> str:
    return str(ngettext("and another one", "and %(num)d others", len(lines) - 1)) if len(lines) > 1 else ""


def news(line: Line, *, cancelled: bool) -> str:
    """A text for somebody who has no account: an appointment is made, or is no more."""
    with force_locale("fr"):
        if not cancelled:
            return telephone.shortest_of(_texts([line], has_account=False))
        if line.says == "nothing":
            return telephone.plain(str(_("Your appointment at the hospital is cancelled.")))
        places = (line.place, line.short) if line.says == "where" else ("",)
        moments = [" ".join(filter(None, (f"{place}:" if place else "", _short(line)))) for place in places]
        return telephone.shortest_of(str(_("%(when)s: this appointment is cancelled.", when=each)) for each in moments)


def _shorter_and_shorter(first: Line, address: str, more: str) -> Iterator[str]:
    """Whole sentences with the whole name, then the short name; then fewer words; the zone goes last."""
    places = list(dict.fromkeys((first.place, first.short))) if first.says == "where" else [""]
    whens = dict.fromkeys(" ".join(filter(None, (_short(first, zone), more))) for zone in (hospital_zone(first.tz), ""))
    for when in whens:
        for words in (_whole, _brief):
            yield from (words(place, when, address) for place in places)


def _whole(place: str, when: str, address: str) -> str:
    if not address:
        return _brief(place, when, address)
    if place:
        return str(_("%(place)s: appointment on %(when)s. Confirm, move or cancel: %(address)s",
                     place=place, when=when, address=address))  # fmt: skip
    return str(_("Appointment on %(when)s. Confirm, move or cancel: %(address)s", when=when, address=address))


def _brief(place: str, when: str, address: str) -> str:
    said = _("%(place)s: appointment on %(when)s.", place=place, when=when) if place else _(
        "Appointment on %(when)s.", when=when
    )  # fmt: skip
    return f"{said} {address}".strip()


def _short(line: Line, zone: str = "") -> str:
    return f"{_short_day(line)} {hospital_time(line.at, line.tz)}" + (f" ({zone})" if zone else "")


def _short_day(line: Line) -> str:
    return str(format_date(line.at.astimezone(line.tz), "EEE d MMM", rebase=False))
