"""A questionnaire's file is read strictly, written back the same, and edited without breaking its own rules."""

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import partial, reduce
from operator import getitem
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.questionnaires.definition import editing
from services.questionnaires.definition.enabling import enabled
from services.questionnaires.definition.items import (
    Alert,
    Coding,
    Condition,
    Definition,
    Item,
    Option,
    Quantity,
    Words,
)
from services.questionnaires.definition.parsing import Unreadable, parse, read
from services.questionnaires.definition.reading import DEEPEST, LOWEST, MOST_BYTES, MOST_ITEMS
from services.questionnaires.definition.writing import write

YES: dict[str, Any] = {"linkId": "ill", "type": "boolean", "text": "Êtes-vous malade ?"}
HOW: dict[str, Any] = {
    "linkId": "how",
    "type": "text",
    "text": "Comment ?",
    "enableWhen": [{"question": "ill", "operator": "=", "answerBoolean": True}],
}
CHOSEN: dict[str, Any] = {"question": "c", "operator": "=", "answerCoding": {"code": "a"}}
WEIGHT: dict[str, Any] = {"linkId": "w", "type": "quantity", "text": "Poids ?"}
LIMITED: dict[str, Any] = {"linkId": "t", "type": "decimal", "text": "Température ?"}


def weighs(more: dict[str, Any]) -> dict[str, Any]:
    return {"question": "w", "operator": ">", "answerQuantity": {"value": 60} | more}


