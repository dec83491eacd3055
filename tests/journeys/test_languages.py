"""Spanish and Arabic on a telephone: each page stands on its side, nothing sticks out, no word was left in English."""

from functools import cache

import pytest
from babel.messages.pofile import read_po

from tests.conftest import ROOT
from tests.journeys.looking import WIDTHS, look, refuse_wider_than
from tests.journeys.walking import Visitor, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
DIRECTIONS = {"es": "ltr", "ar": "rtl"}
ROOMS = {
    "patient": ("franceconnect", "dominique", "/ /rendez-vous/choisir /pre-admission /factures /documents"
                " /questionnaires /mon-compte /offre-de-soins /donnees-personnelles /urgences"),
    "professional": ("prosanteconnect", "quesnoy", "/pro /pro/envoyer /pro/rendez-vous"),
    "staff": ("proconnect", "administrator", "/admin/ /admin/rendez-vous /admin/pre-admissions /admin/orientations"
              " /admin/chiffres/services/appointments /admin/echeances /admin/textes /admin/assistance"),
}  # fmt: skip
_WORDS = """(language) => {
  const said = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const place = walker.currentNode.parentElement, text = walker.currentNode.nodeValue.replace(/\\s+/g, " ").trim()
    if (text && !place.closest("script, style, bdi, code") && place.closest("[lang]").lang === language) said.push(text)
  }
  return said
}"""
_OF_ONE_WORD = 2
"""Texts of fewer words are as often names, or the same in two languages."""


@pytest.mark.parametrize("language", DIRECTIONS)
@pytest.mark.parametrize("public", ROOMS)
def test_each_room_in_its_language(visitor: Visitor, language: str, public: str) -> None:
    provider, person, addresses = ROOMS[public]
    page = visitor(language)
    sign_in(page, provider, person)
    english: set[str] = set()
    for address in addresses.split():
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        root = page.locator("html")
        assert (root.get_attribute("lang"), root.get_attribute("dir")) == (language, DIRECTIONS[language])
        english |= {f"{address}: {text}" for text in page.evaluate(_WORDS, language) if text in _translated(language)}
        refuse_wider_than(page, WIDTHS[1])
    assert not english, "these have a translation, and are shown in English"
    look(page, "")


def test_what_points_is_turned_round_and_numbers_are_not(visitor: Visitor) -> None:
    page = visitor("ar")
    sign_in(page, "franceconnect", "dominique")
    page.goto("/rendez-vous/choisir")
    turned = "(icon) => new DOMMatrix(getComputedStyle(icon).transform).a"
    assert page.locator(".app-icon--turns").first.evaluate(turned) == -1
    phone = page.locator("a[href^='tel:']").first
    assert phone.evaluate("(link) => getComputedStyle(link).direction") == "ltr"


@cache
def _translated(language: str) -> frozenset[str]:
    """The English texts that the catalogue gives in other words."""
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open(encoding="utf-8") as source:
        catalogue = read_po(source)
    return frozenset(
        each.id
        for each in catalogue
        if isinstance(each.id, str) and isinstance(each.string, str) and len(each.id.split()) > _OF_ONE_WORD
        and each.string not in ("", each.id) and "%(" not in each.id and not each.fuzzy
    )  # fmt: skip
