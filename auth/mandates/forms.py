"""What people type to ask for a mandate, to designate a carer, to use a code."""

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import FileField, HiddenField, RadioField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from auth.mandates import states, wording
from auth.mandates.actions import Asked
from portal import calendar, db, files
from portal.file_sniffing import FileEmpty, FileRefused
from portal.files import FileInfected, FileTooLarge, StoredFile
from portal.web import uploads
from portal.web.fields import DateParts, choices
from portal.web.forms import OnceForm, Required

_NAME = 120


def _in_the_past(_form: Any, field: Any) -> None:
    if field.data and field.data > calendar.latest_day(db.now()):
        raise ValidationError(_l("This date is in the future: check it."))


class RequestForm(OnceForm):
    """Whom one asks to act for, at which hospital, and the proof. `received`: an upload that came with a form that
    was refused otherwise."""

    kind = RadioField(_l("You are"), validators=[Required(_l("Choose one."))])
    birth_name = StringField(
        _l("Birth name"),
        description=_l("As on the identity document"),
        validators=[Required(_l("Write the birth name.")), Length(max=_NAME)],
    )
    first_names = StringField(_l("First names"), validators=[Required(_l("Write the first name.")), Length(max=_NAME)])
    birth_on = DateParts(
        _l("Date of birth"),
        description=_l("For example 27 3 2016"),
        validators=[InputRequired(_l("Write the date of birth.")), _in_the_past],
    )
    judged_on = DateParts(_l("Date of the judgement"), validators=[Optional(), _in_the_past])
    ends_on = DateParts(
        _l("Last day of the measure"),
        description=_l("It is written in the judgement"),
        validators=[Optional()],
    )
    proof_kind = RadioField(_l("Which document proves it?"), validators=[Required(_l("Choose a document."))])
    received = HiddenField()
    file = FileField(_l("The document"), description=_l("Photo (JPEG, PNG) or PDF, 25 MB at most"))
    establishment = RadioField(
        _l("Which hospital may check your proof?"),
        description=_l("Choose one that knows this person. Your right will hold in every hospital of the group."),
        validators=[Required(_l("Choose a hospital."))],
    )

    def offer(self, kinds: tuple[str, ...], hospitals: list[tuple[str, str]]) -> None:
        """Say what may be chosen."""
        self.kind.choices = choices((kind, str(wording.KINDS[kind]).capitalize()) for kind in kinds)
        self.establishment.choices = choices(hospitals)
        proofs = dict.fromkeys(proof for kind in kinds for proof in states.PROOFS[kind])
        self.proof_kind.choices = choices((proof, wording.PROOFS[proof]) for proof in proofs)
        if len(kinds) == 1:
            self.kind.data = self.kind.data or kinds[0]
        if len(hospitals) == 1:
            self.establishment.data = self.establishment.data or hospitals[0][0]
        if len(proofs) == 1:
            self.proof_kind.data = self.proof_kind.data or next(iter(proofs))

    @property
    def is_for_a_child(self) -> bool:
        return bool(self.kind.data == "parent")

    def validate(self, extra_validators: Any = None) -> bool:
        """A judgement has a date and a last day."""
        valid = bool(super().validate(extra_validators))
        if not self.is_for_a_child:
            for field, missing in (
                (self.judged_on, _l("Write the date of the judgement.")),
                (self.ends_on, _l("Write the last day of the measure: a measure always has one.")),
            ):
                if field.data is None and not field.errors:
                    field.errors = [*field.errors, missing]
                    valid = False
        return valid

    def take_upload(self) -> StoredFile | None:
        """Register the file that came with this post, or find the one kept from the former attempt. None, with the
        reason among the errors. In a transaction of its own: call it before any write."""
        arriving = uploads.arriving(self.file.data)
        try:
            if arriving is not None:
                stored = files.receive(arriving, self.file.data.filename)
                self.received.data = str(stored.id)
                return stored
        except FileRefused as refused:
            self.file.errors = [*self.file.errors, _why(refused)]
            return None
        kept = files.unattached(kept_id) if (kept_id := _uuid(self.received.data)) else None
        if kept is None:
            self.file.errors = [*self.file.errors, _l("Choose a file.")]
        return kept

    def asked(self, proof: StoredFile) -> Asked:
        """What a valid form says."""
        assert self.birth_on.data is not None, "the form is valid"
        return Asked(
            kind=self.kind.data,
            establishment_id=UUID(self.establishment.data),
            birth_name=self.birth_name.data or "",
            first_names=self.first_names.data or "",
            birth_on=self.birth_on.data,
            proof_kind=self.proof_kind.data,
            proof_file_id=proof.id,
            judged_on=None if self.is_for_a_child else self.judged_on.data,
            ends_on=None if self.is_for_a_child else self.ends_on.data,
        )


class DesignateForm(OnceForm):
    """An adult says who may act for them, how far, and until when."""

    carer_name = StringField(
        _l("Their family name"),
        description=_l("As on their identity document: the code opens to nobody else"),
        validators=[Required(_l("Write their family name.")), Length(max=_NAME)],
    )
    scopes = SelectMultipleField(
        _l("What may they see and do for you?"),
        choices=choices(wording.SCOPES.items()),
        validators=[InputRequired(_l("Tick at least one box."))],
    )
    ends_on = DateParts(
        _l("Until when?"),
        description=_l("One year at most. You can stop it at any time, and renew it."),
        validators=[InputRequired(_l("Write the last day."))],
    )


class RenewForm(OnceForm):
    """A new last day for a carer."""

    ends_on = DateParts(
        _l("Until when?"),
        description=_l("One year at most, from today"),
        validators=[InputRequired(_l("Write the last day."))],
    )


class CodeForm(OnceForm):
    """The code that an adult gave."""

    code = StringField(
        _l("Code"),
        description=_l("Ten letters and digits, for example KT7P3 XBN4D"),
        validators=[Required(_l("Write the code you were given.")), Length(max=60)],
    )


class YesForm(OnceForm):
    """A page that asks: are you sure?"""

    reason = HiddenField()


def _why(refused: FileRefused) -> Any:
    if isinstance(refused, FileTooLarge):
        return _l("This file is too large: 25 MB at most.")
    if isinstance(refused, FileEmpty):
        return _l("This file is empty: choose another one.")
    if isinstance(refused, FileInfected):
        return _l("The antivirus refused this file.")
    return _l("This file cannot be used: send a photo (JPEG, PNG) or a PDF that opens without a password.")


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None
