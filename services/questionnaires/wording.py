"""Words for what this room holds as codes, and answers as people read them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from flask import Flask
from flask_babel import format_date, format_time, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.web.ui import long_day
from services.questionnaires import answers as rules
from services.questionnaires import occasions
from services.questionnaires.definition.enabling import enabled
from services.questionnaires.definition.items import (
    GROUP,
    Answers,
    Coding,
    Condition,
    Definition,
    Item,
    Quantity,
    Value,
)

STATES: Mapping[str, tuple[Any, str]] = {
    "waiting": (_l("To answer"), "warning"),
    "begun": (_l("Begun"), "info"),
    "answered": (_l("Answers sent"), "success"),
    "expired": (_l("Time is over"), "neutral"),
    "withdrawn": (_l("No longer asked"), "neutral"),
    "forgotten": (_l("Deleted"), "neutral"),
}
DEFINITION_STATES: Mapping[str, tuple[Any, str]] = {
    "draft": (_l("Draft"), "warning"),
    "published": (_l("Published"), "success"),
    "retired": (_l("Retired"), "neutral"),
}
CHANGES: Mapping[str, Any] = {
    "sent": _l("Sent"),
    "begun": _l("Answers begun"),
    "answered": _l("Answers sent"),
    "answered_again": _l("Answers corrected"),
    "corrected": _l("A correction is begun"),
    "kept": _l("The correction was given up"),
    "reminded": _l("Reminded"),
    "handed_over": _l("Passed to another unit"),
    "withdrawn": _l("No longer asked"),
    "expired": _l("Closed without an answer"),
    "alert_seen": _l("Alert seen to"),
    "forgotten": _l("Answers deleted"),
}
WITHDRAWN: Mapping[str, Any] = {
    "cancelled": _l("What it was about is cancelled"),
    "moved": _l("What it was about was moved: it will be sent again"),
    "by_hand": _l("By an agent"),
    "death": _l("The patient has died"),
    "unit_closed": _l("The unit has closed"),
}
KINDS: Mapping[str, Any] = {
    "group": _l("Section"),
    "display": _l("Words to read"),
    "boolean": _l("Yes or no"),
    "choice": _l("Choice in a list"),
    "open-choice": _l("Choice in a list, or in one’s own words"),
    "string": _l("A few words"),
    "text": _l("Free text"),
    "integer": _l("Whole number"),
    "decimal": _l("Number, with decimals"),
    "date": _l("Day"),
    "quantity": _l("Measure with its unit"),
}


def register(app: Flask) -> None:
    app.jinja_env.globals.update(
        questionnaire_states=STATES,
        questionnaire_definition_states=DEFINITION_STATES,
        questionnaire_changes=CHANGES,
        questionnaire_withdrawn=WITHDRAWN,
        questionnaire_kinds=KINDS,
        questionnaire_lines=lines,
        questionnaire_conditions=conditions_in_words,
        questionnaire_offset=offset_in_words,
        questionnaire_occasion=occasion_in_words,
        questionnaire_last_day=last_day,
    )
    app.jinja_env.filters["of_hospital"] = moment


def locale() -> str:
    """The page's language, as definitions name it."""
    return str(get_locale() or "fr").partition("_")[0]


def moment(at: datetime, tz: tzinfo) -> str:
    """On the hospital's wall clock."""
    there = at.astimezone(tz)
    return str(_("%(day)s at %(time)s", day=long_day(there.date()), time=format_time(there, "short", rebase=False)))


def day(on: date) -> str:
    """A birth date, as papers have it."""
    return str(format_date(on, "long"))


def last_day(until_at: datetime, tz: tzinfo) -> str:
    """The last day on which one may answer."""
    return str(long_day((until_at - timedelta(seconds=1)).astimezone(tz).date()))


def offset_in_words(days: int) -> str:
    if days == 0:
        return str(_("On the day"))
    words = (
        ngettext("%(num)d day before", "%(num)d days before", -days)
        if days < 0
        else ngettext("%(num)d day after", "%(num)d days after", days)
    )
    return str(words)


def occasion_in_words(code: str) -> str:
    found = occasions.of(code)
    return str(found.title) if found else code


# -- answers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A question and its answers in words; of a section: its title, and no answer. depth: 0 at the top."""

    item: Item
    question: str
    answers: list[str]
    is_alert: bool = False
    depth: int = 0

    @property
    def is_section(self) -> bool:
        return self.item.kind == GROUP

    @property
    def answer(self) -> str:
        return ", ".join(self.answers)


def lines(definition: Definition, answers: Answers, language: str = "") -> list[Line]:
    """What was asked and answered, in order; what was not asked is left out."""
    return list(_lines(definition.items, answers, enabled(definition, answers), language or locale(), 0))


def _lines(
    items: tuple[Item, ...], answers: Answers, shown: frozenset[str], language: str, depth: int
) -> Iterator[Line]:
    for item in items:
        if item.link_id not in shown:
            continue
        given = answers.get(item.link_id, ())
        if item.kind == GROUP or item.is_question:
            said = [in_words(item, each, language) for each in given]
            is_alert = any(rules.is_alert(item, each) for each in given)
            yield Line(item, item.words.in_(language), said, is_alert, depth)
        yield from _lines(item.items, answers, shown, language, depth + 1)


_OPERATORS: Mapping[str, Any] = {
    "=": _l("“%(question)s” is: %(answer)s"),
    "!=": _l("“%(question)s” is answered, and is not: %(answer)s"),
    ">": _l("“%(question)s” is more than %(answer)s"),
    "<": _l("“%(question)s” is less than %(answer)s"),
    ">=": _l("“%(question)s” is %(answer)s or more"),
    "<=": _l("“%(question)s” is %(answer)s or less"),
}


def conditions_in_words(definition: Definition, item: Item, language: str = "") -> str:
    """When an item is asked: `“Pain” is more than 5, and “Fever” is: Yes`; "" when it always is."""
    said = [_condition(definition, each, language or locale()) for each in item.conditions]
    return str(_(", and ") if item.every else _(", or ")).join(said)


def _condition(definition: Definition, condition: Condition, language: str) -> str:
    asked = definition.item(condition.question)
    question = asked.words.in_(language) if asked else condition.question
    if condition.operator == "exists":
        if condition.answer:
            return str(_("“%(question)s” has an answer", question=question))
        return str(_("“%(question)s” has no answer", question=question))
    answer = in_words(asked, condition.answer, language) if asked else str(condition.answer)
    return str(_OPERATORS[condition.operator]) % {"question": question, "answer": answer}


def in_words(item: Item, value: Value, language: str) -> str:
    """One answer, in the language of the page."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(value, Coding):
        option = item.option(value)
        return option.words.in_(language) if option else value.code
    if isinstance(value, Quantity):
        return f"{number(value.value)}\u00a0{value.unit}".strip()
    if isinstance(value, (int, Decimal)):
        return number(value)
    return str(format_date(value, "long")) if isinstance(value, date) else value


def number(value: int | Decimal, *, grouped: bool = True) -> str:
    """Every digit of it, as the reader's language writes it. grouped: not in a box, where the 1,000 of one language
    would be read as the 1,000 of another."""
    return str(format_decimal(value, locale=get_locale() or "fr", decimal_quantization=False, group_separator=grouped))
