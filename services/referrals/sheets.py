"""The sheet that a practitioner gives to a patient whom they refer: what was asked, of whom, and how to object."""

from flask_babel import force_locale
from flask_babel import gettext as _

from portal import calendar, db, notifications
from portal.pdf import Sheet
from portal.web.ui import long_day
from services.referrals import patient_words
from services.referrals.models import Referral, ReferralTarget


def inform(referral: Referral, language: str = "fr") -> bytes:
    """A tagged PDF. Not the question: a sheet is left on tables."""
    with force_locale(language):
        title = str(_("Your practitioner asks a hospital for you"))
        sheet = Sheet(title, language, db.now())
        sheet.say(referral.professional_name, bold=True)
        sheet.say(_sent_on(referral))
        sheet.rule()
        sheet.heading(title)
        sheet.facts([(_("For"), referral.patient_name), (_("Reference to give"), referral.reference)])
        for part, lines in _parts(referral):
            sheet.heading(part, level=2)
            for line in lines:
                sheet.say(line)
        sheet.rule()
        sheet.say(str(_("If your health cannot wait, call 15 (or 112).")), bold=True)
        return sheet.written()


def _sent_on(referral: Referral) -> str:
    return str(long_day(calendar.civil_day(referral.sent_at, referral.current.establishment.tz)))


def _parts(referral: Referral) -> list[tuple[str, list[str]]]:
    return [
        (str(_("What is asked, and of whom")), _asked(referral)),
        (str(_("What was sent")), _sent()),
        (str(_("What happens now")), _then()),
        (str(_("You may object")), _objecting(referral)),
    ]


def _asked(referral: Referral) -> list[str]:
    reached = [each for each in referral.targets if each.received_at is not None]
    lines = [_unit(referral, each) for each in reached]
    if len(reached) < len(referral.targets):
        lines.append(str(_("If it cannot, another unit will be asked.")))
    return lines


def _unit(referral: Referral, target: ReferralTarget) -> str:
    said = _(
        "%(unit)s, %(hospital)s, is asked %(kind)s.",
        unit=target.unit.name,
        hospital=target.establishment.name,
        kind=patient_words.KINDS[referral.kind],
    )
    phone = target.offer.call_for_patients
    return f"{said} {_('Telephone: %(phone)s.', phone=phone)}" if phone else str(said)


def _sent() -> list[str]:
    return [
        str(
            _(
                "The question that your practitioner asks, and the documents that help to answer it. The people of the"
                " unit who answer such requests read them, and nobody else."
            )
        )
    ]


def _then() -> list[str]:
    return [
        str(_("The unit answers your practitioner. If it receives you, it writes or calls to give you a date.")),
        str(_("With an account on the portal, you follow this request at %(address)s.", address=_at("/orientations"))),
    ]


def _objecting(referral: Referral) -> list[str]:
    return [
        str(_("You may refuse this request, without saying why: everything stops, and your practitioner is told.")),
        str(
            _(
                "On %(address)s, with the reference %(reference)s and your date of birth; by telephone to the unit;"
                " or by telling your practitioner.",
                address=_at("/orientations/opposition"),
                reference=referral.reference,
            )
        ),
    ]


def _at(path: str) -> str:
    return notifications.address(path).partition("://")[2]
