"""What somebody answered: kept as JSON, checked against the definition, told in words. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.questionnaires.definition.enabling import enabled
from services.questionnaires.definition.items import (
    CHOICES,
    GROUP,
    NUMBERS,
    Answers,
    Coding,
    Definition,
    Item,
    Quantity,
    Value,
)
from services.questionnaires.definition.reading import LONGEST_ANSWER

LONGEST_LINE = 250
"""Of a `string`, and of what is written beside an open choice, unless the questionnaire says otherwise."""


# -- as it is kept -------------------------------------------------------------------------------------------------


def dump(answers: Answers) -> str:
    """JSON text, to be sealed."""
    plain = {link_id: [_plain(each) for each in values] for link_id, values in answers.items() if values}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def load(text: str) -> dict[str, tuple[Value, ...]]:
    """The answers again; "" for none."""
    told = json.loads(text or "{}")
    return {link_id: tuple(_value(each) for each in values) for link_id, values in told.items()}


def _plain(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, int):
        return {"i": value}
    if isinstance(value, Decimal):
        return {"n": str(value)}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, Coding):
        return {"c": value.code, "s": value.system}
    if isinstance(value, Quantity):
        return {"q": str(value.value), "u": value.unit}
    return {"t": value}


def _value(told: Mapping[str, Any]) -> Value:
    if "c" in told:
        return Coding(told["c"], told["s"])
    if "q" in told:
        return Quantity(Decimal(told["q"]), told["u"])
    if "d" in told:
        return date.fromisoformat(told["d"])
    if "n" in told:
        return Decimal(told["n"])
    found: bool | int | str = next(iter(told.values()))
    return found


# -- pages ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """What is asked at once: a group and all in it, or one question with what is read before it."""

    number: int
    items: tuple[Item, ...]
    title: Item | None = None

    def walk(self) -> Iterator[Item]:
        for each in self.items:
            yield from each.walk()

    @property
    def questions(self) -> list[Item]:
        return [each for each in self.walk() if each.is_question]


def pages(definition: Definition) -> list[Page]:
    """In order. Words to read at the top go with the question that follows them."""
    found: list[Page] = []
    waiting: list[Item] = []
    for item in definition.items:
        if item.kind == GROUP:
            found.append(Page(len(found) + 1, (*waiting, *item.items), item))
        elif item.is_question:
            found.append(Page(len(found) + 1, (*waiting, item)))
        else:
            waiting.append(item)
            continue
        waiting = []
    if waiting and found:
        last = found.pop()
        found.append(Page(last.number, (*last.items, *waiting), last.title))
    return found


def asked_pages(definition: Definition, answers: Answers) -> list[Page]:
    """Those that have something to ask, given what was answered."""
    shown = enabled(definition, answers)
    return [page for page in pages(definition) if any(each.link_id in shown for each in page.questions)]


# -- rules ---------------------------------------------------------------------------------------------------------


def kept(definition: Definition, answers: Answers) -> dict[str, tuple[Value, ...]]:
    """Without the answers to what is not asked (any more): R4 forbids them in a response."""
    shown = enabled(definition, answers)
    return {link_id: values for link_id, values in answers.items() if link_id in shown and values}


def missing(definition: Definition, answers: Answers) -> list[Item]:
    """Required questions that are asked and have no answer."""
    shown = enabled(definition, answers)
    asked = (each for each in definition.questions if each.link_id in shown and each.required)
    return [each for each in asked if not answers.get(each.link_id)]


def is_allowed(item: Item, values: tuple[Value, ...]) -> bool:
    """Whether these answer that question; the forms say why, this is the last word."""
    if len(values) > (len(item.options) + 1 if item.repeats else 1):
        return False
    return len(set(map(str, values))) == len(values) and all(_fits(item, each) for each in values)


def _fits(item: Item, value: Value) -> bool:
    if isinstance(value, Coding):
        return item.kind in CHOICES and item.option(value) is not None
    if isinstance(value, str):
        return item.kind in ("string", "text", "open-choice") and 0 < len(value) <= longest(item)
    number = _number(value)
    kinds: Mapping[str, type] = {
        "boolean": bool,
        "integer": int,
        "decimal": Decimal,
        "date": date,
        "quantity": Quantity,
    }
    if type(value) is not kinds.get(item.kind):
        return False
    measured: Any = value if isinstance(value, date) else number
    if measured is None:
        return True
    return (item.lowest is None or measured >= item.lowest) and (item.highest is None or measured <= item.highest)


def longest(item: Item) -> int:
    """How many signs a text answer may have."""
    return item.max_length or (LONGEST_ANSWER if item.kind == "text" else LONGEST_LINE)


def alerts(definition: Definition, answers: Answers) -> list[str]:
    """The linkIds of the questions whose answer is an alert."""
    shown = enabled(definition, answers)
    return [
        item.link_id
        for item in definition.questions
        if item.link_id in shown and any(is_alert(item, each) for each in answers.get(item.link_id, ()))
    ]


def is_alert(item: Item, value: Value) -> bool:
    if isinstance(value, Coding):
        option = item.option(value)
        return option is not None and option.is_alert
    if item.alert is None:
        return False
    if isinstance(value, bool):
        return value is item.alert.answer
    number, alert = _number(value), item.alert
    if number is None or item.kind not in NUMBERS:
        return False
    return (alert.below is not None and number < alert.below) or (alert.above is not None and number > alert.above)


def _number(value: Value) -> Decimal | None:
    if isinstance(value, Quantity):
        return value.value
    return Decimal(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None


def merged(former: Answers, new: Mapping[str, Iterable[Value]]) -> dict[str, tuple[Value, ...]]:
    """The answers of one page over those given before; an empty one takes the former away."""
    found = {**former, **{link_id: tuple(values) for link_id, values in new.items()}}
    return {link_id: values for link_id, values in found.items() if values}
