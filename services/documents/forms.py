"""What agents and practitioners fill in: shape and wording."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FileField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import Length, Optional

from auth.identity.wording import STATUSES
from portal import files
from portal.establishments import Establishment
from portal.file_sniffing import FileRefused
from portal.files import StoredFile
from portal.web import uploads
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from portal.web.ui import short_day
from services.documents import queries
from services.documents.actions import Publication
from services.documents.queries import Known
from services.documents.wording import ASSIGN_REASONS, DISCARD_REASONS, TAKE_BACK_REASONS, TYPES
from services.pieces.wording import words_for

TEXT_LENGTH = 2000
LINE = Length(max=150, message=_l("Write 150 characters at most."))


def chosen_among(words: Mapping[str, Any]) -> list[Any]:
    return choices([("", _l("Choose…")), *words.items()])


def words_of(field: StringField) -> str:
    """What was typed on one line, spaces made single."""
    return " ".join((field.data or "").split())


def _line_about(known: Known) -> str:
    patient = known.patient
    return str(
        _(
            "%(names)s, born %(day)s, %(sex)s, IPP %(ipp)s, identity %(status)s",
            names=f"{patient.birth_name} {' '.join(patient.first_names)}",
            day=short_day(patient.birth_on),
            sex=patient.sex or "?",
            ipp=known.ipp or "–",
            status=STATUSES.get(patient.identity_status, patient.identity_status),
        )
    )


def identifier(value: str | None) -> UUID | None:
    """What a form or an address names; None when it names nothing."""
    try:
        return UUID(value or "")
    except ValueError:
        return None


class UploadForm(OnceForm):
    """A form with one file. `received` holds an upload that arrived with a form refused otherwise: it is not lost."""

    received = HiddenField()
    file = FileField(_l("Document"), description=_l("PDF or photo (JPEG, PNG), 25 MB at most"))

    def take_upload(self, *, needed: bool = True) -> StoredFile | None:
        """Register the file that came with this post, or find the one kept from the former attempt.

        None when there is none or when it was refused: then the reason is among the form's errors. To call after
        `validate`, which forgets errors.
        """
        arriving = uploads.arriving(self.file.data)
        try:
            if arriving is not None:
                return self._kept(files.receive(arriving, self.file.data.filename))
        except FileRefused as refused:
            self._refuse(words_for(refused))
            return None
        kept_id = identifier(self.received.data)
        kept = files.unattached(kept_id) if kept_id else None
        if kept is None and needed:
            self._refuse(_l("Choose the document to send."))
        return kept

    def kept_file(self) -> StoredFile | None:
        """The upload that waits for this form to be corrected."""
        kept_id = identifier(self.received.data)
        return files.unattached(kept_id) if kept_id else None

    def _kept(self, stored: StoredFile) -> StoredFile:
        self.received.data = str(stored.id)
        return stored

    def _refuse(self, words: Any) -> None:
        self.file.errors = [*self.file.errors, words]


class PublicationForm(UploadForm):
    """A document for a patient."""

    type_code = SelectField(
        _l("Type of document"), [Required(_l("Choose the type of document."))], choices=chosen_among(TYPES)
    )
    title = StringField(
        _l("Title"),
        [Required(_l("Write the title the patient will read.")), LINE],
        description=_l("The patient reads it on their shelf: plain words help."),
    )

    def publication(self, patient_id: UUID) -> Publication:
        code = self.type_code.data
        return Publication(patient_id, words_of(self.title), code, str(TYPES[code]))


class ReceiveForm(OnceForm):
    """A letter that came by another way (disk, portable drive, a colleague's mail)."""

    establishment_id = SelectField(_l("For which hospital?"), [Required(_l("Choose the hospital it was sent to."))])
    file = FileField(_l("Letter"), description=_l("A CDA letter (.xml) or an IHE_XDM package (.zip), 25 MB at most"))

    def offer(self, hospitals: Iterable[Establishment]) -> None:
        self.establishment_id.choices = choices((str(each.id), each.name) for each in hospitals)


class SearchForm(Form):
    """Find a patient of the hospital, by their number there or by name and birth date.

    Posted, although it changes nothing: names stay out of addresses and logs.
    """

    class Meta:
        csrf = False  # the page's own check has been made; the form that follows carries the search along

    ipp = StringField(_l("Patient number (IPP)"), [LINE])
    name = StringField(_l("Birth name or name of use"), [LINE])
    birth_on = DateParts(_l("Birth date"), [Optional()])

    @property
    def asked(self) -> bool:
        """Whether there is enough to search with."""
        return bool(words_of(self.ipp) or (words_of(self.name) and self.birth_on.data))

    @property
    def half_asked(self) -> bool:
        """Whether a name or a date came alone: one of them alone would list strangers."""
        return not self.asked and bool(words_of(self.name) or self.birth_on.data)

    def find(self, establishment_id: UUID) -> list[Known]:
        """The patients of this hospital that were asked for; none when too little was asked."""
        if not self.validate() or not self.asked:
            return []
        if ipp := words_of(self.ipp):
            return queries.patients_by_ipp(establishment_id, ipp)
        return queries.patients_by_traits(establishment_id, words_of(self.name), self.birth_on.data)


class AssignForm(OnceForm):
    """Give a letter to one of the patients found; the audit keeps why."""

    patient_id = RadioField(_l("To which patient?"), [Required(_l("Choose the patient."))], choices=[])
    reason = SelectField(
        _l("How do you know it is theirs?"),
        [Required(_l("Choose how you know it is theirs."))],
        choices=chosen_among(ASSIGN_REASONS),
    )

    def offer(self, found: Sequence[Known]) -> None:
        """Let the agent choose among the patients found."""
        self.patient_id.choices = choices((str(known.patient.id), _line_about(known)) for known in found)

    @property
    def chosen(self) -> UUID:
        return UUID(self.patient_id.data)


class DiscardForm(OnceForm):
    """Put a letter aside."""

    reason = SelectField(_l("Why?"), [Required(_l("Choose a reason."))], choices=chosen_among(DISCARD_REASONS))


class TakeBackForm(OnceForm):
    """Take a letter off a patient's shelf."""

    reason = SelectField(_l("Why?"), [Required(_l("Choose a reason."))], choices=chosen_among(TAKE_BACK_REASONS))
