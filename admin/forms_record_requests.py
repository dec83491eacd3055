"""What agents type about requests: words, what is missing, refusals, answers, certificates, settings."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    MultipleFileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal import files
from portal.file_sniffing import FileRefused
from portal.files import StoredFile
from portal.web import uploads
from portal.web.fields import choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.documents.requests import wording
from services.documents.requests.actions.delivering import ADMINISTRATIVE, WAYS, Item
from services.documents.requests.forms import LONGEST, plain
from services.documents.requests.kinds import ALL, REFUSALS
from services.documents.requests.models import RecordRequest
from services.documents.requests.settings import IDENTITY_LEVELS, LONGEST_DAYS, Choices
from services.documents.requests.step_forms import StayForm, VisitForm
from services.documents.wording import TYPES
from services.pieces.wording import words_for

_TEXT = Length(max=LONGEST, message=_l("Write 4,000 characters at most."))


def version_of(text: str | None) -> int:
    """A version as a form carries it; -1, which no request has, for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else -1


class Decision(OnceForm):
    """version: what the agent decided on."""

    version = HiddenField()

    @property
    def seen(self) -> int:
        """The version, or one that no request has."""
        return version_of(self.version.data)


class MessageForm(Decision):
    text = TextAreaField(_l("Your message"), [Required(_l("Write your message.")), _TEXT, plain])
    answers = BooleanField(_l("This is the answer: close the request"))


class AskForm(Decision):
    missing = SelectMultipleField(
        _l("What is missing?"),
        [Required(_l("Tick what is missing."))],
        choices=choices((each, wording.PROOFS[each]) for each in ("identity", "quality", "other")),
    )
    text = TextAreaField(_l("What the applicant reads"), [Required(_l("Say what you need.")), _TEXT, plain])


class RefuseForm(Decision):
    reason = RadioField(_l("Why?"), [Required(_l("Choose a reason: the applicant reads it."))], choices=[])
    text = TextAreaField(
        _l("In your words"),
        [Required(_l("A refusal is explained: write why.")), _TEXT, plain],
        description=_l("The ways of appeal are added by themselves."),
    )

    def offer(self, request: RecordRequest) -> None:
        self.reason.choices = choices((code, wording.REFUSALS[code]) for code in REFUSALS[request.kind])


class DeliverForm(Decision):
    """The answer: files, or another way. `received` holds uploads that arrived with a form refused otherwise."""

    received = HiddenField()
    way = RadioField(_l("How is it handed over?"), [Required(_l("Choose how it is handed over."))], choices=[])
    file = MultipleFileField(_l("Files"), description=_l("PDF or photos, 25 MB at most for each; several at once"))
    title = StringField(_l("Title that the applicant reads"), [Length(max=150), plain])
    type_code = SelectField(_l("Type of document"), choices=choices(TYPES.items()), default=ADMINISTRATIVE)
    text = TextAreaField(_l("A word for the applicant"), [Optional(), _TEXT, plain])

    def offer(self, request: RecordRequest, *, on_shelf: bool) -> None:
        here = _l("On the patient’s shelf, now") if on_shelf else _l("Joined to this request, now")
        self.way.choices = choices([("here", here), *((way, wording.WAYS[way]) for way in WAYS)])

    def take_uploads(self) -> Sequence[StoredFile]:
        """Register the files of this post after those kept from the former one; refusals are among the errors."""
        taken = [kept for file_id in self._received_ids() if (kept := files.unattached(file_id))]
        for upload in self.file.data or ():
            arriving = uploads.arriving(upload)
            if arriving is None:
                continue
            try:
                taken.append(files.receive(arriving, upload.filename or ""))
            except FileRefused as refused:
                self.file.errors = [*self.file.errors, f"{upload.filename} – {words_for(refused)}"]
        self.received.data = " ".join(str(each.id) for each in taken)
        if not taken and not self.file.errors and self.way.data == "here":
            self.file.errors = [_("Choose the files to hand over.")]
        return taken

    def kept_files(self) -> Sequence[StoredFile]:
        """The uploads that wait for this form to be corrected."""
        return [kept for file_id in self._received_ids() if (kept := files.unattached(file_id))]

    def items(self, taken: Sequence[StoredFile], default: str) -> list[Item]:
        """Each file with its title: numbered when there are several."""
        title = " ".join((self.title.data or "").split()) or default
        many = len(taken) > 1
        code = self.type_code.data or ADMINISTRATIVE
        return [
            Item(each.id, f"{title} ({rank}/{len(taken)})" if many else title, code, str(TYPES[code]))
            for rank, each in enumerate(taken, start=1)
        ]

    def _received_ids(self) -> list[UUID]:
        found = []
        for word in (self.received.data or "").split()[: uploads.MAX_FILES]:
            try:
                found.append(UUID(word))
            except ValueError:
                continue
        return found


