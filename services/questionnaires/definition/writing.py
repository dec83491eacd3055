"""A definition → FHIR R4 JSON, as it is stored, exported and read elsewhere. `parsing` reads it back the same."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from services.questionnaires.definition.items import (
    Alert,
    Coding,
    Condition,
    Definition,
    Item,
    Option,
    Quantity,
    Value,
    Words,
)
from services.questionnaires.definition.reading import ALERT, HIGHEST, LOWEST, MINUTES, TRANSLATION, UNIT

Json = dict[str, Any]
_UCUM = "http://unitsofmeasure.org"


def write(definition: Definition) -> Json:
    """The resource, without what the portal adds of its own (id, url, version, status)."""
    facts: Json = {"resourceType": "Questionnaire", "language": definition.language}
    facts |= _words("title", definition.title)
    if definition.description:
        facts["description"] = definition.description
    if definition.minutes is not None:
        facts["extension"] = [{"url": MINUTES, "valueInteger": definition.minutes}]
    return facts | ({"item": [_item(each) for each in definition.items]} if definition.items else {})


def number(value: Decimal) -> int | float:
    """JSON's number; a float holds the digits that a measure has (15 at least)."""
    return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)


def coding(value: Coding, display: str = "") -> Json:
    found = {"system": value.system, "code": value.code, "display": display}
    return {name: each for name, each in found.items() if each}


def value_of(value: Value) -> tuple[str, Any]:
    """The suffix of `value[x]` and `answer[x]`, and what stands there."""
    # bool is an int, and so comes first.
    kinds: Mapping[type, tuple[str, Any]] = {bool: ("Boolean", bool), int: ("Integer", int), str: ("String", str)}
    if type(value) in kinds:
        suffix, plain = kinds[type(value)]
        return suffix, plain(value)
    if isinstance(value, Decimal):
        return "Decimal", number(value)
    if isinstance(value, date):
        return "Date", value.isoformat()
    if isinstance(value, Coding):
        return "Coding", coding(value)
    assert isinstance(value, Quantity), "every kind of value is written"
    unit = {"unit": value.unit} if value.unit else {}
    return "Quantity", {"value": number(value.value)} | unit


def _words(name: str, words: Words) -> Json:
    found: Json = {name: words.text}
    if words.translations:
        found[f"_{name}"] = {"extension": [_translation(*each) for each in sorted(words.translations.items())]}
    return found


def _translation(language: str, text: str) -> Json:
    parts = [{"url": "lang", "valueCode": language}, {"url": "content", "valueString": text}]
    return {"url": TRANSLATION, "extension": parts}


def _item(item: Item) -> Json:
    found: Json = {"linkId": item.link_id, "type": item.kind} | _words("text", item.words)
    if extensions := _extensions(item):
        found["extension"] = extensions
    if item.conditions:
        found["enableWhen"] = [_condition(each) for each in item.conditions]
    if len(item.conditions) > 1:
        found["enableBehavior"] = "all" if item.every else "any"
    if item.required:
        found["required"] = True
    if item.repeats:
        found["repeats"] = True
    if item.max_length is not None:
        found["maxLength"] = item.max_length
    if item.options:
        found["answerOption"] = [_option(each) for each in item.options]
    if item.items:
        found["item"] = [_item(each) for each in item.items]
    return found


def _condition(condition: Condition) -> Json:
    suffix, value = value_of(condition.answer)
    return {"question": condition.question, "operator": condition.operator, f"answer{suffix}": value}


def _option(option: Option) -> Json:
    found: Json = {"valueCoding": coding(option.coding) | _words("display", option.words)}
    return found | ({"extension": [{"url": ALERT, "valueBoolean": True}]} if option.is_alert else {})


def _extensions(item: Item) -> list[Json]:
    bounds = ((LOWEST, item.lowest), (HIGHEST, item.highest))
    found = [{"url": url, **_bound(bound, item.kind)} for url, bound in bounds if bound is not None]
    if item.unit:
        found.append({"url": UNIT, "valueCoding": {"system": _UCUM, "code": item.unit, "display": item.unit}})
    if item.alert is not None:
        found.append(_alert(item.alert))
    return found


def _bound(bound: Decimal | date, kind: str) -> Json:
    if isinstance(bound, date):
        return {"valueDate": bound.isoformat()}
    if kind == "integer" and bound == bound.to_integral_value():
        return {"valueInteger": int(bound)}
    return {"valueDecimal": number(bound)}


def _alert(alert: Alert) -> Json:
    if alert.answer is not None:
        return {"url": ALERT, "valueBoolean": alert.answer}
    bounds = (("below", alert.below), ("above", alert.above))
    inside = [{"url": url, "valueDecimal": number(bound)} for url, bound in bounds if bound is not None]
    return {"url": ALERT, "extension": inside}
