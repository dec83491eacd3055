"""Rules mark what may tell of somebody; an agent cuts, and never writes in somebody's stead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.satisfaction import screening
from services.satisfaction.screening import CONTACT, GAP, HEALTH, KINDS, NAME, NUMBER


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Très simple, merci beaucoup.", []),
        ("Site clair. Bravo à toute l’équipe !", []),
        ("J’ai mis longtemps à trouver le bouton pour envoyer mon PDF.", []),
        ("Rapide pour mon diabète", [HEALTH]),
        ("Ma CHIMIOTHÉRAPIE a été reportée", [HEALTH, NAME]),
        ("Suite à mon opération du cœur", [HEALTH]),
        ("I am pregnant and could not book", [HEALTH]),
        ("No encontré mi tratamiento", [HEALTH]),
        ("لم أجد موعدا لمرض السكري", [HEALTH]),
        ("Appelez-moi au 06 12 34 56 78", [NUMBER]),
        ("Mon rendez-vous du 12/05 a été perdu", [NUMBER]),
        ("Dossier 2 79 03 75 116 005", [NUMBER]),
        ("Écrivez à jeanne.martin@example.org", [CONTACT]),
        ("voir https://exemple.fr/photo", [CONTACT]),
        ("Le Dr Lefèvre ne répond pas", [NAME]),
        ("Mme Diallo au guichet était charmante", [NAME]),
        ("Je suis Jeanne Martin", [NAME]),
        ("c’est MARTIN qui m’a reçue", [NAME]),
        ("Le Dr Petit soigne mon cancer, tél. 0199001000", [HEALTH, NUMBER, NAME]),
    ],
)
def test_what_the_rules_mark(text: str, kinds: list[str]) -> None:
    assert screening.flags(text) == kinds


def test_what_is_proposed_has_gaps_and_keeps_the_rest() -> None:
    assert (
        screening.masked("Merci au Dr Petit pour mon cancer, site clair")
        == f"Merci au {GAP} pour mon {GAP}, site clair"
    )


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Merci au […], site clair", True),
        ("site clair", True),
        ("Merci   au\r\nDr Petit", True),
        ("Merci au docteur, site clair", False),
        ("site clair Merci", False),
        ("site clair […] Merci", False),
        ("M[…]e", False),
        ("Merci […] ai[…]", False),
        ("[…]it, site clair", False),
        ("[…]", False),
        ("  ", False),
    ],
)
def test_an_agent_only_cuts(words: str, kept: bool) -> None:
    assert screening.is_cut_from("Merci au Dr Petit, site clair", words) is kept


_TEXTS = st.text(max_size=300) | st.lists(
    st.sampled_from(["Dr Petit", "cancer", "06 12 34", "a@b.fr", "merci", "Jean Paul", "ÉLISE", " ", ", ", "œ", "ﬁ"]),
    max_size=12,
).map("".join)  # fmt: skip


@given(_TEXTS)
def test_pieces_are_the_whole_text_once(text: str) -> None:
    found = screening.pieces(text)
    assert "".join(piece.text for piece in found) == text
    assert {piece.kind for piece in found} <= {"", *KINDS}
    assert (screening.flags(text) == []) == all(not piece.kind for piece in found)


@given(_TEXTS)
def test_what_is_proposed_may_be_let_through_and_is_found_clean(text: str) -> None:
    proposed = screening.masked(text)
    assert screening.is_cut_from(text, proposed) == bool(proposed.replace(GAP, "").strip()) or GAP in text
