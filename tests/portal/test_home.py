"""The front desk."""

from flask.testing import FlaskClient


def test_home_greets_in_french_by_default(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert '<html lang="fr"' in page.text


def test_ready_when_the_database_answers(client: FlaskClient) -> None:
    assert client.get("/status/ready").json == {"status": "ready"}
