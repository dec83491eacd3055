"""The form of one page of a questionnaire: made from what it asks, in the person's language."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from wtforms import Field, HiddenField, RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Optional, ValidationError

from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm
from services.questionnaires import answers as rules
from services.questionnaires import wording
from services.questionnaires.answers import Page
from services.questionnaires.definition.items import CHOICES, NUMBERS, Answers, Coding, Item, Quantity, Value
from services.questionnaires.definition.reading import plain

YES, NO, OTHER = "yes", "no", "other:"
_SPACES = re.compile("[\\s\u00a0\u202f]")
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}([.,][0-9]{1,6})?", re.ASCII)
_LONGEST = 200


class PageForm(Form):
    """What every page has. version: of the draft it was made from."""

    version = HiddenField(default="0")

    @property
    def shown_version(self) -> int:
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


class SubmitForm(OnceForm):
    """The last page: version is the draft's that was checked."""

    version = HiddenField(default="0")

    shown_version = PageForm.shown_version


class CorrectForm(OnceForm):
    """The button that begins a correction."""


def of_page(page: Page, shown: frozenset[str], locale: str) -> type[PageForm]:
    """A form class with one field a question that is asked (two for an open choice)."""
    fields: dict[str, Any] = {}
    for number, item in enumerate(page.questions):
        if item.link_id in shown:
            fields |= _fields(f"a{number}", item, locale)
    return type("QuestionnairePageForm", (PageForm,), fields)


def names(page: Page) -> dict[str, str]:
    """linkId → the name of its field. Numbers, since linkIds may hold what HTML ids may not."""
    return {item.link_id: f"a{number}" for number, item in enumerate(page.questions)}


def data_of(page: Page, answers: Answers) -> dict[str, Any]:
    """What the fields show of answers already given."""
    found: dict[str, Any] = {}
    for link_id, name in names(page).items():
        item = next(each for each in page.questions if each.link_id == link_id)
        found |= _shown(name, item, answers.get(link_id, ()))
    return found


def values_of(form: PageForm, page: Page) -> dict[str, tuple[Value, ...]]:
    """What a valid form answers, question by question; () for what was left empty."""
    by_name = {name: item for item in page.questions for name in [names(page)[item.link_id]]}
    return {item.link_id: _given(form, name, item) for name, item in by_name.items() if name in form}


# -- fields --------------------------------------------------------------------------------------------------------


def _fields(name: str, item: Item, locale: str) -> dict[str, Field]:
    label = item.words.in_(locale)
    if item.kind == "boolean":
        return {name: _radio(label, [(YES, _("Yes")), (NO, _("No"))])}
    if item.kind in CHOICES:
        return _choice_fields(name, item, label, locale)
    if item.kind == "date":
        return {name: DateParts(label, [_Day(item)])}
    if item.kind == "text":
        return {name: TextAreaField(label, [_Text(item)])}
    if item.kind in NUMBERS:
        return {name: StringField(label, [Optional(), _Number(item)], description=_between(item))}
    return {name: StringField(label, [_Text(item)])}


def _choice_fields(name: str, item: Item, label: str, locale: str) -> dict[str, Field]:
    offered = [(str(n), option.words.in_(locale)) for n, option in enumerate(item.options)]
    if item.kind == "open-choice":
        offered.append((OTHER, _("Something else")))
    if item.repeats:
        made: Any = SelectMultipleField(label, choices=choices(offered), validate_choice=False)
    else:
        made = _radio(label, offered)
    if item.kind != "open-choice":
        return {name: made}
    return {name: made, f"{name}-other": StringField(_("In your own words"), [_Text(item)])}


def _radio(label: str, offered: list[tuple[str, Any]]) -> Field:
    return RadioField(label, [Optional()], choices=choices(offered), validate_choice=False)


class _Text:
    """A plain text that is not too long."""

    def __init__(self, item: Item) -> None:
        self.item = item

    def __call__(self, _form: Any, field: Any) -> None:
        text = _plain(field.data)
        if len(text) > rules.longest(self.item):
            raise ValidationError(_("Write %(most)d characters at most", most=rules.longest(self.item)))


