"""The form that receives a piece, and the one that refuses it."""

from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import FileField, HiddenField, SelectField
from wtforms.validators import Optional

from portal import files
from portal.file_sniffing import FileRefused
from portal.files import StoredFile
from portal.web import uploads
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.pieces.states import REFUSAL_REASONS
from services.pieces.wording import REASONS, words_for


class DepositForm(OnceForm):
    """One file for one piece. `received` holds an upload that arrived with a form that was refused otherwise."""

    received = HiddenField()
    file = FileField(_l("Your file"), description=_l("Photo or PDF, 25 MB at most"))
    expires_on = DateParts(
        _l("Valid until"), validators=[Optional()], description=_l("The date written on it, for example 27 3 2031")
    )

    def received_id(self) -> UUID | None:
        """The upload kept from the former attempt, when the field holds one."""
        try:
            return UUID(self.received.data or "")
        except ValueError:
            return None

    def take_upload(self) -> StoredFile | None:
        """Register the file that came with this post, or find the one kept from the former attempt.

        None, with the reason among the form's errors, when there is none or when it was refused. The upload is
        registered in a transaction of its own: call this before any write.
        """
        arriving = uploads.arriving(self.file.data)
        try:
            if arriving is not None:
                return self._kept(files.receive(arriving, self.file.data.filename, kinds=files.PHOTOGRAPHED))
        except FileRefused as refused:
            self.file.errors = [*self.file.errors, words_for(refused)]
            return None
        kept_id = self.received_id()
        kept = files.unattached(kept_id) if kept_id else None
        if kept is None:
            self.file.errors = [*self.file.errors, _l("Choose a file.")]
        return kept

    def _kept(self, stored: StoredFile) -> StoredFile:
        self.received.data = str(stored.id)
        return stored


class RefusePieceForm(Form):
    """Why an agent refuses a piece."""

    reason = SelectField(
        _l("Reason"),
        validators=[Required(_l("Choose a reason: the patient will read it."))],
        choices=choices([("", _l("Choose…")), *((code, REASONS[code][0]) for code in REFUSAL_REASONS)]),
    )
