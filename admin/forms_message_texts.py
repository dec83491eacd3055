"""A message in the hospital's words, as an administrator types it."""

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length, Regexp

from admin.message_text_words import said
from portal.message_texts.checking import Fault
from portal.message_texts.models import LONGEST_BODY, LONGEST_SUBJECT
from portal.message_texts.writing import Words
from portal.web.forms import Form


class TextForm(Form):
    """seen: the version that was shown. Every fault but length is found by `checking`, for mails and texts alike."""

    seen = HiddenField(validators=[Regexp(r"^[0-9]{1,6}$")])
    subject = StringField(_l("Subject"), [Length(max=LONGEST_SUBJECT)])
    body = TextAreaField(
        _l("Text"), [Length(max=LONGEST_BODY)], description=_l("An empty line begins a new paragraph.")
    )

    @property
    def words(self) -> Words:
        return Words(self.subject.data or "", self.body.data or "")

    @property
    def version(self) -> int:
        return int(self.seen.data or 0)

    def blame(self, faults: Iterable[Fault]) -> None:
        """Say beside each field what is wrong with it."""
        for fault in faults:
            field = self.subject if fault.in_subject else self.body
            field.errors = [*field.errors, said(fault)]


class StepForm(Form):
    """Undo, or back to the portal's words: from what was shown."""

    seen = HiddenField(validators=[Regexp(r"^[0-9]{1,6}$")])
