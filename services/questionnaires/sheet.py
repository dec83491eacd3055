"""Answers as a PDF: for the person to keep, for the hospital to file."""

from flask_babel import gettext as _

from portal.pdf import Sheet
from services.questionnaires import wording
from services.questionnaires.models import QuestionnaireAnswers, SentQuestionnaire


def write(
    sent: SentQuestionnaire, given: QuestionnaireAnswers, language: str, *, alerts: bool, number: str = ""
) -> bytes:
    """A tagged PDF. alerts: mark the answers that are (not on the person's copy). number: the patient's, at the
    hospital."""
    title = sent.title(language)
    sheet = Sheet(f"{title} – {sent.patient.full_name}", language, given.answered_at.astimezone(sent.tz))
    sheet.heading(title)
    sheet.facts(_facts(sent, given, number))
    sheet.rule()
    for line in wording.lines(sent.definition, given.answers, language):
        if line.is_section:
            sheet.heading(line.question, 2 if line.depth == 0 else 3)
            continue
        sheet.say(line.question, bold=True)
        sheet.say(line.answer or _("No answer"))
        if alerts and line.is_alert:
            sheet.say(_("Alert"), bold=True)
    if not sheet.is_whole:
        sheet.rule()
        sheet.say(_("Some signs could not be printed: read these answers on the portal."))
    return sheet.written()


def _facts(sent: SentQuestionnaire, given: QuestionnaireAnswers, number: str) -> list[tuple[str, str]]:
    found = [
        (_("Patient"), sent.patient.full_name),
        (_("Born on"), wording.day(sent.patient.birth_on)),
        (_("Patient number"), number),
        (_("Hospital"), sent.establishment.name),
        (_("Unit"), sent.unit.name),
        (_("Answered on"), wording.moment(given.answered_at, sent.tz)),
        (_("Version"), str(given.version) if given.version > 1 else ""),
        (_("Answered by"), given.by_name if given.by_proxy else ""),
    ]
    return [(str(label), value) for label, value in found if value]
