"""The pages of a community, for each of its members and for those who are not."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask.testing import FlaskClient

from services.communities.models import Post, Topic
from tests import ground
from tests.english import in_english as in_english
from tests.factories import communities, people
from tests.services.communities.conftest import Group, SignIn

Browser = Callable[[str], FlaskClient]
OPEN_TO = {
    "": "member",
    "/annonces/nouvelle": "contributor",
    "/themes": "member",
    "/discussions": "member",
    "/discussions/nouvelle": "member",
    "/membres": "member",
    "/membres/inviter": "animator",
    "/membres.csv": "animator",
    "/moderation": "moderator",
    "/journal": "animator",
    "/journal.csv": "animator",
    "/reglages": "animator",
    "/charte/modifier": "animator",
    "/charte": "member",
    "/ma-place": "member",
}
RANKS = ["member", "contributor", "moderator", "animator"]


@pytest.mark.parametrize("role", RANKS)
def test_each_page_opens_from_its_role_on(group: Group, browser: Browser, role: str) -> None:
    own = browser(role)
    for page, least in OPEN_TO.items():
        wanted = 200 if RANKS.index(role) >= RANKS.index(least) else 403
        assert own.get(group.address + page).status_code == wanted, (page, role)


def test_agents_are_members_as_practitioners_are(group: Group, browser: Browser) -> None:
    assert browser("agent").get(group.address).status_code == 200


@pytest.mark.parametrize("page", sorted(OPEN_TO))
def test_whoever_is_not_a_member_finds_nothing(group: Group, sign_in: SignIn, page: str) -> None:
    with ground.prepared():
        patient, _person = people.patient_with_account()
    for account in (group.stranger, group.administrator, patient):
        assert sign_in(account).get(group.address + page).status_code == 404


@pytest.mark.parametrize("page", ["", "/discussions"])
def test_a_visitor_is_sent_to_the_practitioners_door(group: Group, client: FlaskClient, page: str) -> None:
    answer = client.get(group.address + page)
    assert answer.status_code == 303
    assert answer.location.startswith("/pro/connexion")


def test_takes_few_statements(
    group: Group, browser: Browser, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with ground.prepared():
        about = communities.topic(group.seats["member"], "Sujet", *["Un message."] * 5)
    own = browser("animator")
    own.get(group.address)
    pages = ("", "/discussions", f"/discussions/{about.id}", "/membres", "/moderation", "/themes", "/journal")
    for page in (*pages, "/reglages", "/ma-place"):
        with statements() as seen:
            own.get(group.address + page)
        assert len(seen) <= 12, (page, len(seen), seen)


class TestWriting:
    def test_a_discussion_is_begun_and_answered(self, group: Group, browser: Browser) -> None:
        form = {"title": "Ligne directe", "body": "Qui répond ?", "theme": "", "once": communities.uuid4()}
        assert browser("member").post(f"{group.address}/discussions/nouvelle", data=form).status_code == 303
        (about,) = ground.rows(Topic)
        answer = {"body": "Le cardiologue de garde.", "once": communities.uuid4()}
        sent = browser("agent").post(f"{group.address}/discussions/{about.id}", data=answer)
        assert sent.status_code == 303
        page = browser("moderator").get(f"{group.address}/discussions/{about.id}").text
        assert "Qui répond ?" in page
        assert "Le cardiologue de garde." in page
        assert ground.rows(Topic)[0].posts == 2

    def test_the_number_of_a_patient_is_refused_and_nothing_is_lost(self, group: Group, browser: Browser) -> None:
        with ground.prepared():
            about = communities.topic(group.seats["member"], "Sujet", "Bonjour")
        text = "Vous le connaissez : 1 85 05 78 006 048 30."
        answer = browser("member").post(
            f"{group.address}/discussions/{about.id}", data={"body": text, "once": communities.uuid4()}
        )
        assert answer.status_code == 422
        assert "There is a patient’s number in it" in answer.text
        assert text in answer.text
        assert ground.count(Post) == 1

    def test_a_doubt_asks_to_be_looked_at_then_goes_through(self, group: Group, browser: Browser) -> None:
        with ground.prepared():
            about = communities.topic(group.seats["member"], "Sujet", "Bonjour")
        address, once = f"{group.address}/discussions/{about.id}", communities.uuid4()
        text = "Le service, né le 12/03/1998, a changé de nom."
        asked = browser("member").post(address, data={"body": text, "once": once})
        assert asked.status_code == 422
        assert "a date of birth" in asked.text
        assert text in asked.text
        sent = browser("member").post(address, data={"body": text, "once": once, "certain": "y"})
        assert sent.status_code == 303
        assert ground.count(Post) == 2
