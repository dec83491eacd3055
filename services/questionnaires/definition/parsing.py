"""FHIR JSON → a definition, or all that its author must correct, each with where it is. Nothing is silently left out.

What the standard has and we do not is refused by its name, so that no hospital believes that a rule is obeyed.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from services.questionnaires.definition.items import (
    CHOICES,
    DISPLAY,
    GROUP,
    KINDS,
    NUMBERS,
    OPERATORS,
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
from services.questionnaires.definition.reading import (
    ALERT,
    DEEPEST,
    HIGHEST,
    LANGUAGE,
    LONGEST_ANSWER,
    LONGEST_TEXT,
    LOWEST,
    MINUTES,
    MOST_ITEMS,
    MOST_OPTIONS,
    UNIT,
    Fault,
    Reading,
    Unreadable,
    day_of,
    decimal_of,
    is_int,
    is_plain,
    is_text,
    load,
)

__all__ = ["Fault", "Unreadable", "parse", "read"]

_LINK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_ROOT = {"resourceType", "title", "_title", "language", "description", "item", "extension"}
_ASIDE = {
    "id", "meta", "text", "url", "identifier", "version", "name", "status", "experimental", "subjectType", "date",
    "publisher", "contact", "purpose", "copyright", "useContext", "jurisdiction", "effectivePeriod", "lastReviewDate",
    "approvalDate", "code",
}  # fmt: skip
"""Of the root: about the file, and not about what is asked. The portal has its own."""
_ITEM = {
    "linkId", "type", "text", "_text", "required", "repeats", "maxLength", "answerOption", "enableWhen",
    "enableBehavior", "extension", "item",
}  # fmt: skip
_TYPE_OF_ANSWER: Mapping[str, tuple[str, ...]] = {
    "boolean": ("answerBoolean",),
    "choice": ("answerCoding",),
    "open-choice": ("answerCoding", "answerString"),
    "string": ("answerString",),
    "text": ("answerString",),
    "integer": ("answerInteger",),
    "decimal": ("answerDecimal",),
    "date": ("answerDate",),
    "quantity": ("answerQuantity",),
}


def parse(data: bytes | str) -> Definition:
    """Read a file. Raises Unreadable, with every fault that was found."""
    return read(load(data))


UNFINISHED = frozenset({"empty_group", "asks_nothing"})
"""Faults that a draft may have while its author works."""


def read(told: Any, *, draft: bool = False) -> Definition:
    """The same, from JSON already read (numbers as int, Decimal or float). draft: unfinished is enough.

    Raises Unreadable.
    """
    reader = _Reader()
    made = reader.definition(told)
    if faults := [each for each in reader.faults if not (draft and each.what in UNFINISHED)]:
        raise Unreadable(faults)
    return made


class _Reader(Reading):
    """The whole, item by item."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, dict[str, Any]] = {}
        self._count = 0

    # -- the whole -------------------------------------------------------------------------------------------------

    def definition(self, told: Any) -> Definition:
        if not isinstance(told, dict) or told.get("resourceType") != "Questionnaire":
            self.fault("", "not_a_questionnaire")
            return Definition(Words(""), ())
        self.known(told, "", _ROOT | _ASIDE)
        language = told.get("language", "fr")
        if not (isinstance(language, str) and LANGUAGE.fullmatch(language)):
            self.fault("language", "bad_language", language)
            language = "fr"
        title = self.words(told, "title", "")
        items = self.items(told.get("item"), "", 1)
        if not any(each.is_question for item in items for each in item.walk()):
            self.fault("item", "asks_nothing")
        return Definition(title, items, language, self._description(told), self._minutes(told))

    def _description(self, told: dict[str, Any]) -> str:
        found = told.get("description", "")
        if not isinstance(found, str) or len(found) > LONGEST_TEXT or not is_plain(found):
            self.fault("description", "bad_text")
            return ""
        return found.strip()

    def _minutes(self, told: dict[str, Any]) -> int | None:
        found = self.extension(told, "", (MINUTES,)).get(MINUTES)
        value = found.get("valueInteger") if found else None
        if is_int(value) and 1 <= int(value or 0) <= 120:
            return value
        if found is not None:
            self.fault("extension", "bad_number", value)
        return None

    # -- items -----------------------------------------------------------------------------------------------------

    def items(self, told: Any, where: str, depth: int) -> tuple[Item, ...]:
        if told is None:
            return ()
        if not isinstance(told, list) or not told:
            self.fault(f"{where}item", "not_a_list")
            return ()
        if depth > DEEPEST:
            self.fault(f"{where}item", "too_deep", DEEPEST)
            return ()
        return tuple(self.item(each, f"{where}item[{n}]", depth) for n, each in enumerate(told) if self._room(where))

    def _room(self, where: str) -> bool:
        self._count += 1
        if self._count == MOST_ITEMS + 1:
            self.fault(f"{where}item", "too_many", MOST_ITEMS)
        return self._count <= MOST_ITEMS

    def item(self, told: Any, where: str, depth: int) -> Item:
        if not isinstance(told, dict):
            self.fault(where, "not_an_object")
            return Item("", DISPLAY, Words(""))
        self.known(told, where, _ITEM)
        kind = told.get("type")
        if kind not in KINDS:
            self.fault(f"{where}.type", "unknown_type", kind)
            kind = DISPLAY
        link_id = self._link_id(told, where)
        conditions = self.conditions(told, where)  # before it is known itself: it cannot look at its own answer
        if link_id not in self._before:
            self._before[link_id] = told
        facts = self._facts(told, kind, where)
        inside = self.items(told.get("item"), f"{where}.", depth + 1)
        if kind == DISPLAY and inside:
            self.fault(f"{where}.item", "inside_display")
        if kind == GROUP and not inside:
            self.fault(f"{where}.item", "empty_group")
        every = self._every(told, where, len(conditions))
        return Item(link_id, kind, self.words(told, "text", where), conditions=conditions, every=every, items=inside,
                    **facts)  # fmt: skip

    def _link_id(self, told: dict[str, Any], where: str) -> str:
        found = told.get("linkId")
        if not (isinstance(found, str) and _LINK_ID.fullmatch(found)):
            self.fault(f"{where}.linkId", "bad_link_id", found)
            return f"?{self._count}"
        if found in self._before:
            self.fault(f"{where}.linkId", "link_id_twice", found)
        return found

    def _facts(self, told: dict[str, Any], kind: str, where: str) -> dict[str, Any]:
        found: dict[str, Any] = {
            "required": self.flag(told, "required", where),
            "repeats": self.flag(told, "repeats", where),
        }
        if found["required"] and kind in (GROUP, DISPLAY):
            self.fault(f"{where}.required", "not_for_this_type", kind)
        if found["repeats"] and kind not in CHOICES:
            self.fault(f"{where}.repeats", "not_for_this_type", kind)
        if "maxLength" in told:
            found["max_length"] = self._max_length(told["maxLength"], kind, where)
        if kind in CHOICES or "answerOption" in told:
            found["options"] = self.options(told.get("answerOption"), kind, where)
        return found | self._extended(told, kind, where)

    def _max_length(self, value: Any, kind: str, where: str) -> int | None:
        if kind not in ("string", "text", "open-choice"):
            self.fault(f"{where}.maxLength", "not_for_this_type", kind)
        elif not (is_int(value) and 1 <= value <= LONGEST_ANSWER):
            self.fault(f"{where}.maxLength", "bad_number", value)
        else:
            return int(value)
        return None

    # -- extensions ------------------------------------------------------------------------------------------------

    def _extended(self, told: dict[str, Any], kind: str, where: str) -> dict[str, Any]:
        allowed: tuple[str, ...] = ()
        if kind in NUMBERS:
            allowed = (LOWEST, HIGHEST, ALERT)
        elif kind == "date":
            allowed = (LOWEST, HIGHEST)
        elif kind == "boolean":
            allowed = (ALERT,)
        found = self.extension(told, where, (*allowed, UNIT) if kind == "quantity" else allowed)
        facts: dict[str, Any] = {
            "lowest": self._bound(found.get(LOWEST), kind, where),
            "highest": self._bound(found.get(HIGHEST), kind, where),
        }
        low, high = facts["lowest"], facts["highest"]
        if low is not None and high is not None and low > high:
            self.fault(f"{where}.extension", "bounds_crossed")
        if UNIT in found:
            facts["unit"] = self._unit(found[UNIT], where)
        if ALERT in found:
            facts["alert"] = self._alert(found[ALERT], kind, f"{where}.extension")
        return facts

    def _bound(self, told: dict[str, Any] | None, kind: str, where: str) -> Decimal | date | None:
        if told is None:
            return None
        if kind == "date":
            day = day_of(told.get("valueDate"))
            if day is None:
                self.fault(f"{where}.extension", "bad_day", told.get("valueDate"))
            return day
        value = told.get("valueInteger", told.get("valueDecimal"))
        if isinstance(told.get("valueQuantity"), dict):
            value = told["valueQuantity"].get("value")
        return self.number(value, f"{where}.extension")

    def _unit(self, told: dict[str, Any], where: str) -> str:
        coding = told.get("valueCoding")
        found = coding.get("display") or coding.get("code") if isinstance(coding, dict) else None
        if not isinstance(found, str) or not 0 < len(found) <= 30 or not is_plain(found):
            self.fault(f"{where}.extension", "bad_unit")
            return ""
        return found

    def _alert(self, told: dict[str, Any], kind: str, where: str) -> Alert | None:
        if kind == "boolean":
            if isinstance(told.get("valueBoolean"), bool):
                return Alert(answer=told["valueBoolean"])
            self.fault(where, "bad_alert")
            return None
        bounds: dict[str, Decimal | None] = {}
        inside = told.get("extension")
        for each in inside if isinstance(inside, list) else ():
            url = each.get("url") if isinstance(each, dict) else None
            if url not in ("below", "above") or url in bounds:
                self.fault(where, "bad_alert")
                return None
            bounds[url] = self.number(each.get("valueDecimal", each.get("valueInteger")), where)
        if not bounds:
            self.fault(where, "bad_alert")
            return None
        return Alert(below=bounds.get("below"), above=bounds.get("above"))

    # -- options ---------------------------------------------------------------------------------------------------

    def options(self, told: Any, kind: str, where: str) -> tuple[Option, ...]:
        where = f"{where}.answerOption"
        if kind not in CHOICES:
            self.fault(where, "not_for_this_type", kind)
            return ()
        if not isinstance(told, list) or not told:
            self.fault(where, "no_option")
            return ()
        if len(told) > MOST_OPTIONS:
            self.fault(where, "too_many", MOST_OPTIONS)
            return ()
        found = [self._option(each, f"{where}[{n}]") for n, each in enumerate(told)]
        seen: set[str] = set()
        for n, each in enumerate(found):
            if each.coding.code in seen:
                self.fault(f"{where}[{n}]", "option_twice", each.coding.code)
            seen.add(each.coding.code)
        return tuple(found)

    def _option(self, told: Any, where: str) -> Option:
        coding = told.get("valueCoding") if isinstance(told, dict) else None
        if not isinstance(told, dict) or not isinstance(coding, dict):
            self.fault(where, "not_a_coding")
            return Option(Coding(where), Words(""))
        self.known(told, where, {"valueCoding", "extension"})
        self.known(coding, where, {"code", "system", "display", "_display", "version", "userSelected"})
        made = self.coding(coding, where)
        found = self.extension(told, where, (ALERT,))
        if ALERT in found and not isinstance(found[ALERT].get("valueBoolean"), bool):
            self.fault(f"{where}.extension", "bad_alert")
        return Option(made, self.words(coding, "display", where), bool(found.get(ALERT, {}).get("valueBoolean")))

    # -- conditions ------------------------------------------------------------------------------------------------

    def conditions(self, told: dict[str, Any], where: str) -> tuple[Condition, ...]:
        given = told.get("enableWhen", [])
        if not isinstance(given, list) or len(given) > 20:
            self.fault(f"{where}.enableWhen", "not_a_list")
            return ()
        made = (self._condition(each, f"{where}.enableWhen[{n}]") for n, each in enumerate(given))
        return tuple(each for each in made if each is not None)

    def _condition(self, told: Any, where: str) -> Condition | None:
        if not isinstance(told, dict):
            self.fault(where, "not_an_object")
            return None
        question, operator = told.get("question"), told.get("operator")
        looked_at = self._before.get(question) if isinstance(question, str) else None
        if looked_at is None:
            self.fault(where, "not_asked_before", question)
            return None
        kind = looked_at.get("type")
        if not isinstance(kind, str) or kind not in _TYPE_OF_ANSWER:
            self.fault(where, "not_a_question", question)
            return None
        if operator not in OPERATORS:
            self.fault(where, "unknown_operator", operator)
            return None
        names = ("answerBoolean",) if operator == "exists" else _TYPE_OF_ANSWER[kind]
        self.known(told, where, {"question", "operator", *names})
        if operator not in ("exists", "=", "!=") and kind not in (*NUMBERS, "date"):
            self.fault(where, "no_order", operator)
            return None
        given = [name for name in names if name in told]
        if len(given) != 1:
            self.fault(where, "one_answer", " / ".join(names))
            return None
        answer = self._answer(given[0], told[given[0]], looked_at, where)
        return None if answer is None else Condition(str(question), str(operator), answer)

    def _answer(self, name: str, value: Any, looked_at: dict[str, Any], where: str) -> Value | None:
        found: Value | None = None
        if name == "answerBoolean" and isinstance(value, bool):
            return value
        if name == "answerInteger" and is_int(value) and abs(value) < 10**12:
            return int(value)
        if name == "answerString" and is_text(value):
            return str(value)
        if name == "answerDate":
            found = day_of(value)
        elif name == "answerDecimal":
            found = decimal_of(value)
        elif name == "answerQuantity" and isinstance(value, dict):
            found = self._quantity(value, where)
        elif name == "answerCoding":
            return self._chosen(value, looked_at, where)
        if found is None:
            self.fault(where, "bad_answer", value)
        return found

    def _quantity(self, told: dict[str, Any], where: str) -> Quantity | None:
        """A measure to compare with, in the unit of the question: nothing is converted."""
        self.known(told, where, {"value", "unit"})
        number, unit = decimal_of(told.get("value")), told.get("unit", "")
        if number is None or not isinstance(unit, str) or len(unit) > 30 or not is_plain(unit):
            return None
        return Quantity(number, unit)

    def _chosen(self, value: Any, looked_at: dict[str, Any], where: str) -> Coding | None:
        if not isinstance(value, dict):
            self.fault(where, "bad_answer", value)
            return None
        coding = self.coding(value, where)
        options = looked_at.get("answerOption")
        codes = [
            each["valueCoding"].get("code")
            for each in (options if isinstance(options, list) else ())
            if isinstance(each, dict) and isinstance(each.get("valueCoding"), dict)
        ]
        if coding.code not in codes:
            self.fault(where, "no_such_option", coding.code)
            return None
        return coding

    def _every(self, told: dict[str, Any], where: str, count: int) -> bool:
        behaviour = told.get("enableBehavior", "all" if count < 2 else None)  # R4, que-12: required beside several
        if behaviour not in ("all", "any"):
            self.fault(f"{where}.enableBehavior", "all_or_any", behaviour)
        return behaviour != "any" or count < 2  # of one condition, all and any say the same