def made(*items: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Questionnaire", "title": "Essai", "item": list(items), **more}


def faults(told: Any) -> list[tuple[str, str]]:
    with pytest.raises(Unreadable) as refusal:
        read(told)
    return [(each.where, each.what) for each in refusal.value.faults]


def test_a_file_is_read() -> None:
    found = parse(json.dumps(made(YES, HOW)))
    assert found.title.text == "Essai"
    assert [each.link_id for each in found.questions] == ["ill", "how"]
    assert found.item("how") == Item("how", "text", Words("Comment ?"), conditions=(Condition("ill", "=", True),))


def test_translations_alerts_and_bounds_are_read() -> None:
    extension = [
        {"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueDecimal": 30},
        {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", "valueDecimal": 45},
        {"url": "urn:parvis:questionnaire-alert", "extension": [{"url": "above", "valueDecimal": 38.5}]},
    ]
    beside = {
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/translation",
                "extension": [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": "Temperature"}],
            }
        ]
    }
    asked = {"linkId": "t", "type": "decimal", "text": "Température", "_text": beside, "extension": extension}
    found = read(made(asked)).item("t")
    assert found is not None
    assert (found.lowest, found.highest) == (Decimal(30), Decimal(45))
    assert found.alert == Alert(above=Decimal("38.5"))
    assert found.words.in_("en") == "Temperature"
    assert found.words.in_("ar") == "Température", "a language that is not there falls back on the file's own"


@pytest.mark.parametrize(
    ("told", "where", "what"),
    [
        ([], "", "not_a_questionnaire"),
        ({"resourceType": "Patient"}, "", "not_a_questionnaire"),
        (made(), "item", "not_a_list"),
        (made({"linkId": "d", "type": "display", "text": "Bonjour"}), "item", "asks_nothing"),
        (made(YES, YES), "item[1].linkId", "link_id_twice"),
        (made(YES | {"linkId": "é"}), "item[0].linkId", "bad_link_id"),
        (made(YES | {"type": "attachment"}), "item[0].type", "unknown_type"),
        (made(YES | {"initial": []}), "item[0].initial", "not_supported"),
        (made(YES | {"text": "\u0000"}), "item[0].text", "bad_text"),
        (made(YES | {"text": "  "}), "item[0].text", "bad_text"),
        (made(YES | {"required": "yes"}), "item[0].required", "not_yes_or_no"),
        (made(YES | {"repeats": True}), "item[0].repeats", "not_for_this_type"),
        (made(YES | {"maxLength": 3}), "item[0].maxLength", "not_for_this_type"),
        (made(YES | {"extension": [{"url": "http://x.example/y"}]}), "item[0].extension", "unknown_extension"),
        (made({"linkId": "c", "type": "choice", "text": "Quoi ?"}), "item[0].answerOption", "no_option"),
        (made({"linkId": "g", "type": "group", "text": "Rien"}, YES), "item[0].item", "empty_group"),
        (made(HOW, YES), "item[0].enableWhen[0]", "not_asked_before"),
        (made(YES, HOW | {"enableWhen": [{"question": "how", "operator": "exists", "answerBoolean": True}]}),
         "item[1].enableWhen[0]", "not_asked_before"),
        (made(YES, HOW | {"enableWhen": [{"question": "ill", "operator": ">", "answerBoolean": True}]}),
         "item[1].enableWhen[0]", "no_order"),
        (made(YES, HOW | {"enableWhen": [{"question": "ill", "operator": "~", "answerBoolean": True}]}),
         "item[1].enableWhen[0]", "unknown_operator"),
        (made(YES, HOW | {"enableWhen": [{"question": "ill", "operator": "=", "answerInteger": 1}]}),
         "item[1].enableWhen[0].answerInteger", "not_supported"),
        (made(YES, HOW | {"enableWhen": HOW["enableWhen"] * 2}), "item[1].enableBehavior", "all_or_any"),
        (made(YES | {"type": ["boolean"]}, HOW), "item[0].type", "unknown_type"),
        (made(YES, HOW | {"enableWhen": [{"question": ["ill"], "operator": "=", "answerBoolean": True}]}),
         "item[1].enableWhen[0]", "not_asked_before"),
        (made(YES | {"linkId": "c", "type": "choice", "answerOption": 5}, HOW | {"enableWhen": [CHOSEN]}),
         "item[1].enableWhen[0]", "no_such_option"),
        (made(WEIGHT, HOW | {"enableWhen": [weighs({"unit": "\ud800"})]}),
         "item[1].enableWhen[0]", "bad_answer"),
        (made(WEIGHT, HOW | {"enableWhen": [weighs({"unit": {}})]}),
         "item[1].enableWhen[0]", "bad_answer"),
        (made(WEIGHT, HOW | {"enableWhen": [weighs({"comparator": "<"})]}),
         "item[1].enableWhen[0].comparator", "not_supported"),
        (made(LIMITED | {"extension": [{"url": LOWEST, "valueDecimal": Decimal("1e999999999999")}]}),
         "item[0].extension", "bad_number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is(told: Any, where: str, what: str) -> None:
    assert (where, what) in faults(told)


def test_french_typography_is_no_fault() -> None:
    assert read(made(YES | {"text": "Êtes-vous malade\u00a0? (38\u202f°C)"})).questions[0].words.text.endswith(")")
    assert faults(made(YES | {"text": "\u202emalade"})) == [("item[0].text", "bad_text")]


def test_of_one_condition_all_and_any_say_the_same() -> None:
    found = read(made(YES, HOW | {"enableBehavior": "any"}))
    assert read(write(found)) == found


def test_what_is_too_deep_to_be_written_is_refused() -> None:
    for depth in range(600, 990, 15):
        nested = "[" * depth + "]" * depth
        with pytest.raises(Unreadable):
            parse(json.dumps(made(YES | {"type": "@"})).replace('"@"', nested))


_WHOLE = made(
    {"linkId": "s", "type": "group", "text": "Vous", "item": [YES, HOW]},
    {"linkId": "c", "type": "choice", "text": "?", "answerOption": [{"valueCoding": {"code": "a", "display": "A"}}]},
    LIMITED | {"enableWhen": [CHOSEN, HOW["enableWhen"][0]], "enableBehavior": "any"},
    WEIGHT | {"enableWhen": [{"question": "t", "operator": ">", "answerDecimal": 3}]},
    {"linkId": "last", "type": "text", "text": "Fin ?", "enableWhen": [weighs({"unit": "kg"})]},
)  # fmt: skip


def places(told: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a file, from the whole down to single values."""
    inside = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    return [at, *(found for name, each in inside for found in places(each, (*at, name)))]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(places(_WHOLE)[1:]),
            st.sampled_from([None, True, 0, -1, 5, 1e30, Decimal("1e999999999999"), "", "\u0000", "\ud800", "é" * 2000,
                             "2026-13-01", [], [5], {}, {"a": 1}, {"url": []}, {"extension": 5}, "choice", "=", "w"]),
        ),
        min_size=1,
        max_size=3,
    )
)  # fmt: skip
def test_a_file_with_anything_anywhere_is_read_and_kept_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    told = copy.deepcopy(_WHOLE)
    for place, value in changes:
        with suppress(KeyError, IndexError, TypeError):
            reduce(getitem, place[:-1], told)[place[-1]] = value
    try:
        found = read(told)
    except Unreadable:
        return
    kept = json.dumps(write(found), ensure_ascii=False)
    kept.encode()
    assert "\\u0000" not in kept
    assert read(json.loads(kept)) == found


def test_every_fault_is_said_at_once() -> None:
    assert len(faults(made(YES | {"initial": 1, "required": 1}, {"linkId": "x"}))) >= 4


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999999999999999999999}', b"9" * 5000,
        b'{"resourceType": "Questionnaire", "resourceType": "Questionnaire"}', b" " * (MOST_BYTES + 1),
        b'{"resourceType": "Questionnaire", "title": "\\ud800", "item": [{"\\ud800": 1}]}',
    ],
    ids=range(10),
)  # fmt: skip
def test_a_hostile_file_is_refused_and_nothing_more(data: bytes) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse(data)
    "".join(f"{each.where}{each.what}{each.about}" for each in refusal.value.faults).encode()  # a page can show it


def test_too_deep_and_too_many_are_refused() -> None:
    nested = YES
    for depth in range(DEEPEST):
        nested = {"linkId": f"g{depth}", "type": "group", "text": "Groupe", "item": [nested]}
    assert "too_deep" in {what for _where, what in faults(made(nested))}
    many = [YES | {"linkId": f"q{n}"} for n in range(MOST_ITEMS + 1)]
    assert "too_many" in {what for _where, what in faults(made(*many))}


# -- properties ----------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=30)
NUMBERS = st.decimals(min_value=-1000, max_value=1000, places=2, allow_nan=False).map(lambda n: Decimal(str(float(n))))


@st.composite
def words(draw: st.DrawFn) -> Words:
    return Words(draw(TEXTS), draw(st.dictionaries(st.sampled_from(["en", "ar", "de"]), TEXTS, max_size=2)))


@st.composite
def conditions(draw: st.DrawFn, before: list[Item]) -> tuple[Condition, ...]:
    found = []
    for asked in draw(st.lists(st.sampled_from(before), max_size=3)) if before else []:
        if draw(st.booleans()):
            found.append(Condition(asked.link_id, "exists", draw(st.booleans())))
        elif asked.kind == "boolean":
            found.append(Condition(asked.link_id, "=", draw(st.booleans())))
        elif asked.kind in ("choice", "open-choice"):
            found.append(Condition(asked.link_id, "!=", draw(st.sampled_from(asked.options)).coding))
        elif asked.kind == "integer":
            found.append(Condition(asked.link_id, draw(st.sampled_from("><")), draw(st.integers(-5, 5))))
        elif asked.kind == "decimal":
            found.append(Condition(asked.link_id, ">=", draw(NUMBERS)))
        elif asked.kind == "quantity":
            found.append(Condition(asked.link_id, "<=", Quantity(draw(NUMBERS), "kg")))
        elif asked.kind == "date":
            found.append(Condition(asked.link_id, ">", draw(st.dates())))
    return tuple(found)


@st.composite
def questions(draw: st.DrawFn, link_id: str, before: list[Item]) -> Item:
    kind = draw(st.sampled_from(
        ["boolean", "choice", "open-choice", "string", "text", "integer", "decimal", "date", "quantity"]
    ))  # fmt: skip
    facts: dict[str, Any] = {"required": draw(st.booleans()), "conditions": draw(conditions(before))}
    facts["every"] = True if len(facts["conditions"]) < 2 else draw(st.booleans())
    if kind in ("choice", "open-choice"):
        count = draw(st.integers(1, 4))
        facts["options"] = tuple(
            Option(Coding(f"o{n}", draw(st.sampled_from(["", "urn:x"]))), draw(words()), draw(st.booleans()))
            for n in range(count)
        )
        facts["repeats"] = draw(st.booleans())
    if kind in ("string", "text"):
        facts["max_length"] = draw(st.none() | st.integers(1, 500))
    if kind == "boolean":
        facts["alert"] = draw(st.none() | st.booleans().map(lambda answer: Alert(answer=answer)))
    if kind in ("decimal", "quantity"):
        facts["lowest"] = draw(st.none() | NUMBERS)
        facts["alert"] = draw(st.none() | NUMBERS.map(lambda bound: Alert(below=bound)))
    if kind == "date":
        facts["highest"] = draw(st.none() | st.dates())
    if kind == "quantity":
        facts["unit"] = draw(st.sampled_from(["", "kg"]))
    return Item(link_id, kind, draw(words()), **facts)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    before: list[Item] = []
    items: list[Item] = []
    for n in range(draw(st.integers(1, 6))):
        asked = draw(questions(f"q{n}", before))
        before.append(asked)
        if draw(st.booleans()):
            items.append(Item(f"s{n}", "group", draw(words()), items=(asked,)))
        else:
            items.append(asked)
    return Definition(draw(words()), tuple(items), description=draw(TEXTS), minutes=draw(st.none() | st.integers(1, 9)))


@given(definitions())
def test_what_is_written_reads_back_the_same(definition: Definition) -> None:
    assert parse(json.dumps(write(definition))) == definition


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3)
    | st.dictionaries(
        st.sampled_from([
            "resourceType", "item", "type", "linkId", "text", "_text", "answerOption", "valueCoding", "code", "system",
            "enableWhen", "question", "operator", "answerCoding", "extension", "url", "required",
        ]),
        inside | st.sampled_from(["Questionnaire", "choice", "boolean", "a", "=", "urn:parvis:questionnaire-alert"]),
        max_size=6,
    ),
    max_leaves=30,
)  # fmt: skip


@given(JSON)
def test_no_json_does_anything_but_be_read_or_refused(told: Any) -> None:
    whole = {"resourceType": "Questionnaire", "title": "x", "item": told}
    for each in (told, whole, made(told)):
        try:
            read(each)
        except Unreadable as refusal:
            assert refusal.faults  # noqa: PT017 - either outcome is right; a refusal must say why


@given(definitions(), st.data())
def test_any_gesture_of_the_editor_leaves_a_sound_questionnaire_or_nothing(
    definition: Definition, data: st.DataObject
) -> None:
    gestures: tuple[Callable[[Definition, str], Definition], ...] = (
        editing.remove,
        partial(editing.move, step=-1),
        partial(editing.move, step=1),
    )
    for _n in range(4):
        link_id = data.draw(st.sampled_from([each.link_id for each in definition.walk()] or ["q0"]))
        try:
            definition = data.draw(st.sampled_from(gestures))(definition, link_id)
        except (Unreadable, editing.NoSuchItem):
            continue
        assert read(write(definition), draft=True) == definition


# -- which questions are asked -------------------------------------------------------------------------------------


def test_a_hidden_question_hides_what_depends_on_it() -> None:
    third = {
        "linkId": "again",
        "type": "boolean",
        "text": "Encore ?",
        "enableWhen": [{"question": "how", "operator": "exists", "answerBoolean": True}],
    }
    definition = read(made(YES, HOW, third))
    assert enabled(definition, {}) == {"ill"}
    assert enabled(definition, {"ill": (True,), "how": ("mal",)}) == {"ill", "how", "again"}
    assert enabled(definition, {"ill": (False,), "how": ("mal",)}) == {"ill"}, "a former answer counts no more"


@pytest.mark.parametrize(
    ("operator", "answer", "shown"),
    [
        (">", 4, False),
        (">", 5, False),
        (">", 6, True),
        (">=", 5, True),
        ("<", 4, True),
        ("!=", 5, False),
        ("=", 5, True),
    ],
)
def test_numbers_are_compared(operator: str, answer: int, shown: bool) -> None:
    asked = Item("n", "integer", Words("Combien ?"))
    after = Item("m", "text", Words("Où ?"), conditions=(Condition("n", operator, 5),))
    assert ("m" in enabled(Definition(Words("Essai"), (asked, after)), {"n": (answer,)})) is shown


def test_days_are_compared_and_true_is_not_one() -> None:
    day = Item("d", "date", Words("Quand ?"))
    after = Item("m", "text", Words("Où ?"), conditions=(Condition("d", ">", date(2026, 1, 1)),))
    definition = Definition(Words("Essai"), (day, after))
    assert "m" in enabled(definition, {"d": (date(2026, 1, 2),)})
    number = Item("n", "integer", Words("Combien ?"))
    one = Item("m", "text", Words("Où ?"), conditions=(Condition("n", "=", 1),))
    assert "m" not in enabled(Definition(Words("Essai"), (number, one)), {"n": (True,)})
