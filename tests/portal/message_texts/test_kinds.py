"""Every message that the portal sends is declared, with a sample in each language."""

import ast
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from admin import message_text_words
from portal.message_texts import checking, html, kinds, placeholders, writing
from portal.message_texts.kinds import Kind
from portal.web.i18n import LANGUAGES

ROOT = Path(__file__).parents[3]
MODULES = sorted(path for top in ("auth", "services") for path in (ROOT / top).rglob("mails.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_makes_a_mail_says_which_it_is(path: Path) -> None:
    """A function of a room that gives a Mail away is declared; so is a Mail that is always the same."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and node.returns is not None
        and ast.unparse(node.returns) == "Mail"
        and not any(ast.unparse(each).startswith("message(") for each in node.decorator_list)
    ]
    bare += [
        ast.unparse(node)[:60]
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "Mail"
    ]
    assert not bare


def test_every_message_can_be_shown_in_every_language(app: Flask) -> None:
    with app.app_context():
        for kind in kinds.every():
            for language in LANGUAGES:
                words = writing.defaults(kind, language)
                assert words.body, kind.code
                assert (words.subject == "") == (kind.channel == kinds.TEXT), kind.code


def test_the_portals_own_words_pass_what_is_asked_of_a_hospital(app: Flask) -> None:
    """Whoever starts from them can save them as they are."""
    with app.app_context():
        for kind in changeable():
            for language in LANGUAGES:
                words = checking.tidy(writing.defaults(kind, language))
                checking.check(kind, words, message_text_words.examples(kind, language))


def test_every_placeholder_has_a_meaning_and_an_example(app: Flask) -> None:
    with app.app_context():
        for kind in kinds.every():
            unknown = set(writing.names_of(kind)) - set(message_text_words.PLACEHOLDERS)
            assert not unknown, kind.code
            assert set(kind.required) <= set(writing.names_of(kind))


def test_every_room_has_a_name_and_every_reader_too(app: Flask) -> None:
    assert {kind.room for kind in kinds.every()} <= set(message_text_words.ROOMS)
    assert {kind.to for kind in kinds.every()} <= set(message_text_words.READERS)


def test_the_example_of_each_message_fits_where_it_is_sent(app: Flask) -> None:
    with app.app_context(), force_locale("fr"):
        for kind in changeable():
            examples = message_text_words.examples(kind, "fr")
            told = checking.shown(kind, writing.defaults(kind, "fr"), examples)
            assert writing.address(writing.path_of(kind)) in told.body
            assert not placeholders.names(told.body), kind.code
            if kind.channel == kinds.TEXT:
                assert checking.parts_of(kind, writing.defaults(kind, "fr"), examples) == 1
            assert str(html.body(told.body)).count("<a ") >= 1 or not told.body.count("http")


def test_two_rooms_cannot_have_the_same_message(app: Flask) -> None:
    known = kinds.every()[0]

    def another() -> str:
        return ""

    with pytest.raises(ValueError, match=known.code):
        kinds.offer(Kind(known.code, another))


def changeable() -> list[Kind]:
    found = [kind for kind in kinds.every() if kind.at_hospital]
    assert len(found) > 30
    return found
