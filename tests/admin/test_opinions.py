"""The staff's side of satisfaction: results, comments let through, the tray that screens them."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from services.satisfaction.models import Opinion, OpinionComment
from tests.english import in_english as in_english
from tests.ground import audited, rows
from tests.services.satisfaction.conftest import Ground
from tests.services.satisfaction.conftest import ground as ground
from tests.services.satisfaction.test_opinions import says
from tests.statements import executed

pytestmark = pytest.mark.usefixtures("in_english")
SignIn = Callable[[Account], FlaskClient]
TRAY = "/admin/satisfaction/commentaires"


def test_a_comment_is_screened_then_read_by_its_service(ground: Ground, sign_in: SignIn) -> None:
    says(ground, 2, "Mon cancer attend, mais le site est lent")
    officer, clerk = sign_in(ground.officer), sign_in(ground.clerk)
    tray = officer.get(TRAY).text
    assert "cancer" not in tray
    (path,) = re.findall(rf'href="({TRAY}/[^"]+)"', tray)
    page = officer.get(path).text
    assert "<mark>cancer" in page
    assert "Mon […] attend" in page
    assert audited()[-1] == "opinion_comment.opened"
    refused = officer.post(path, data={"decision": "publish", "words": "Le site est rapide"})
    assert refused.status_code == 422
    assert "add nothing" in refused.text
    done = officer.post(path, data={"decision": "publish", "words": "le site est lent"}, follow_redirects=True)
    assert "No comment waits" in done.text
    read = clerk.get("/admin/satisfaction").text
    assert "le site est lent" in read
    (opinion,) = rows(Opinion)
    assert f"{opinion.given_on:%B %Y}" in read, "the month, and not the day"
    assert "Mean out of 5" not in read
    assert "Mean out of 5" in officer.get("/admin/satisfaction").text
    assert "le site est lent" in officer.get(path).text


def test_a_removal_says_why_and_erases(ground: Ground, sign_in: SignIn) -> None:
    says(ground, 1, "Le Dr Petit est nul")
    officer = sign_in(ground.officer)
    path = officer.post(f"{TRAY}/suivant").location
    assert officer.post(path, data={"decision": "remove"}).status_code == 422
    officer.post(path, data={"decision": "remove", "reason": "somebody"})
    (comment,) = rows(OpinionComment)
    assert (comment.text, comment.decided_by_name) == ("", "Odile Officier")
    again = officer.post(path, data={"decision": "publish", "words": "x"}, follow_redirects=True)
    assert "Somebody screened this comment meanwhile" in again.text
    assert "Removed" in officer.get(f"{TRAY}?etat=lus").text


def test_a_service_reads_its_own_comments_only(ground: Ground, sign_in: SignIn) -> None:
    says(ground, 2, "trop long", service="billing")
    officer = sign_in(ground.officer)
    path = officer.post(f"{TRAY}/suivant").location
    officer.post(path, data={"decision": "publish", "words": "trop long"})
    assert "trop long" in officer.get("/admin/satisfaction?service=billing").text
    assert "trop long" not in officer.get("/admin/satisfaction?service=appointments").text
    assert "trop long" not in sign_in(ground.clerk).get("/admin/satisfaction").text


def test_another_hospital_finds_nothing_and_others_are_refused(ground: Ground, sign_in: SignIn) -> None:
    says(ground, 2, "trop long")
    path = sign_in(ground.officer).post(f"{TRAY}/suivant").location
    southern = sign_in(ground.southern)
    assert southern.get(path).status_code == 404
    assert "No comment waits" in southern.get(TRAY).text
    assert sign_in(ground.clerk).get(TRAY).status_code == 403


@pytest.mark.parametrize("path", ["/admin/satisfaction", TRAY, f"{TRAY}?etat=lus"])
def test_pages_cost_few_statements(ground: Ground, sign_in: SignIn, app: Flask, path: str) -> None:
    for score in (1, 3, 5):
        says(ground, score, f"trop long {score}")
    officer = sign_in(ground.officer)
    officer.get(path)
    with executed(app) as seen:
        assert officer.get(path).status_code == 200
    assert len(seen) <= 12
