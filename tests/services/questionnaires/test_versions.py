"""Copies, translations and differences of questionnaires: sound whatever is done, and said where it changed."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.questionnaires.definition import differences, editing, translating
from services.questionnaires.definition.items import Coding, Condition, Definition, Item, Option, Words
from services.questionnaires.definition.parsing import Unreadable, parse, read
from services.questionnaires.definition.reading import load
from services.questionnaires.definition.writing import write
from tests.services.questionnaires.test_definition import TEXTS, definitions

ILL = Item("ill", "boolean", Words("Êtes-vous malade ?"))
HOW = Item("how", "choice", Words("Comment ?"), conditions=(Condition("ill", "=", True),),
           options=(Option(Coding("a"), Words("Un peu")), Option(Coding("b"), Words("Beaucoup"))))  # fmt: skip
SECTION = Item("s", "group", Words("Santé"), items=(ILL, HOW))
WHOLE = Definition(Words("Accueil"), (SECTION, Item("end", "text", Words("Autre chose ?"))))


def changes(latter: Definition, former: Definition = WHOLE) -> list[tuple[str, str]]:
    return [(each.what, each.item.link_id if each.item else "") for each in differences.between(former, latter)]


# -- differences ---------------------------------------------------------------------------------------------------


@given(definitions())
@settings(max_examples=25)
def test_a_questionnaire_does_not_differ_from_itself(definition: Definition) -> None:
    assert differences.between(definition, read(write(definition))) == []


@given(definitions(), definitions())
@settings(max_examples=25)
def test_two_that_differ_are_said_to(former: Definition, latter: Definition) -> None:
    found = differences.between(former, latter)
    assert (found == []) == (former == latter)
    assert {each.what for each in found} <= differences.CODES


def test_what_changed_is_said_where_it_changed() -> None:
    other = replace(HOW, words=Words("De quelle façon ?", {"en": "How?"}), required=True)
    latter = replace(WHOLE, items=(replace(SECTION, items=(ILL, other)), WHOLE.items[1]))
    assert changes(latter) == [("text", "how"), ("translation", "how"), ("required", "how")]
    assert changes(replace(WHOLE, title=Words("Arrivée"), minutes=3)) == [("title", ""), ("minutes", "")]


def test_what_comes_and_goes() -> None:
    latter = replace(WHOLE, items=(WHOLE.items[1], Item("new", "date", Words("Quand ?"))))
    assert changes(latter) == [("added", "new"), ("removed", "s"), ("removed", "ill"), ("removed", "how")]
    assert changes(WHOLE, latter)[-1] == ("removed", "new")


def test_what_moves_is_not_new() -> None:
    assert {what for what, _item in changes(replace(WHOLE, items=WHOLE.items[::-1]))} == {"moved"}
    swapped = editing.move(WHOLE, "end", -1)
    assert {what for what, _item in changes(swapped)} == {"moved"}
    outside = replace(WHOLE, items=(replace(SECTION, items=(ILL,)), HOW, WHOLE.items[1]))
    assert changes(outside) == [("moved", "how")]


def test_choices_and_conditions() -> None:
    first, second = HOW.options
    third = Option(Coding("c"), Words("Trop"), is_alert=True)
    told = replace(HOW, options=(third, replace(second, words=Words("Très")), first), conditions=())
    latter = replace(WHOLE, items=(replace(SECTION, items=(ILL, told)), WHOLE.items[1]))
    assert changes(latter) == [
        ("option_added", "how"), ("option_text", "how"), ("options_order", "how"), ("conditions", "how"),
    ]  # fmt: skip


# -- copies --------------------------------------------------------------------------------------------------------


@given(definitions(), st.data())
@settings(max_examples=25)
def test_a_copy_is_sound_and_takes_nothing_away(definition: Definition, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from([each.link_id for each in definition.walk()]))
    made, copy = editing.duplicate(definition, chosen)
    assert parse(json.dumps(write(made))) == made
    assert [each.link_id for each in definition.walk()] == [
        each.link_id for each in made.walk() if each.link_id in {one.link_id for one in definition.walk()}
    ]
    original, twin = made.item(chosen), made.item(copy)
    assert original is not None
    assert twin is not None
    assert [each.words for each in twin.walk()] == [each.words for each in original.walk()]


def test_conditions_inside_a_copy_follow_the_copy() -> None:
    made, copy = editing.duplicate(WHOLE, "s")
    section = made.item(copy)
    assert section is not None
    ill, how = section.items
    assert how.conditions[0].question == ill.link_id
    alone, second = editing.duplicate(WHOLE, "how")
    outside = alone.item(second)
    assert outside is not None
    assert outside.conditions[0].question == "ill"


def test_nothing_is_copied_of_what_is_not_there() -> None:
    with pytest.raises(editing.NoSuchItem):
        editing.duplicate(WHOLE, "gone")


def test_a_copy_that_makes_too_many_is_refused() -> None:
    many = Definition(Words("Long"), tuple(Item(f"x{n}", "boolean", Words("?")) for n in range(200)))
    with pytest.raises(Unreadable):
        editing.duplicate(many, "x3")


# -- translations --------------------------------------------------------------------------------------------------


@given(definitions(), st.sampled_from(["en", "es", "ar"]), TEXTS)
@settings(max_examples=25)
def test_every_text_can_be_translated_and_nothing_else_changes(
    definition: Definition, language: str, said: str
) -> None:
    every = translating.texts(definition)
    made = translating.translated(definition, language, {each.key: said for each in every})
    assert translating.done(made, language) == (len(every), len(every))
    assert parse(json.dumps(write(made))) == made
    back = translating.translated(made, language, {each.key: "" for each in every})
    assert translating.done(back, language) == (0, len(every))
    assert {each.what for each in differences.between(definition, made)} <= {"translation", "option_text"}
    others = {name for each in every for name in each.words.translations} - {language}
    assert {name for each in translating.texts(back) for name in each.words.translations} == others


def test_what_is_not_named_keeps_its_translation() -> None:
    made = translating.translated(WHOLE, "en", {"ill": "Are you ill?"})
    again = translating.translated(made, "en", {"title": "Welcome"})
    assert translating.done(again, "en") == (2, 7)


def test_a_translation_too_long_is_refused() -> None:
    with pytest.raises(Unreadable):
        translating.translated(WHOLE, "en", {"ill": "x" * 1501})


# -- files ---------------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_json_is_refused_with_its_line() -> None:
    with pytest.raises(Unreadable) as refused:
        load(b'{\n "resourceType": "Questionnaire",\n "item": [,]\n}')
    assert [(each.where, each.what) for each in refused.value.faults] == [("3:11", "not_json")]
