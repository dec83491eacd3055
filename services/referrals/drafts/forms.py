"""What a practitioner fills in, step by step."""

import re
from dataclasses import replace
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    EmailField,
    FileField,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectMultipleField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import AnyOf, InputRequired, Length, Optional, Regexp, ValidationError

from auth.practice.queries import today
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.questionnaires import answers as rules
from services.questionnaires import forms as questions
from services.questionnaires.answers import Page
from services.questionnaires.definition.items import Answers
from services.questionnaires.forms import PageForm
from services.questionnaires.models import Questionnaire
from services.questionnaires.wording import locale
from services.referrals import definition
from services.referrals.drafts.content import Content
from services.referrals.models import ReferralOffer
from services.referrals.wording import KINDS

LONGEST_QUESTION: Final = 4000
_PHONE = r"^\s*(\+?[0-9][0-9 .\-()]{7,20})\s*$"
_OLDEST_YEARS: Final = 125
_SPACES = re.compile(r"\s+")
_NAME = Length(max=100, message=_l("Write 100 characters at most."))


def _line(field: Any) -> str:
    return _SPACES.sub(" ", field.data or "").strip()


class PatientForm(OnceForm):
    """Who it is about, how to reach them, and who tells them."""

    birth_name = StringField(_l("Birth name"), [Required(_l("Give the birth name")), _NAME])
    first_name = StringField(_l("First name at birth"), [Required(_l("Give the first name")), _NAME])
    birth_on = DateParts(_l("Birth date"), [InputRequired(_l("Give the birth date"))])
    sex = RadioField(
        _l("Sex"),
        [Required(_l("Choose the sex")), AnyOf(("F", "M"), _l("Choose the sex"))],
        choices=choices([("F", _l("Female")), ("M", _l("Male"))]),
        validate_choice=False,
    )
    mobile = TelField(_l("Telephone"), [Optional(), Regexp(_PHONE, message=_l("Check this phone number"))])
    email = EmailField(_l("E-mail"), [Optional(), EmailAddress()])
    postal_address = TextAreaField(
        _l("Postal address"),
        [Optional(), Length(max=300, message=_l("Write 300 characters at most."))],
        description=_l("The unit writes there to somebody who has no account here."),
    )
    informed = RadioField(
        _l("Does the patient know about this request?"),
        [
            Required(_l("Say whether the patient knows")),
            AnyOf(("yes", "no"), _l("Say whether the patient knows")),
        ],
        choices=choices([("yes", _l("Yes, I told them, and they agree")), ("no", _l("Not yet: the unit tells them"))]),
        validate_choice=False,
    )

    def validate_birth_on(self, field: Any) -> None:
        """Not to come, not before anybody alive."""
        if field.data and not 0 <= (today() - field.data).days < _OLDEST_YEARS * 366:
            raise ValidationError(_l("Check the birth date"))

    def show(self, told: Content) -> None:
        """What a draft, or a patient of their list, says already."""
        for name in ("birth_name", "first_name", "birth_on", "sex", "mobile", "email", "postal_address"):
            self[name].process_data(getattr(told, name))
        if told.kind or told.patient_informed:
            self.informed.process_data("yes" if told.patient_informed else "no")

    def fill(self, told: Content) -> Content:
        """The draft with what was typed."""
        return replace(
            told,
            birth_name=_line(self.birth_name).upper(),
            first_name=_line(self.first_name),
            birth_on=self.birth_on.data,
            sex=self.sex.data or "",
            mobile=_line(self.mobile),
            email=_line(self.email),
            postal_address=(self.postal_address.data or "").strip(),
            patient_informed=self.informed.data == "yes",
        )


class WishForm(Form):
    """What is wanted, and why."""

    kind = RadioField(
        _l("What do you need?"),
        [Required(_l("Choose what you need")), AnyOf(definition.KINDS, _l("Choose what you need"))],
        choices=choices(tuple(KINDS.items())),
        validate_choice=False,
    )
    question = TextAreaField(
        _l("Your question, and what the unit should know"),
        [
            Required(_l("Write your question")),
            Length(max=LONGEST_QUESTION, message=_l("Write 4,000 characters at most.")),
        ],
        description=_l("Reason, history, treatments, what you expect. The unit decides from this."),
    )


def needs_form(offer: ReferralOffer, page: Page | None, shown: frozenset[str]) -> type[PageForm]:
    """A class with the unit's grid, its questions and one field for each file it asks for."""
    base: type[PageForm] = questions.of_page(page, shown, locale()) if page else PageForm
    levels = {level.code: level.label for level in offer.levels}
    fields: dict[str, Any] = {
        "urgency": RadioField(
            _("How soon?"),
            [Required(_("Choose how soon")), AnyOf(tuple(levels), _("Choose how soon"))],
            choices=choices(tuple(levels.items())),
            validate_choice=False,
        ),
        "more": MultipleFileField(
            _("Other documents"), description=_("PDF, photo (JPEG, PNG) or CDA letter (.xml), 25 MB at most each")
        ),
        "shown_files": HiddenField(),
        "files": SelectMultipleField(_("Documents that go with it"), choices=[], validate_choice=False),
    }
    for number, asked in enumerate(offer.asked_files):
        fields[f"file{number}"] = FileField(asked.label)
    return type("NeedsForm", (base,), fields)


def whole_page(questionnaire: Questionnaire) -> Page:
    """All the questions of a unit on one page: a request has few of them."""
    return Page(1, questionnaire.definition.items)


def unanswered(form: PageForm, page: Page, given: Answers) -> bool:
    """Whether a required question has no answer; the form says which."""
    names = questions.names(page)
    left = [each for each in page.questions if each.required and names[each.link_id] in form]
    left = [each for each in left if not given.get(each.link_id)]
    for each in left:
        field = form[names[each.link_id]]
        field.errors = [*field.errors] or [_("Answer this: %(question)s", question=each.words.in_(locale()))]
    return bool(left)


def answered(form: PageForm, page: Page, former: Answers) -> dict[str, tuple[Any, ...]]:
    """The answers with those of this form."""
    return rules.merged(former, questions.values_of(form, page))


class SendForm(OnceForm):
    """The last button."""
