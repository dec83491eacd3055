"""Which items are asked, given what was answered (R4, Questionnaire.item.enableWhen)."""

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt
from typing import Any

from services.questionnaires.definition.items import Answers, Coding, Condition, Definition, Item, Quantity, Value

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, ">": gt, "<": lt, ">=": ge, "<=": le}


def enabled(definition: Definition, answers: Answers) -> frozenset[str]:
    """The linkIds of what is asked. What is hidden counts as not answered, and hides what is inside it.

    One pass is enough: a condition looks at questions asked before it alone (see `parsing`).
    """
    found: set[str] = set()
    _enter(definition.items, answers, found)
    return frozenset(found)


def _enter(items: tuple[Item, ...], answers: Answers, found: set[str]) -> None:
    for item in items:
        if _is_asked(item, answers, found):
            found.add(item.link_id)
            _enter(item.items, answers, found)


def _is_asked(item: Item, answers: Answers, found: set[str]) -> bool:
    if not item.conditions:
        return True
    met = (_is_met(each, answers.get(each.question, ()) if each.question in found else ()) for each in item.conditions)
    return all(met) if item.every else any(met)


def _is_met(condition: Condition, given: tuple[Value, ...]) -> bool:
    if condition.operator == "exists":
        return bool(given) is condition.answer
    if condition.operator == "!=":
        return bool(given) and not any(same(each, condition.answer) for each in given)
    if condition.operator == "=":
        return any(same(each, condition.answer) for each in given)
    compare = _COMPARE[condition.operator]
    return any(compare(_rank(each), _rank(condition.answer)) for each in given if _rank(each) is not None)


def same(one: Value, other: Value) -> bool:
    """Whether two answers are one; True is not 1, and a code counts whatever its system when none is given."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Coding) and isinstance(other, Coding):
        return one.code == other.code and (one.system == other.system or not (one.system and other.system))
    return _rank(one) == _rank(other) if _rank(one) is not None else one == other


def _rank(value: Value) -> Any:
    """What is compared: a number, a day; None for what has no order."""
    if isinstance(value, Quantity):
        return value.value
    return None if isinstance(value, (bool, str, Coding)) else value
