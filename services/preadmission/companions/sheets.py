"""The PDF of an act: with what was signed, by whom and how, or blank lines to sign by hand."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import format_datetime, get_timezone
from flask_babel import gettext as _

from portal.pdf import Sheet
from services.preadmission.companions import wording
from services.preadmission.companions.actions import composing
from services.preadmission.companions.models import Companion, Signature
from services.preadmission.companions.texts import DESIGNATION, Act


def signed(signatures: Sequence[Signature], made_at: datetime) -> bytes:
    """What was decided about one act, the latest decision last: the very words, and the evidence."""
    first = signatures[0]
    title = first.words.split("\n", 1)[0]
    sheet = Sheet(title, composing.current_language(), made_at)
    sheet.heading(title)
    for each in signatures:
        _decision(sheet, each)
    return sheet.written()


def _decision(sheet: Sheet, each: Signature) -> None:
    sheet.heading(str(wording.DECISIONS[each.decision]), 2)
    for line in each.words.split("\n")[1:]:
        sheet.say(line)
    sheet.rule()
    evidence = [
        (_("Name"), each.signer_name),
        (_("When"), moment(each.at)),
        (_("Signed in with"), _provider(each)),
        (_("Text"), f"{each.text_kind} {each.text_version}"),
        (_("SHA-256 of the text"), each.digest.hex()),
    ]
    sheet.facts([(label, value) for label, value in evidence if value])


def _provider(each: Signature) -> str:
    if not each.provider:
        return ""
    return f"{wording.PROVIDERS.get(each.provider, each.provider)} ({each.acr})" if each.acr else each.provider


def moment(at: datetime) -> str:
    """In the portal's time zone, to the second: it is evidence."""
    return str(format_datetime(at.astimezone(get_timezone()), "d MMMM y, HH:mm:ss zzz"))


def to_sign(companion: Companion, others: Sequence[Companion], acts: Sequence[Act]) -> bytes:
    """A sheet to print: each act with a line for a date and a signature. The caller may read the file."""
    titles = [composing.compose(companion, act).split("\n", 1)[0] for act in acts]
    sheet = Sheet(titles[0], composing.current_language())
    for act, title in zip(acts, titles, strict=True):
        sheet.heading(title, 1 if act is acts[0] else 2)
        if act is not DESIGNATION and others:
            for one in others:
                _blank(sheet, composing.compose(one, act), one.full_name)
        else:
            _blank(sheet, composing.compose(companion, act), "" if act is DESIGNATION else companion.full_name)
    sheet.say(_("Send this sheet with your documents, or bring it to the admissions office."))
    return sheet.written()


def _blank(sheet: Sheet, words: str, name: str) -> None:
    for line in words.split("\n")[1:]:
        sheet.say(line)
    sheet.ln(3)
    sheet.say(_("Name: %(name)s", name=name or "................................................"))
    sheet.say(_("Date: ......... / ......... / ................"))
    sheet.say(_("Signature:"))
    sheet.ln(16)
    sheet.rule()
