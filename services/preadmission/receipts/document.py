"""The receipt as a PDF, and the summary of a file to keep: what was sent, when, to whom (CRPA L112-11, R112-11-1)."""

import base64
from collections.abc import Sequence
from datetime import datetime

from flask_babel import format_datetime, get_locale
from flask_babel import gettext as _

from auth.identity import sealing
from portal import notifications
from portal.pdf import Sheet
from services.pieces import wording as piece_wording
from services.pieces.models import Piece
from services.preadmission import steps, wording
from services.preadmission.delays.models import PreadmissionDelay
from services.preadmission.models import Preadmission

PATH = "/pre-admission/verifier"


def code_of(file: Preadmission) -> str:
    """What proves that a receipt is ours: ten signs that nobody else can make. The file was sent."""
    return codes_of(file)[0]


def codes_of(file: Preadmission) -> list[str]:
    """The same under each of the portal's secrets, the one that signs first."""
    assert file.submitted_at is not None, "only a sent file has a receipt"
    made = sealing.digests("preadmission receipt", f"{file.id} {file.reference} {file.submitted_at.isoformat()}")
    signs = [base64.b32encode(each).decode()[:10] for each in made]
    return [f"{each[:5]}-{each[5:]}" for each in signs]


def write(
    file: Preadmission,
    pieces: Sequence[Piece],
    usual: PreadmissionDelay | None,
    told: Sequence[tuple[steps.Step, steps.Rows]],
) -> bytes:
    """The whole PDF, in the language of the page. told: what was answered, for the person's own copy."""
    assert file.submitted_at is not None, "only a sent file has a receipt"
    language = str(get_locale() or "fr")
    title = _("Receipt of file %(number)s", number=file.reference)
    sheet = Sheet(title, language, file.submitted_at)
    sheet.heading(title)
    _received(sheet, file, file.submitted_at)
    _next(sheet, file, usual)
    _stay(sheet, file)
    _pieces(sheet, pieces)
    _office(sheet, file)
    _proof(sheet, file)
    _answers(sheet, told)
    return sheet.written()


def _received(sheet: Sheet, file: Preadmission, at: datetime) -> None:
    sheet.facts([
        (_("File number"), file.reference),
        (_("Received on"), str(format_datetime(at.astimezone(file.establishment.tz), "long", rebase=False))),
        (_("Received by"), f"{file.establishment.name}, {_('admissions office')}"),
        (_("For"), f"{file.patient.first_name} {file.patient.birth_name}"),
    ])  # fmt: skip
    if file.late:
        sheet.say(
            _("Sent after the hospital’s last day: come to the admissions office first. Your file helps all the same."),
            bold=True,
        )


def _next(sheet: Sheet, file: Preadmission, usual: PreadmissionDelay | None) -> None:
    sheet.heading(_("What happens next"), 2)
    sheet.say(_("1. The admissions office checks your details and your documents."))
    if usual is not None:
        sheet.say(_("Nine files in ten are answered within %(days)s working days (last 30 days).", days=usual.days))
    sheet.say(_("2. If something is missing, it is asked for in your space, and we write to you."))
    sheet.say(_("3. When all is well, you go straight to the ward on the day of your stay."))
    sheet.say(_("This receipt is no decision: silence means neither that the file is accepted nor that it is refused."))


def _stay(sheet: Sheet, file: Preadmission) -> None:
    sheet.heading(_("Your stay"), 2)
    sheet.facts([(str(row["key"]), str(row["value"])) for row in wording.stay(file)])


def _pieces(sheet: Sheet, pieces: Sequence[Piece]) -> None:
    sheet.heading(_("Documents"), 2)
    shown = [piece for piece in pieces if piece.is_there or piece.needed]
    sheet.facts([(str(piece_wording.KINDS[each.kind]), str(piece_wording.STATES[each.state][0])) for each in shown])


def _office(sheet: Sheet, file: Preadmission) -> None:
    place = file.establishment
    sheet.heading(_("A question?"), 2)
    rows = ((_("Address"), place.address), (_("Telephone"), place.phone), (_("E-mail address"), place.email))
    sheet.facts([(label, value) for label, value in rows if value])
    sheet.say(_("On paper or at the desk, the admissions office does the same for you."))


def _proof(sheet: Sheet, file: Preadmission) -> None:
    sheet.heading(_("Check this receipt"), 2)
    sheet.say(
        _(
            "Whoever is given this receipt can check it at %(address)s with its number and this code: %(code)s",
            address=notifications.address(PATH),
            code=code_of(file),
        )
    )


def _answers(sheet: Sheet, told: Sequence[tuple[steps.Step, steps.Rows]]) -> None:
    if not told:
        return
    sheet.add_page()
    sheet.heading(_("What you answered"), 2)
    for step, rows in told:
        sheet.heading(str(step.title), 3)
        sheet.facts([(str(row["key"]), str(row["value"])) for row in rows])
