"""The editor's form for one item of a questionnaire, and the way between it and the definition."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import wtforms
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length, NumberRange, Optional, ValidationError

from portal.web.fields import DateParts, choices
from portal.web.forms import Form, Required
from services.questionnaires import wording
from services.questionnaires.definition.items import (
    CHOICES,
    NUMBERS,
    Alert,
    Coding,
    Condition,
    Definition,
    Item,
    Option,
    Quantity,
    Words,
)
from services.questionnaires.definition.reading import LONGEST_ANSWER, LONGEST_TEXT, Fault, Unreadable
from services.questionnaires.forms import number_of

MOST_OPTIONS_SHOWN = 30
CONDITIONS_SHOWN = 3
WRITTEN = ("string", "text", "open-choice")
"""Kinds whose answers may be limited in length."""
_NUMBER = Item("n", "decimal", Words(""))


class Number:
    """A number as people type it, or nothing."""

    def __call__(self, _form: Any, field: Any) -> None:
        if (field.data or "").strip() and number_of(field.data, _NUMBER) is None:
            raise ValidationError(_("Write a number, in figures"))


class OptionRow(wtforms.Form):
    """One choice. code: of an option that is there already."""

    code = HiddenField()
    text = StringField(_l("Choice"), [Length(max=300)])
    other = StringField(_l("In the other language"), [Length(max=300)])
    is_alert = BooleanField(_l("Is an alert"))


class ConditionRow(wtforms.Form):
    """One condition. when: a key of `conditions_on_offer`; number: what it compares with."""

    when = SelectField(_l("Shown when"), validate_choice=False)
    number = StringField(_l("Compared with"), [Number()])


class ItemForm(Form):
    """Everything of an item; the page shows what its kind has."""

    seen = HiddenField()
    text = TextAreaField(_l("Text"), [Required(_l("Write what is asked")), Length(max=LONGEST_TEXT)])
    other = TextAreaField(_l("In the other language"), [Length(max=LONGEST_TEXT)])
    required = BooleanField(_l("An answer is needed"))
    repeats = BooleanField(_l("Several choices may be ticked"))
    options = FieldList(FormField(OptionRow), max_entries=60)
    max_length = IntegerField(
        _l("Signs at most"),
        [Optional(), NumberRange(1, LONGEST_ANSWER, _l("Between 1 and 4000 signs"))],
    )
    first_day = DateParts(_l("The first day that can be"), [Optional()])
    last_day = DateParts(_l("The last day that can be"), [Optional()])
    lowest = StringField(_l("The least that can be"), [Number()])
    highest = StringField(_l("The most that can be"), [Number()])
    unit = StringField(_l("Unit"), [Length(max=30)])
    alert_answer = RadioField(
        _l("Which answer is an alert?"),
        choices=choices([("", _l("None")), ("yes", _l("Yes")), ("no", _l("No"))]),
        validate_choice=False,
        default="",
    )
    below = StringField(_l("Alert below"), [Number()])
    above = StringField(_l("Alert above"), [Number()])
    conditions = FieldList(FormField(ConditionRow), max_entries=20)
    every = RadioField(
        _l("When several conditions are given"),
        choices=choices([("all", _l("All of them")), ("any", _l("One of them is enough"))]),
        validate_choice=False,
        default="all",
    )

    def offer(self, offered: Mapping[str, tuple[Any, Any]]) -> None:
        """offered: see `conditions_on_offer`."""
        for row in self.conditions:
            row.form.when.choices = choices(
                [("", _("Always")), *((key, words) for key, (words, _c) in offered.items())]
            )


def data_of(item: Item, definition: Definition, language: str) -> dict[str, Any]:
    """What the form shows. language: the other one."""
    alert = item.alert or Alert()
    keys = {condition: key for key, (_words, condition) in conditions_on_offer(definition, item).items()}
    return {
        "text": item.words.text,
        "other": item.words.translations.get(language, ""),
        "required": item.required,
        "repeats": item.repeats,
        "options": [*(_option_data(each, language) for each in item.options), *_blanks(item)],
        "max_length": item.max_length,
        "first_day": item.lowest if isinstance(item.lowest, date) else None,
        "last_day": item.highest if isinstance(item.highest, date) else None,
        "lowest": _shown(item.lowest),
        "highest": _shown(item.highest),
        "unit": item.unit,
        "alert_answer": {True: "yes", False: "no", None: ""}[alert.answer],
        "below": _shown(alert.below),
        "above": _shown(alert.above),
        "conditions": [*(_condition_data(each, keys) for each in item.conditions), *_blank_conditions(item)],
        "every": "all" if item.every else "any",
    }


def _blanks(item: Item) -> list[dict[str, Any]]:
    """Empty rows to fill; saving makes room for more."""
    if item.kind not in CHOICES:
        return []
    return [{} for _n in range(max(4 - len(item.options), 2))]


def _blank_conditions(item: Item) -> list[dict[str, Any]]:
    return [{} for _n in range(max(CONDITIONS_SHOWN - len(item.conditions), 1))]


def _option_data(option: Option, language: str) -> dict[str, Any]:
    other = option.words.translations.get(language, "")
    return {"code": option.coding.code, "text": option.words.text, "other": other, "is_alert": option.is_alert}


def _condition_data(condition: Condition, keys: Mapping[Any, str]) -> dict[str, Any]:
    value = _number_in(condition.answer)
    asked = replace(condition, answer=Decimal(0)) if value is not None else condition
    return {"when": keys.get(asked, keys.get(condition, "")), "number": _shown(value)}


def _shown(number: Any) -> str:
    return wording.number(number, grouped=False) if isinstance(number, Decimal) else ""


def _number_in(answer: Any) -> Decimal | None:
    if isinstance(answer, Quantity):
        return answer.value
    is_number = isinstance(answer, (int, Decimal)) and not isinstance(answer, bool)
    return Decimal(answer) if is_number else None


# -- conditions ----------------------------------------------------------------------------------------------------


def conditions_on_offer(definition: Definition, item: Item) -> dict[str, tuple[str, Condition]]:
    """Key → words and condition, on the questions asked before this item; a number to compare with is 0 there.

    What was imported and has no such words is offered as it is.
    """
    found: dict[str, tuple[str, Condition]] = {}
    for question in _before(definition, item.link_id):
        for operator, answer, words in _answers_on_offer(question, definition.language):
            key = f"{question.link_id}|{operator}|{getattr(answer, 'code', answer)}"
            found[key] = (f"{question.words.text} – {words}", Condition(question.link_id, operator, answer))
    known = {condition for _words, condition in found.values()}
    for number, condition in enumerate(item.conditions):
        plain = condition if _number_in(condition.answer) is None else replace(condition, answer=Decimal(0))
        if plain not in known:
            alone = replace(item, conditions=(condition,))
            found[f"kept|{number}"] = (wording.conditions_in_words(definition, alone, definition.language), condition)
    return found


def _before(definition: Definition, link_id: str) -> Iterator[Item]:
    for each in definition.walk():
        if each.link_id == link_id:
            return
        if each.is_question:
            yield each


def _answers_on_offer(question: Item, language: str) -> Iterator[tuple[str, Any, str]]:
    if question.kind == "boolean":
        yield "=", True, str(_("yes"))
        yield "=", False, str(_("no"))
    elif question.kind in CHOICES:
        for option in question.options:
            yield "=", option.coding, option.words.in_(language)
        for option in question.options:
            yield "!=", option.coding, str(_("anything but %(choice)s", choice=option.words.in_(language)))
    elif question.kind in NUMBERS:
        yield ">", Decimal(0), str(_("more than this number"))
        yield "<", Decimal(0), str(_("less than this number"))
        yield ">=", Decimal(0), str(_("this number or more"))
        yield "<=", Decimal(0), str(_("this number or less"))
        yield "=", Decimal(0), str(_("this number"))
    yield "exists", True, str(_("has an answer"))
    yield "exists", False, str(_("has no answer"))


# -- the way back --------------------------------------------------------------------------------------------------


def item_of(form: ItemForm, item: Item, definition: Definition, language: str) -> Item:
    """The item that the form describes; what the form does not show stays as it was. Raises Unreadable: a number to
    compare with lacks."""
    words = _worded(item.words, form.text.data, form.other.data, language)
    changed = replace(item, words=words, required=item.is_question and form.required.data)
    if item.kind in CHOICES:
        changed = replace(changed, repeats=form.repeats.data, options=tuple(_options(form, item, language)))
    if item.kind in NUMBERS:
        changed = replace(changed, lowest=_read(form.lowest), highest=_read(form.highest))
        below, above = _read(form.below), _read(form.above)
        has_alert = below is not None or above is not None
        changed = replace(changed, alert=Alert(below=below, above=above) if has_alert else None)
    if item.kind == "date":
        changed = replace(changed, lowest=form.first_day.data, highest=form.last_day.data)
    if item.kind in WRITTEN:
        changed = replace(changed, max_length=form.max_length.data)
    if item.kind == "quantity":
        changed = replace(changed, unit=(form.unit.data or "").strip())
    if item.kind == "boolean":
        answer = {"yes": True, "no": False}.get(form.alert_answer.data)
        changed = replace(changed, alert=None if answer is None else Alert(answer=answer))
    conditions = tuple(dict.fromkeys(_conditions(form, item, definition)))
    return replace(changed, conditions=conditions, every=form.every.data != "any" or len(conditions) < 2)


def _worded(former: Words, text: str | None, other: str | None, language: str) -> Words:
    """Other languages that were imported stay."""
    translations = {**former.translations, language: (other or "").strip()}
    return Words((text or "").strip(), {key: value for key, value in translations.items() if value})


def worded(former: Words, text: str | None, other: str | None, language: str) -> Words:
    """A text and its translation, as the editor's boxes have them."""
    return _worded(former, text, other, language)


