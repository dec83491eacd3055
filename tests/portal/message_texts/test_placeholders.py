"""What stands for a placeholder is put in its place once, and is never a text that is read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.message_texts import html, placeholders
from portal.message_texts.placeholders import Unusable, fill, fill_line, has_stray_brace, names

TEXTS = st.text(alphabet=st.sampled_from("ab {}_\n<>&%$\"'né🙂"), max_size=60)


def test_values_take_the_place_of_their_names() -> None:
    assert fill("Bonjour.\n\nRéf. {reference}, {when}.", {"reference": "A1", "when": "lundi"}) == (
        "Bonjour.\n\nRéf. A1, lundi."
    )
    assert names("{b} {a} {b} {A} {}") == ["b", "a"]


def test_a_value_that_looks_like_a_placeholder_is_left_alone() -> None:
    assert fill("{a} {b}", {"a": "{b}", "b": "{a}"}) == "{b} {a}"


@pytest.mark.parametrize("text", ["{", "}", "{{a}}", "{A}", "{a b}", "{a.b}", "{a!r}", "{0}", "{a[0]}", "{a:>9}"])
def test_anything_else_between_braces_is_a_mistake(text: str) -> None:
    assert has_stray_brace(text)


def test_a_paragraph_without_its_value_is_left_out() -> None:
    values = {"when": "", "reference": "A1"}
    assert fill("Bonjour.\n\nLe {when}.\n\nRéf. {reference}.", values) == "Bonjour.\n\nRéf. A1."
    assert fill("Le {when}.", values) == ""


def test_an_unknown_placeholder_is_unusable() -> None:
    with pytest.raises(Unusable, match="nom"):
        fill("Bonjour {nom}", {"a": "1"})
    with pytest.raises(Unusable):
        fill_line("{nom}", {})


def test_a_subject_stays_on_one_line_whatever_its_values() -> None:
    assert fill_line("Sur {a}", {"a": "un\r\nBcc: x@y.fr\x00"}) == "Sur un Bcc: x@y.fr"


@given(text=TEXTS, first=TEXTS, second=TEXTS)
def test_nothing_but_the_known_values_ever_comes_in(text: str, first: str, second: str) -> None:
    """Whatever the text and the values, the result is the text's own signs and the values', or a refusal."""
    values = {"a": first, "b": second}
    try:
        filled = fill(text, values)
    except Unusable:
        assert set(names(text)) - {"a", "b"}
        return
    assert len(filled) <= len(text) + text.count("{a}") * len(first) + text.count("{b}") * len(second)
    if not names(text):
        assert filled == text.strip()


@given(text=TEXTS)
def test_the_html_of_a_message_holds_no_mark_of_its_text(text: str) -> None:
    """Only our own paragraphs, line ends and links."""
    made = str(html.body(text))
    bare = made.replace('<p dir="auto">', "").replace("</p>", "").replace("<br>", "")
    assert "<" not in bare
    assert ">" not in bare
    assert '"' not in bare


def test_links_are_clickable_and_end_before_the_full_stop() -> None:
    made = str(html.body("Voir https://exemple.test/a?b=1&c=2.\n\nمرحبا"))
    assert '<a href="https://exemple.test/a?b=1&amp;c=2">https://exemple.test/a?b=1&amp;c=2</a>.' in made
    assert made.count('<p dir="auto">') == 2
    assert "javascript" not in str(html.body("javascript:alert(1)")).replace("javascript:alert(1)", "")


def test_the_page_says_its_language() -> None:
    assert '<html lang="ar" dir="rtl">' in html.page("<b>", "x", "ar")
    assert '<html lang="es">' in html.page("<b>", "x", "es")
    assert "<title>&lt;b&gt;</title>" in html.page("<b>", "x")
    assert placeholders.fill("", {}) == ""
