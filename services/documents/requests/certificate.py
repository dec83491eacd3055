"""Certificates that the portal prints once an agent has checked the facts: neither unit nor speciality is named."""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, Final
from urllib.parse import urlencode

import segno
from flask_babel import force_locale
from flask_babel import gettext as _

from portal import notifications
from portal.pdf import Sheet
from portal.web.ui import long_day, moment
from services.documents.requests import wording
from services.documents.requests.actions.delivering import Numbered
from services.documents.requests.models import RecordRequest

PATH: Final = "/documents/attestations/verifier"
_QR_MM: Final = 32


def check_address(numbered: Numbered) -> str:
    """Where anybody checks it; what its QR code leads to."""
    return notifications.address(f"{PATH}?{urlencode({'number': numbered.number, 'code': numbered.code})}")


def written(
    request: RecordRequest, facts: Mapping[str, Any], numbered: Numbered, signer: str, made_at: datetime
) -> bytes:
    """The whole PDF, in French: it is shown to French employers, insurers and schools."""
    with force_locale("fr"):
        return _written(request, facts, numbered, signer, made_at)


def _written(
    request: RecordRequest, facts: Mapping[str, Any], numbered: Numbered, signer: str, made_at: datetime
) -> bytes:
    sheet = Sheet(title_of(request.kind), "fr", made_at)
    sheet.say(request.establishment.name, bold=True, size=12)
    sheet.say(
        _lines(request.establishment.address, _("FINESS number: %(number)s", number=request.establishment.finess))
    )
    sheet.heading(title_of(request.kind))
    sheet.say(_sentence(request, facts))
    sheet.facts(_rows(request, facts))
    sheet.say(_("This certificate is given to the person concerned, to be used as they see fit."))
    sheet.say(_("Made on %(moment)s.", moment=moment(made_at)))
    if signer:
        sheet.say(signer, bold=True)
    _proof(sheet, numbered)
    return sheet.written()


def title_of(kind: str) -> str:
    return str(_("Proof of hospital stay") if kind == "situation" else _("Certificate of presence"))


def _lines(*texts: str) -> str:
    return "\n".join(filter(None, texts))


def _sentence(request: RecordRequest, facts: Mapping[str, Any]) -> str:
    if request.kind == "situation":
        return str(_("The hospital certifies that the person below was, or is, in hospital on these days."))
    return str(_("The hospital certifies that the person below was present within its walls."))


def _rows(request: RecordRequest, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    born = long_day(request.birth_on) if request.birth_on else ""
    rows = [(_("Last and first name"), request.subject_name), (_("Born on"), born)]
    if companion := facts.get("companion"):  # it is about them; the patient is nobody's business
        rows = [(_("Last and first name"), companion), (_("In quality of"), _("accompanying person"))]
    rows += printed(request.kind, facts)
    return [(label, value) for label, value in rows if value]


def printed(kind: str, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Days and hours, as on the sheet and on the page where it is checked."""
    if kind == "situation":
        ended = wording.day(facts.get("discharged_on")) or _("still in hospital on the day of this certificate")
        return [(_("Admitted on"), wording.day(facts.get("admitted_on"))), (_("Discharged on"), ended)]
    rows = [(_("Present on"), wording.day(facts.get("visit_on")))]
    rows += [(_("From"), facts.get("from_at", "")), (_("To"), facts.get("until_at", ""))]
    return [(label, value) for label, value in rows if value]


def _proof(sheet: Sheet, numbered: Numbered) -> None:
    sheet.rule()
    sheet.facts([(_("Number"), numbered.number), (_("Verification code"), numbered.printed_code)])
    sheet.say(_("Anybody can check this document at this address, or with the square below:"))
    sheet.say(notifications.address(PATH))
    image = BytesIO()
    segno.make(check_address(numbered), error="m").save(image, kind="png", scale=6, border=2)
    alternative = _("Square that leads to the page where this document is checked")
    sheet.image(image, x=sheet.l_margin, w=_QR_MM, h=_QR_MM, alt_text=alternative)
