"""What members fill in about documents. Texts are looked through for marks of a patient before anything is kept."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import DateField, HiddenField, RadioField, SelectField, StringField, SubmitField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal import files
from portal.file_sniffing import OFFICE, FileRefused, Kind
from portal.files import StoredFile
from portal.gateways import Unavailable
from portal.web import uploads
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.communities import identifiers
from services.communities.forms import CheckedForm
from services.communities.library import wording
from services.communities.library.actions.documents import MOST_KEYWORDS, Content, Wish
from services.communities.library.models import LibraryDocument
from services.communities.library.queries import Shelf

ACCEPTED = frozenset({Kind.PDF, Kind.TEXT}) | OFFICE
ACCEPT = ",".join(f".{kind.value}" for kind in sorted(ACCEPTED))
_NOTE = Length(max=500, message=_l("Write 500 characters at most."))


def _trimmed(value: str | None) -> str:
    return re.sub(r"\r\n?", "\n", value or "").strip()


def _word(value: str | None) -> str:
    return re.sub(r"\s+", " ", value or "").strip()


class DescribeForm(CheckedForm):
    """What a document is."""

    CHECKED: ClassVar[tuple[str, ...]] = ("title", "summary", "keywords")
    kind = RadioField(
        _l("What is it?"),
        [InputRequired(_l("Choose what it is."))],
        choices=choices((kind, words) for kind, words in wording.KINDS.items()),
    )
    title = StringField(
        _l("Title"),
        [
            Required(_l("Give it a title, so that others find it.")),
            Length(max=200, message=_l("At most 200 characters.")),
        ],
        filters=[_word],
    )
    category = SelectField(_l("Category"), [Optional()])
    keywords = StringField(
        _l("Keywords"),
        [Optional(), Length(max=300, message=_l("At most 300 characters."))],
        filters=[_word],
        description=_l("Separated by commas: other words that your colleagues could type, acronyms"),
    )
    summary = TextAreaField(
        _l("In a few words"),
        [Optional(), Length(max=1000, message=_l("Write 1,000 characters at most."))],
        filters=[_trimmed],
        description=_l("For whom it is, and when it helps"),
    )
    language = SelectField(_l("Language"), choices=choices((code, words) for code, words in wording.LANGUAGES.items()))
    owner = SelectField(_l("Who reviews it"), [Optional()])
    review_by = DateParts(
        _l("To be reviewed before"), [Optional()], description=_l("For protocols, for example 31 12 2027")
    )

    def offer(self, shelves: Sequence[Shelf], owners: Sequence[tuple[UUID, str]]) -> None:
        """Propose the categories and the members who may review."""
        found = [("", _("No category"))]
        for shelf in shelves:
            found.append((str(shelf.category.id), shelf.category.name))
            found += [(str(each.id), f"{shelf.category.name} – {each.name}") for each in shelf.under]
        self.category.choices = choices(found)
        self.owner.choices = choices([("", _("Whoever deposits it")), *((str(key), name) for key, name in owners)])
        self._owners = {str(key): (key, name) for key, name in owners}

    def show(self, document: LibraryDocument) -> None:
        """Fill in what is known."""
        self.kind.data, self.title.data, self.summary.data = document.kind, document.title, document.summary
        self.keywords.data = ", ".join(document.keywords)
        self.category.data = str(document.category_id or "")
        self.language.data, self.review_by.data = document.language, document.review_by
        self.owner.data = str(document.owner_id or "")

    @property
    def wish(self) -> Wish:
        """After validation."""
        words = [word for each in (self.keywords.data or "").split(",") if (word := each.strip())]
        return Wish(
            kind=self.kind.data,
            title=self.title.data or "",
            summary=self.summary.data or "",
            keywords=list(dict.fromkeys(words))[:MOST_KEYWORDS],
            category_id=UUID(self.category.data) if self.category.data else None,
            language=self.language.data,
            review_by=self.review_by.data,
            owner=self._owners.get(self.owner.data or ""),
        )


class ContentForm(CheckedForm):
    """What a version is. `received` keeps the upload of a form that was refused otherwise."""

    CHECKED: ClassVar[tuple[str, ...]] = ("note",)
    received = HiddenField()
    file = FileField(
        _l("The file"),
        description=_l("PDF, Word, Excel, PowerPoint, OpenDocument or plain text, 25 MB at most"),
    )
    url = StringField(
        _l("Address of the page"),
        [Optional(), Length(max=1000, message=_l("At most 1,000 characters."))],
        filters=[_word],
        description=_l("For a link, for example https://www.has-sante.fr"),
    )
    note = StringField(_l("What is new"), [Optional(), _NOTE], filters=[_word])
    draft = SubmitField(_l("Keep as a draft"))
    is_storage_away = False

    def validate_url(self, field: StringField) -> None:
        try:
            parts = urlsplit(field.data or "")
            wrong = parts.scheme not in ("http", "https") or not parts.hostname or bool(parts.username)
        except ValueError:
            wrong = True
        if wrong:
            raise ValidationError(_("Write a whole address, which begins with https://"))

    @property
    def status(self) -> int:
        return 503 if self.is_storage_away else 422 if self.errors or self.form_errors else 200

    def take(self, *, is_link: bool) -> StoredFile | None:
        """Register the file that came with this post, or find the one kept from the former attempt.

        Registered in a transaction of its own: call this before any write. What is missing is among the errors.
        """
        stored = self._kept()
        if (arriving := uploads.arriving(self.file.data)) is not None and not is_link:
            try:
                stored = files.receive(arriving, self.file.data.filename or "", kinds=ACCEPTED)
            except Unavailable:
                self.is_storage_away = True
                self._complain(self.file, _("We cannot keep files at this moment. Wait a minute, then send it again."))
            except FileRefused as refused:
                self._complain(self.file, wording.words_for(refused))
        if stored is not None and identifiers.refused(identifiers.found(stored.name)):
            self._complain(self.file, _("There is a patient’s number in it. Take it out."))
            stored = None
        if is_link and not self.url.data and not self.url.errors:
            self._complain(self.url, _("Write the address of the page."))
        if not is_link and stored is None and not self.file.errors:
            self._complain(self.file, _("Choose a file."))
        self.received.data = str(stored.id) if stored else ""
        return None if is_link else stored

    def content(self, stored: StoredFile | None) -> Content:
        url = "" if stored else self.url.data or ""
        return Content(stored.id if stored else None, url, self.note.data or "", publish=not self.draft.data)

    def _kept(self) -> StoredFile | None:
        try:
            return files.unattached(UUID(self.received.data or ""))
        except ValueError:
            return None

    def _complain(self, field: Any, words: Any) -> None:
        field.errors = [*field.errors, words]


class DepositForm(DescribeForm, ContentForm):
    """A new document, in one page."""

    CHECKED: ClassVar[tuple[str, ...]] = ("title", "summary", "keywords", "note")


class WithdrawForm(CheckedForm):
    CHECKED: ClassVar[tuple[str, ...]] = ("reason",)
    reason = StringField(
        _l("Why"), [Required(_l("Say why, for those who look for it.")), _NOTE], filters=[_word],
        description=_l("Its author reads it"),
    )  # fmt: skip


class ReviewForm(OnceForm):
    next_on = DateParts(_l("To be reviewed again before"), [InputRequired(_l("Give a day."))])
    today: date

    def validate_next_on(self, field: DateParts) -> None:
        if field.data is not None and field.data <= self.today:
            raise ValidationError(_("This day has passed: choose a later one"))


class CategoryForm(CheckedForm):
    CHECKED: ClassVar[tuple[str, ...]] = ("name",)
    name = StringField(
        _l("Name of the category"),
        [Required(_l("Give it a name.")), Length(max=80, message=_l("At most 80 characters."))],
        filters=[_word],
    )
    parent = SelectField(_l("In"), [Optional()])

    def offer(self, shelves: Sequence[Shelf]) -> None:
        found = [(str(shelf.category.id), shelf.category.name) for shelf in shelves]
        self.parent.choices = choices([("", _("At the top")), *found])

    @property
    def parent_id(self) -> UUID | None:
        return UUID(self.parent.data) if self.parent.data else None


class RenameForm(CheckedForm):
    CHECKED: ClassVar[tuple[str, ...]] = ("name",)
    name = StringField(
        _l("New name"),
        [Required(_l("Give it a name.")), Length(max=80, message=_l("At most 80 characters."))],
        filters=[_word],
    )


class AskForm(Form):
    """The filters of the search, in the address: whatever is not understood is left out."""

    class Meta:
        csrf = False

    q = StringField(_l("Search"))
    kind = SelectField(_l("Kind"), choices=choices([("", _l("Any kind")), *wording.KINDS.items()]))
    category = SelectField(_l("Category"))
    file = SelectField(_l("Type of file"), choices=choices([("", _l("Any type")), *wording.FILES.items()]))
    author = SelectField(_l("Author"))
    since = DateField(_l("Changed after"))
    until = DateField(_l("Changed before"))
    late = SelectField(_l("Review"), choices=choices([("", _l("All")), ("1", _l("To be reviewed"))]))
    sort = SelectField(_l("Sort by"), choices=choices(wording.SORTS.items()))
