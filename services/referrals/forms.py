"""What a practitioner fills in about a request that was sent."""

from typing import Final

from flask_babel import lazy_gettext as _l
from wtforms import MultipleFileField, RadioField, TextAreaField
from wtforms.validators import AnyOf, Length, Optional

from portal import files
from portal.file_sniffing import FileRefused, Kind
from portal.files import DOCUMENTS, StoredFile
from portal.web import uploads
from portal.web.fields import choices
from portal.web.forms import OnceForm, Required
from services.pieces.wording import words_for
from services.referrals.wording import WHY_WITHDRAWN

LONGEST: Final = 4000
TAKEN: Final = DOCUMENTS | {Kind.CDA}
_WHY = _l("Choose why")


class MessageForm(OnceForm):
    """The next message to a unit: words, documents, or both."""

    text = TextAreaField(
        _l("Your message"), [Optional(), Length(max=LONGEST, message=_l("Write 4,000 characters at most."))]
    )
    files = MultipleFileField(
        _l("Documents"), description=_l("PDF, photo (JPEG, PNG) or CDA letter (.xml), 25 MB at most each")
    )

    def take_uploads(self) -> list[StoredFile]:
        """Register what came with this post; the reasons why something was not taken are among the errors."""
        found = []
        for upload in self.files.data or ():
            arriving = uploads.arriving(upload) if hasattr(upload, "filename") else None
            if arriving is None:
                continue
            try:
                found.append(files.receive(arriving, upload.filename, kinds=TAKEN))
            except FileRefused as refused:
                self.files.errors = [*self.files.errors, words_for(refused)]
        return found

    def explain_empty(self) -> None:
        """Say that nothing was written and nothing joined."""
        self.text.errors = [*self.text.errors, _l("Write a message, or join a document.")]


class WithdrawForm(OnceForm):
    """Why a practitioner takes a request back."""

    why = RadioField(
        _l("Why do you take it back?"),
        [Required(_WHY), AnyOf(tuple(WHY_WITHDRAWN), _WHY)],
        choices=choices(tuple(WHY_WITHDRAWN.items())),
        validate_choice=False,
    )


class ChoiceForm(OnceForm):
    """One button: ask the unit that was named, or leave it."""
