"""What a patient fills in to write to a unit."""

from collections.abc import Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from portal.web.forms import Required
from services.documents.exchanges.actions import Draft
from services.documents.forms import LINE, TEXT_LENGTH, UploadForm, words_of


class MessageForm(UploadForm):
    """A first message: its subject, its words, and a document if need be."""

    subject = StringField(
        _l("Subject"),
        [Required(_l("Write what it is about, in a few words.")), LINE],
        description=_l("For example: question about my treatment"),
    )
    text = TextAreaField(
        _l("Your message"),
        [
            Required(_l("Write your message.")),
            Length(max=TEXT_LENGTH, message=_l("Write 2,000 characters at most.")),
        ],
    )

    def draft(self, file_ids: Sequence[UUID]) -> Draft:
        return Draft(subject=words_of(self.subject), text=self.text.data or "", file_ids=file_ids)
