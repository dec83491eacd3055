"""The form that receives the pages of a piece, the one that arranges them, and the one that refuses the piece."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import FileStorage
from wtforms import BooleanField, HiddenField, MultipleFileField, SelectField, StringField, SubmitField
from wtforms.validators import AnyOf, Length, Optional

from portal import files
from portal.file_sniffing import FileRefused
from portal.files import StoredFile
from portal.gateways import Unavailable
from portal.web import uploads
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.pieces.actions import GESTURES
from services.pieces.models import Piece, PiecePage
from services.pieces.states import REFUSAL_REASONS
from services.pieces.wording import REASONS, words_for


@dataclass(frozen=True)
class PageLinks:
    """Where the pages of a piece are, for the partial `pieces/_deposit.html`.

    image: the address of a page's copy; sheet: of that sheet of a PDF, as an image. change: where `PageForm` is posted.
    """

    image: Callable[[PiecePage, int | None], str]
    change: Callable[[PiecePage], str] | None = None


class DepositForm(OnceForm):
    """Some pages for one piece. `received` holds what arrived with a form that was refused otherwise.

    `more` adds the pages and comes back for others; otherwise they are all there. `turned`: how far these pages are
    to be turned clockwise, in degrees (the browser's preview says it).
    """

    received = HiddenField()
    turned = HiddenField(default="0")
    file = MultipleFileField(
        _l("Your photos or your PDF"),
        description=_l("One photo for each side or page: JPEG, PNG or HEIC, or a PDF. 25 MB at most for each."),
    )
    expires_on = DateParts(
        _l("Valid until"), validators=[Optional()], description=_l("The date written on it, for example 27 3 2031")
    )
    more = SubmitField(_l("Add and choose another page"))
    is_storage_away = False

    @property
    def status(self) -> int:
        """What to answer with this form: 503 when it was good, and we could not keep its files."""
        return 503 if self.is_storage_away else 422 if self.errors or self.form_errors else 200

    @property
    def rotation(self) -> int:
        return int(self.turned.data) if self.turned.data in ("90", "180", "270") else 0

    def take_uploads(self, piece: Piece) -> Sequence[StoredFile]:
        """Register the files that came with this post, after those kept from the former attempt.

        Why one was refused is among the form's errors, and nothing of it is kept; so is the lack of any page, unless
        the piece has one already. Uploads are registered in transactions of their own: call this before any write.
        """
        taken = [kept for file_id in self._received_ids() if (kept := files.unattached(file_id))]
        for upload in self.file.data or ():
            if stored := self._take(upload):
                taken.append(stored)
        self.received.data = " ".join(str(each.id) for each in taken)
        if not taken and not self.file.errors and (self.more.data or not piece.pages):
            self._complain(_("Choose a file."))
        return taken

    def _take(self, upload: FileStorage) -> StoredFile | None:
        arriving = uploads.arriving(upload)
        if arriving is None:
            return None
        try:
            return files.receive(arriving, upload.filename or "", kinds=files.PHOTOGRAPHED)
        except Unavailable:
            self.is_storage_away = True
            self._complain(_("We cannot keep files at this moment. Wait a minute, then send it again."))
            return None
        except FileRefused as refused:
            several = len(self.file.data) > 1
            self._complain(f"{upload.filename} – {words_for(refused)}" if several else words_for(refused))
            return None

    def _complain(self, words: str) -> None:
        self.file.errors = [*self.file.errors, words]

    def _received_ids(self) -> list[UUID]:
        found = []
        for word in (self.received.data or "").split()[: uploads.MAX_FILES]:
            try:
                found.append(UUID(word))
            except ValueError:
                continue
        return found


class PageForm(Form):
    """One gesture on one page: `turn`, `earlier` or `remove`."""

    gesture = StringField(validators=[AnyOf(tuple(GESTURES))])

    def do(self, page: PiecePage) -> None:
        """Raises PieceTransitionRefused."""
        GESTURES[self.gesture.data or ""](page)


class ReuseForm(OnceForm):
    """A document that a hospital has accepted; `agreed` is ticked when that was another hospital."""

    source = HiddenField()
    agreed = BooleanField(_l("I agree that this hospital sees the document I gave to the other one"))


class RefusePieceForm(Form):
    """Why an agent refuses a piece."""

    reason = SelectField(
        _l("Reason"),
        validators=[Required(_l("Choose a reason: the patient will read it."))],
        choices=choices([("", _l("Choose…")), *((code, REASONS[code][0]) for code in REFUSAL_REASONS)]),
    )
    note = StringField(
        _l("A word to the patient"),
        validators=[Length(max=300)],
        description=_l("Only if the reason does not say it all. No medical detail."),
    )