class NumberForm(Decision):
    number = StringField(
        _l("Patient number (IPP) found by you"),
        [Length(max=40), plain],
        description=_l("Nothing looks it up: you compare the traits with your own system."),
    )


class PassOnForm(Decision):
    unit = StringField(_l("To which team?"), [Required(_l("Write which team received it.")), Length(max=150), plain])


class CheckedStay(StayForm):
    """The facts of a stay, as the agent has checked them."""

    version = HiddenField()
    checked = BooleanField(
        _l("I have checked these days in the hospital’s system"), [InputRequired(_l("Check the facts first."))]
    )


class CheckedVisit(VisitForm):
    """The facts of a visit, as the agent has checked them."""

    version = HiddenField()
    checked = BooleanField(
        _l("I have checked this presence in the hospital’s system"), [InputRequired(_l("Check the facts first."))]
    )


CERTIFIED: Mapping[str, Any] = {"situation": CheckedStay, "presence": CheckedVisit}


class TemplateForm(OnceForm):
    kind = SelectField(_l("For which requests"), choices=[])
    title = StringField(_l("Title, for agents"), [Required(_l("Write a title")), Length(max=100)])
    body = TextAreaField(_l("What the applicant reads"), [Required(_l("Write the answer")), _TEXT, plain])

    def offer(self, desk: str) -> None:
        own = [(kind.code, wording.KINDS[kind.code]) for kind in ALL if kind.desk == desk]
        self.kind.choices = choices([("", _l("All")), *own])


_DAYS = [Optional(), NumberRange(1, LONGEST_DAYS, _l("From 1 to 90 days"))]


class SettingsForm(Form):
    """What a hospital chooses about requests."""

    opened = SelectMultipleField(_l("What may be asked online"), choices=choices(wording.KINDS.items()))
    contact = StringField(
        _l("To reach the office"),
        [Length(max=200), plain],
        description=_l("Applicants read it: telephone, hours. Empty: the hospital’s own number."),
    )
    mailbox = StringField(
        _l("Mail address of the office"),
        [Optional(), EmailAddress()],
        description=_l(
            "Told when something comes, and each morning that a date is near. Nothing of a request is written in it."
        ),
    )
    certificate_days = IntegerField(
        _l("Business days to issue a certificate"), _DAYS, description=_l("Empty: 3. Applicants read the date.")
    )
    complaint_days = IntegerField(_l("Days to answer a complaint"), _DAYS, description=_l("Empty: 30"))
    identity = RadioField(
        _l("When is no identity document asked for?"),
        choices=choices(
            [
                ("substantial", _l("After a sign-in that proves the civil identity (FranceConnect+)")),
                ("two_factors", _l("After any sign-in with two factors")),
            ]
        ),
        default="substantial",
    )
    copy_cost = StringField(
        _l("What copies and their sending cost"),
        [Length(max=300), plain],
        description=_l("Applicants read it before they choose. For example: 0.18 € a page, 5 € a disc, and the stamp"),
    )
    signer = StringField(
        _l("Who signs certificates"),
        [Length(max=150), plain],
        description=_l("Printed under them. For example: The admissions office"),
    )

    @classmethod
    def shown(cls, chosen: Choices) -> dict[str, Any]:
        """What the hospital has chosen so far."""
        days = {key: int(chosen.of(key)) if chosen.of(key) else None for key in ("certificate_days", "complaint_days")}
        texts = {key: chosen.of(key) for key in ("contact", "mailbox", "copy_cost", "signer")}
        return {**days, **texts, "identity": chosen.identity, "opened": [k.code for k in ALL if chosen.is_open(k)]}

    def values(self) -> dict[str, str]:
        """As settings hold them."""
        closed = [kind.code for kind in ALL if kind.code not in (self.opened.data or ())]
        days = {key: str(self[key].data or "") for key in ("certificate_days", "complaint_days")}
        texts = {key: self[key].data or "" for key in ("contact", "mailbox", "copy_cost", "signer")}
        identity = self.identity.data if self.identity.data in IDENTITY_LEVELS else ""
        return {**days, **texts, "closed": ",".join(closed), "identity": identity or ""}