def _read(field: Any) -> Decimal | None:
    found = number_of(field.data, _NUMBER)
    return found if isinstance(found, Decimal) else None


def _options(form: ItemForm, item: Item, language: str) -> Iterator[Option]:
    """Options keep their codes: answers already given are read by them."""
    former = {each.coding.code: each for each in item.options}
    taken = set(former)
    for row in form.options:
        text = (row.form.text.data or "").strip()
        if not text:
            continue
        known = former.pop(row.form.code.data or "", None)
        if known is None:
            code = next(made for n in range(1, 200) if (made := f"o{n}") not in taken)
            taken.add(code)
            known = Option(Coding(code), Words(""))
        words = _worded(known.words, text, row.form.other.data, language)
        yield Option(known.coding, words, row.form.is_alert.data)


def _conditions(form: ItemForm, item: Item, definition: Definition) -> Iterator[Condition]:
    offered = conditions_on_offer(definition, item)
    for row in form.conditions:
        _words, condition = offered.get(row.form.when.data or "", (None, None))
        if condition is None:
            continue
        is_compared = _number_in(condition.answer) is not None
        if is_compared and not (row.form.when.data or "").startswith("kept|"):
            number = _read(row.form.number)
            asked = definition.item(condition.question)
            if number is None or asked is None:
                raise Unreadable([Fault("", "one_answer")])
            condition = replace(condition, answer=_as_asked(number, asked))
        yield condition


def _as_asked(number: Decimal, question: Item) -> Any:
    if question.kind == "quantity":
        return Quantity(number, question.unit)
    return int(number) if question.kind == "integer" else number


def blank(kind: str, link_id: str) -> Item:
    """A new item, with words to replace; a list begins with two choices."""
    options: tuple[Option, ...] = ()
    if kind in CHOICES:
        words = (str(_("First choice")), str(_("Second choice")))
        options = tuple(Option(Coding(f"o{n}"), Words(each)) for n, each in enumerate(words, start=1))
    return Item(link_id, kind, Words(str(wording.KINDS[kind])), options=options)
