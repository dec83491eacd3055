"""The answer to a request as a letter to the patient: for whoever has no account, or prefers paper."""

from flask_babel import force_locale
from flask_babel import gettext as _

from portal import calendar, db
from portal.pdf import Sheet
from portal.web.ui import long_day
from services.referrals import states, wording
from services.referrals.models import ReferralTarget


class NothingToTell(Exception):
    """The unit has not answered: there is nothing to write to the patient."""


def write(target: ReferralTarget, language: str = "fr") -> bytes:
    """A tagged PDF, in the language of whoever reads it. Raises NothingToTell.

    Neither the question nor the refusal's reason: those are between the practitioner and the unit.
    """
    if target.state not in states.ANSWERED:
        raise NothingToTell
    with force_locale(language):
        title = str(_("An answer to your practitioner’s request"))
        sheet = Sheet(title, language, db.now())
        _address(sheet, target)
        sheet.heading(title)
        for line in _lines(target):
            sheet.say(line)
        sheet.rule()
        for line in _foot(target):
            sheet.say(line, size=9.5)
        return sheet.written()


def _address(sheet: Sheet, target: ReferralTarget) -> None:
    place, told = target.establishment, target.referral
    sheet.say(place.name, bold=True)
    sheet.say(target.unit.name)
    if phone := target.offer.call_for_patients:
        sheet.say(phone)
    sheet.rule()
    sheet.say(told.patient_name, bold=True)
    for line in told.postal_address.splitlines():
        sheet.say(line)
    sheet.say(str(long_day(calendar.civil_day(db.now(), place.tz))))


def _lines(target: ReferralTarget) -> list[str]:
    name = target.referral.professional_name
    found = [
        _("Hello,"),
        _("%(name)s asked our unit, %(unit)s, to see you or to give an opinion.", name=name, unit=target.unit.name),
    ]
    return [str(each) for each in [*found, *_answer(target)]]


def _answer(target: ReferralTarget) -> list[str]:
    name = target.referral.professional_name
    if target.state in ("refused", "redirected", "lapsed"):
        return [
            _("We cannot receive you for this request. We have told %(name)s, who will say what to do.", name=name),
        ]
    if target.outcome_kind == "opinion":
        return [_("We have given our opinion to %(name)s, who will tell you about it.", name=name)]
    found = [_("We have accepted this request.")]
    if target.outcome_at is not None:
        when = wording.day_and_hour(target.outcome_at, target.establishment.tz)
        found.append(
            _("Your stay is planned on %(when)s.", when=when)
            if target.outcome_kind == "stay"
            else _("You are expected on %(when)s.", when=when)
        )
    else:
        found.append(_("We will call you to agree on a date."))
    site = target.unit.site
    where = ", ".join(filter(None, (target.unit.name, site.name if site else "", target.establishment.name)))
    return [*found, _("Where: %(where)s.", where=where)]


def _foot(target: ReferralTarget) -> list[str]:
    phone = target.offer.call_for_patients
    found = [
        _("You may object to this request: tell the unit, or the practitioner who sent it."),
        _("Reference to give: %(reference)s.", reference=target.referral.reference),
    ]
    if phone:
        found.append(_("To move this date, or if you have a question: %(phone)s.", phone=phone))
    found.append(_("If your health cannot wait, call 15 (or 112)."))
    return [str(each) for each in found]