class _Day:
    def __init__(self, item: Item) -> None:
        self.item = item

    def __call__(self, _form: Any, field: Any) -> None:
        if isinstance(field.data, date) and not rules.is_allowed(self.item, (field.data,)):
            raise ValidationError(_("This day cannot be: check the date"))


class _Number:
    """A number as people type it, within what can be."""

    def __init__(self, item: Item) -> None:
        self.item = item

    def __call__(self, _form: Any, field: Any) -> None:
        found = number_of(field.data, self.item)
        if found is None:
            whole = self.item.kind == "integer"
            raise ValidationError(_("Write a whole number, in figures") if whole else _("Write a number, in figures"))
        if not rules.is_allowed(self.item, (found,)):
            raise ValidationError(_("This number cannot be: %(bounds)s", bounds=_between(self.item)))


def number_of(text: str | None, item: Item) -> Value | None:
    """The answer that this text is, None when it is not a number."""
    plain = _SPACES.sub("", text or "")[:_LONGEST].replace("\u2212", "-")
    if not _NUMBER.fullmatch(plain):
        return None
    found = Decimal(plain.replace(",", "."))
    if item.kind == "integer":
        return int(found) if found == found.to_integral_value() else None
    return Quantity(found, item.unit) if item.kind == "quantity" else found


def _between(item: Item) -> str:
    low, high = (wording.number(each) if isinstance(each, Decimal) else "" for each in (item.lowest, item.highest))
    if low and high:
        return str(_("Between %(low)s and %(high)s", low=low, high=high))
    if low:
        return str(_("%(low)s at least", low=low))
    return str(_("%(high)s at most", high=high)) if high else ""


# -- values --------------------------------------------------------------------------------------------------------


def _plain(text: str | None) -> str:
    """Without signs that neither a page nor PostgreSQL takes; line ends as one."""
    kept = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    return plain(kept).strip()


def _given(form: Any, name: str, item: Item) -> tuple[Value, ...]:
    data = form[name].data
    if item.kind == "boolean":
        return (data == YES,) if data in (YES, NO) else ()
    if item.kind in CHOICES:
        ticked = data if isinstance(data, list) else [data]
        other = _plain(form[f"{name}-other"].data) if f"{name}-other" in form else ""
        return _ticked(item, ticked, other)
    if item.kind == "date":
        return (data,) if data else ()
    if item.kind in NUMBERS:
        found = number_of(data, item)
        return () if found is None else (found,)
    text = _plain(data)
    return (text,) if text else ()


def _ticked(item: Item, ticked: list[Any], other: str) -> tuple[Value, ...]:
    found: list[Value] = []
    for each in dict.fromkeys(ticked):
        if each == OTHER and other:
            found.append(other)
        elif isinstance(each, str) and each.isascii() and each.isdecimal() and int(each[:4]) < len(item.options):
            found.append(item.options[int(each[:4])].coding)
    if other and item.kind == "open-choice" and other not in found and (item.repeats or not found):
        found.append(other)  # whoever wrote it meant it, ticked or not
    return tuple(found)


def _shown(name: str, item: Item, values: tuple[Value, ...]) -> dict[str, Any]:
    if item.kind in CHOICES:
        ticked = [_tick(item, each) for each in values]
        found: dict[str, Any] = {name: ticked if item.repeats else next(iter(ticked), None)}
        if item.kind == "open-choice":
            found[f"{name}-other"] = next((each for each in values if isinstance(each, str)), "")
        return found
    if not values:
        return {name: None}
    to_text: Mapping[type, Callable[[Any], Any]] = {
        bool: lambda value: YES if value else NO,
        int: str,
        Decimal: lambda value: wording.number(value, grouped=False),
        Quantity: lambda value: wording.number(value.value, grouped=False),
    }
    return {name: to_text.get(type(values[0]), lambda value: value)(values[0])}


def _tick(item: Item, value: Value) -> str:
    if isinstance(value, Coding):
        return next((str(n) for n, option in enumerate(item.options) if option.coding == value), "")
    return OTHER
