"""What is filled in to write in an exchange, and to file what came by one."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, EmailField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from auth.models import Patient
from portal.establishments import Unit
from portal.files import StoredFile
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, Required
from services.documents import queries
from services.documents.actions import Publication
from services.documents.exchanges.actions import Draft
from services.documents.forms import LINE, TEXT_LENGTH, AssignForm, UploadForm, chosen_among, words_of
from services.documents.matching import plain
from services.documents.wording import TYPES


class ExchangeForm(UploadForm):
    """A document about a patient, and a short message. Traits are typed: they search for nobody."""

    subject = StringField(
        _l("Subject"),
        [Required(_l("Write what it is about, in a few words.")), LINE],
        description=_l("For example: letter before the consultation of 12 March"),
    )
    birth_name = StringField(_l("Patient’s birth name"), [Required(_l("Write the patient’s birth name.")), LINE])
    first_name = StringField(_l("Patient’s first name"), [Required(_l("Write the patient’s first name.")), LINE])
    birth_on = DateParts(_l("Patient’s birth date"), [InputRequired(_l("Write the patient’s birth date."))])
    text = TextAreaField(
        _l("Message"), [Optional(), Length(max=TEXT_LENGTH, message=_l("Write 2,000 characters at most."))]
    )

    def draft(self, stored: StoredFile) -> Draft:
        assert self.birth_on.data is not None, "the form is valid"
        return Draft(
            subject=words_of(self.subject),
            birth_name=words_of(self.birth_name).upper(),
            first_name=words_of(self.first_name),
            birth_on=self.birth_on.data,
            text=self.text.data or "",
            file_ids=(stored.id,),
        )


class FromUnitForm(ExchangeForm):
    """An agent writes in the name of a unit.

    With the hospital's number of the patient, who is then recognised, a document leaves by MSSanté with their identity.
    """

    unit_id = SelectField(_l("From which unit?"), [Required(_l("Choose the unit that sends it."))])
    ipp = StringField(
        _l("Patient number (IPP)"),
        [Optional(), LINE],
        description=_l("With it, the document leaves by MSSanté with the patient’s identity, ready to be filed."),
    )
    receipt_wanted = BooleanField(_l("Ask for a read receipt"))

    def offer(self, units: Sequence[Unit]) -> None:
        """Let the agent choose among these units, grouped by hospital."""
        offered = choices((str(unit.id), unit.name) for unit in units)
        for choice, unit in zip(offered, units, strict=True):
            choice.optgroup = unit.establishment.name
        self.unit_id.choices = choices([("", _("Choose…"))]) + offered

    def recognise(self, establishment_id: UUID) -> Patient | None:
        """The hospital's patient whose number was typed; when the traits are not theirs, the form says so."""
        if not (ipp := words_of(self.ipp)):
            return None
        found = [known.patient for known in queries.patients_by_ipp(establishment_id, ipp)]
        same = [each for each in found if self._is(each)]
        if not same:
            self.ipp.errors = [
                *self.ipp.errors,
                _l("No patient of this hospital has this number, name and birth date."),
            ]
        return same[0] if len(same) == 1 else None

    def _is(self, patient: Patient) -> bool:
        return patient.birth_on == self.birth_on.data and plain(patient.birth_name) == plain(words_of(self.birth_name))

    def draft_about(self, stored: StoredFile, patient: Patient | None) -> Draft:
        wanted = bool(self.receipt_wanted.data)
        return replace(self.draft(stored), about_id=patient.id if patient else None, receipt_wanted=wanted)


class ByLinkForm(FromUnitForm):
    """To a practitioner without MSSanté, whose e-mail address is known."""

    email = EmailField(
        _l("Their professional e-mail address"),
        [Required(_l("Write their e-mail address.")), EmailAddress()],
        description=_l("It gets a link alone: nothing about the patient."),
    )


class AnswerForm(UploadForm):
    """The next message of a thread: words, a document, or both."""

    text = TextAreaField(
        _l("Your message"), [Optional(), Length(max=TEXT_LENGTH, message=_l("Write 2,000 characters at most."))]
    )

    def explain_empty(self) -> None:
        """Say that nothing was written and nothing joined."""
        self.text.errors = [*self.text.errors, _l("Write a message, or join a document.")]


class FileMessageForm(AssignForm):
    """File what a practitioner sent in a patient's documents."""

    type_code = SelectField(
        _l("Type of document"), [Required(_l("Choose the type of document."))], choices=chosen_among(TYPES)
    )
    title = StringField(_l("Title"), [Required(_l("Write the title the patient will read.")), LINE])

    def publication(self, patient_id: UUID) -> Publication:
        code = self.type_code.data
        return Publication(patient_id, words_of(self.title), code, str(TYPES[code]))


class DeskForm(Form):
    """What a unit takes of patients."""

    is_open = BooleanField(_l("This unit takes messages of patients"))
    answer_days = IntegerField(
        _l("Answers within how many working days?"),
        [InputRequired(_l("Write a number of days.")), NumberRange(1, 30, _l("Write a number from 1 to 30."))],
    )
    note = TextAreaField(
        _l("What patients read before they write"),
        [Optional(), Length(max=500, message=_l("Write 500 characters at most."))],
        description=_l("For example: for a prescription, write to your general practitioner."),
    )
    signature = TextAreaField(
        _l("Signature of the unit"),
        [Optional(), Length(max=300, message=_l("Write 300 characters at most."))],
        description=_l("Added at the end of each message that the unit writes."),
    )
