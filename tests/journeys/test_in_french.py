"""French is longer than English: pages still fit, on a telephone and for somebody with a very long name."""

import pytest

from tests.journeys.looking import look, refuse_wider_than
from tests.journeys.walking import Visitor, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ZOOMED = 320
"""CSS pixels: 1280 at 400 % (WCAG 2.1, criterion 1.4.10)."""


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("/connexion", "Se connecter"),
        ("/pro/connexion", "Se connecter"),
        ("/admin/connexion", "Personnel"),
        ("/accessibilite", "Accessibilité"),
        ("/mentions-legales", "Mentions légales"),
        ("/donnees-personnelles", "Données personnelles"),
        ("/factures/verifier", "Vérifier"),
    ],
)
def test_what_everybody_may_read(visitor: Visitor, address: str, heading: str) -> None:
    page = visitor("fr-FR")
    page.goto(address)
    look(page, heading)


@pytest.mark.parametrize(
    ("provider", "person", "addresses"),
    [
        ("franceconnect", "jean-marie", "/ /rendez-vous /pre-admission /factures /documents /mon-compte"),
        ("prosanteconnect", "quesnoy", "/pro /pro/envoyer"),
        (
            "proconnect",
            "administrator",
            "/admin/ /admin/rendez-vous /admin/pre-admissions /admin/factures/ /admin/factures/liste"
            " /admin/factures/a-surveiller /admin/factures/journal /admin/factures/soldes /admin/factures/sources"
            " /admin/documents /admin/documents/echanges /admin/documents/refuses /admin/agents /admin/journal",
        ),
    ],
)
def test_every_room_fits_a_small_screen(visitor: Visitor, provider: str, person: str, addresses: str) -> None:
    page = visitor("fr-FR")
    sign_in(page, provider, person)
    for address in addresses.split():
        assert page.goto(address).status == 200
        refuse_wider_than(page, ZOOMED)
