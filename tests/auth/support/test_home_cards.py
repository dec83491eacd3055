"""The cards of the home page lead an agent on, without their opening being counted as the person's."""

from flask import Flask

from auth.support import screens
from portal import catalog

COUNTED = "/services/{}/ouvrir"


def test_a_card_leads_to_the_screen_of_its_room(app: Flask) -> None:
    with app.test_request_context():
        for code in ("appointments", "preadmission", "billing", "documents", "questionnaires"):
            card = catalog.card(code)
            assert card is not None, code
            path = screens.behind_card(app, COUNTED.format(code))
            assert screens.endpoint_of(app, path) == card.endpoint


def test_what_is_no_card_of_ours_leads_nowhere(app: Flask) -> None:
    with app.test_request_context():
        for path in (COUNTED.format("ailleurs"), "/rien", "/documents/envoyer"):
            assert screens.behind_card(app, path) == path
            assert screens.endpoint_of(app, path) == ""
