"""Members report, moderators decide and say why, authors are told; messages are put right for a while."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from auth.news.models import News
from portal import db
from portal.db import session
from services.communities.models import (
    Announcement,
    AnnouncementReading,
    CommunityMember,
    PastPost,
    Post,
    PostReport,
    Subscription,
    Theme,
    Topic,
)
from tests import ground
from tests.english import in_english as in_english
from tests.factories import communities
from tests.services.communities.conftest import Group
from tests.services.communities.test_pages import Browser


@pytest.fixture
def about(group: Group) -> Topic:
    with ground.prepared():
        return communities.topic(group.seats["member"], "Sujet", "Un message discutable.")


def post() -> Post:
    return ground.rows(Post)[0]


def told(account_id: UUID) -> list[str]:
    return sorted(each.path for each in ground.rows(News) if each.account_id == account_id)


class TestAReport:
    def test_waits_for_moderators_who_withdraw_with_a_reason(
        self, group: Group, browser: Browser, about: Topic, work_jobs: Callable[[], None]
    ) -> None:
        address = f"{group.address}/messages/{post().id}"
        reported = {"kind": "manners", "words": "Pas comme ça."}
        assert browser("agent").post(f"{address}/signaler", data=reported).status_code == 303
        work_jobs()
        assert told(group.seats["moderator"].member.account_id) == [f"{group.address}/moderation"]
        moderator = browser("moderator")
        assert "Pas comme ça." in moderator.get(f"{group.address}/moderation").text
        assert moderator.post(f"{address}/moderer", data={"reason": ""}).status_code == 422
        assert moderator.post(f"{address}/moderer", data={"reason": "Restons courtois."}).status_code == 303
        work_jobs()
        page = browser("member").get(f"{group.address}/discussions/{about.id}").text
        assert "Restons courtois." in page
        assert "Un message discutable." not in page
        assert told(group.seats["member"].member.account_id) == [f"{group.address}/discussions/{about.id}"]
        assert "Restons courtois." in browser("agent").get(f"{group.address}/ma-place").text
        assert ground.rows(PastPost)[0].body == "Un message discutable."

    def test_is_answered_when_the_message_is_kept(self, group: Group, browser: Browser, about: Topic) -> None:
        address = f"{group.address}/messages/{post().id}"
        browser("agent").post(f"{address}/signaler", data={"kind": "wrong"})
        moderator = browser("moderator")
        assert moderator.post(f"{address}/garder", data={"reason": "C’est exact."}).status_code == 303
        assert "Nothing to moderate" in moderator.get(f"{group.address}/moderation").text
        assert "Un message discutable." in browser("agent").get(f"{group.address}/discussions/{about.id}").text
        assert ground.rows(PostReport)[0].explanation == "C’est exact."

    def test_counts_once_for_each_member(self, group: Group, browser: Browser, about: Topic) -> None:
        own = browser("agent")
        for _twice in range(2):
            own.post(f"{group.address}/messages/{post().id}/signaler", data={"kind": "other"})
        assert ground.count(PostReport) == 1

    @pytest.mark.parametrize("role", ["member", "contributor", "agent"])
    def test_is_not_decided_by_members(self, group: Group, browser: Browser, about: Topic, role: str) -> None:
        own, address = browser(role), f"{group.address}/messages/{post().id}"
        assert own.post(f"{address}/garder", data={}).status_code == 403
        assert own.post(f"{address}/moderer", data={"reason": "x"}).status_code == 403
        assert own.post(f"{group.address}/discussions/{about.id}/clore", data={"closed": "1"}).status_code == 403

    @pytest.mark.parametrize("act", ["modifier", "signaler", "moderer"])
    def test_a_message_of_another_community_is_not_found(self, group: Group, browser: Browser, act: str) -> None:
        with ground.prepared():
            far = communities.community(group.elsewhere.establishment, "Ailleurs")
            own = communities.seat(far, group.stranger)
            topic = communities.topic(own, "Ailleurs", "Rien")
        address = f"{group.address}/messages/{post().id}"
        assert browser("animator").get(f"{address}/{act}").status_code == 404
        assert browser("animator").get(f"{group.address}/discussions/{topic.id}").status_code == 404


class TestOnesOwnMessage:
    def test_is_put_right_soon_after(self, group: Group, browser: Browser, about: Topic) -> None:
        address = f"{group.address}/messages/{post().id}/modifier"
        assert browser("member").post(address, data={"body": "Mieux dit.", "once": uuid4()}).status_code == 303
        assert post().body == "Mieux dit."
        assert [each.body for each in ground.rows(PastPost)] == ["Un message discutable."]

    def test_is_not_changed_any_more_later(self, group: Group, browser: Browser, about: Topic) -> None:
        with ground.prepared():
            session.scalars(select(Post)).one().created_at = db.now() - timedelta(minutes=31)
        address = f"{group.address}/messages/{post().id}/modifier"
        answer = browser("member").post(address, data={"body": "Trop tard.", "once": uuid4()})
        assert answer.status_code == 409
        assert "Trop tard." in answer.text
        assert post().body == "Un message discutable."

    def test_is_withdrawn_at_any_time(self, group: Group, browser: Browser, about: Topic) -> None:
        assert browser("member").post(f"{group.address}/messages/{post().id}/retirer").status_code == 303
        assert post().body == ""
        assert "Withdrawn by its author." in browser("agent").get(f"{group.address}/discussions/{about.id}").text

    @pytest.mark.parametrize("role", ["agent", "moderator", "animator"])
    def test_is_not_anybody_elses(self, group: Group, browser: Browser, about: Topic, role: str) -> None:
        own, address = browser(role), f"{group.address}/messages/{post().id}"
        assert own.post(f"{address}/modifier", data={"body": "x", "once": uuid4()}).status_code == 404
        assert own.post(f"{address}/retirer").status_code == 404


def test_nobody_answers_a_closed_discussion_and_nothing_typed_is_lost(
    group: Group, browser: Browser, about: Topic
) -> None:
    address = f"{group.address}/discussions/{about.id}"
    browser("moderator").post(f"{address}/clore", data={"closed": "1"})
    answer = browser("member").post(address, data={"body": "Encore un mot.", "once": uuid4()})
    assert answer.status_code == 409
    assert "is closed" in answer.text
    browser("moderator").post(f"{address}/clore", data={"closed": "0"})
    assert browser("member").post(address, data={"body": "Encore un mot.", "once": uuid4()}).status_code == 303


def test_a_pinned_discussion_comes_first_and_unread_ones_are_marked(group: Group, browser: Browser) -> None:
    with ground.prepared():
        old = communities.topic(group.seats["member"], "Vieux sujet", "a", at=db.now() - timedelta(days=9))
        communities.topic(group.seats["member"], "Sujet neuf", "b")
    browser("moderator").post(f"{group.address}/discussions/{old.id}/epingler", data={"pinned": "1"})
    own = browser("agent")
    page = own.get(f"{group.address}/discussions").text
    assert page.index("Vieux sujet") < page.index("Sujet neuf")
    assert page.count(">New<") == 2
    own.get(f"{group.address}/discussions/{old.id}")
    assert own.get(f"{group.address}/discussions").text.count(">New<") == 1


class TestAnnouncements:
    def publish(self, own: object, group: Group, theme: str = "") -> int:
        form = {"title": "Réunion", "body": "Jeudi à 20 h.", "theme": theme, "once": uuid4()}
        answer = own.post(f"{group.address}/annonces/nouvelle", data=form)  # type: ignore[attr-defined]  # a browser
        return int(answer.status_code)

    def test_tell_members_without_a_word_of_what_they_are(
        self, group: Group, browser: Browser, work_jobs: Callable[[], None]
    ) -> None:
        with ground.prepared():
            quiet = session.get_one(CommunityMember, group.seats["agent"].member.id)
            quiet.notify = "none"
        assert self.publish(browser("contributor"), group) == 303
        work_jobs()
        (made,) = ground.rows(Announcement)
        whom = {each.account_id for each in ground.rows(News)}
        assert whom == {group.seats[role].member.account_id for role in ("member", "moderator", "animator")}
        assert told(group.seats["member"].member.account_id) == [f"{group.address}/annonces/{made.id}"]

    def test_of_a_theme_go_to_its_subscribers(
        self, group: Group, browser: Browser, work_jobs: Callable[[], None]
    ) -> None:
        browser("moderator").post(f"{group.address}/themes", data={"name": "Cœur", "once": uuid4()})
        (theme,) = ground.rows(Theme)
        assert browser("member").post(f"{group.address}/themes/{theme.id}/suivre").status_code == 303
        assert ground.count(Subscription) == 1
        assert self.publish(browser("contributor"), group, str(theme.id)) == 303
        work_jobs()
        assert {each.account_id for each in ground.rows(News)} == {group.seats["member"].member.account_id}
        browser("member").post(f"{group.address}/themes/{theme.id}/ne-plus-suivre")
        assert ground.count(Subscription) == 0

    def test_are_counted_as_they_are_read(self, group: Group, browser: Browser) -> None:
        self.publish(browser("contributor"), group)
        (made,) = ground.rows(Announcement)
        for _twice in range(2):
            browser("member").get(f"{group.address}/annonces/{made.id}")
        assert ground.count(AnnouncementReading) == 2  # its author has read it
        assert "Read by" not in browser("agent").get(f"{group.address}/annonces/{made.id}").text
        assert "Read by 4 members" in browser("moderator").get(f"{group.address}/annonces/{made.id}").text

    def test_are_withdrawn_by_their_author_or_a_moderator(self, group: Group, browser: Browser) -> None:
        self.publish(browser("contributor"), group)
        address = f"{group.address}/annonces/{ground.rows(Announcement)[0].id}"
        assert browser("member").post(f"{address}/retirer").status_code == 403
        assert browser("moderator").post(f"{address}/retirer").status_code == 303
        assert browser("member").get(address).status_code == 404

    def test_are_for_contributors_to_write(self, group: Group, browser: Browser) -> None:
        assert self.publish(browser("member"), group) == 403

    def test_two_themes_do_not_share_a_name(self, group: Group, browser: Browser) -> None:
        for wanted in (303, 409):
            answer = browser("moderator").post(f"{group.address}/themes", data={"name": "Cœur", "once": uuid4()})
            assert answer.status_code == wanted


def test_who_wants_discussions_is_told_once_until_they_come(
    group: Group, browser: Browser, about: Topic, work_jobs: Callable[[], None]
) -> None:
    with ground.prepared():
        session.get_one(CommunityMember, group.seats["animator"].member.id).notify = "all"
    address, reader = f"{group.address}/discussions/{about.id}", browser("animator")
    reader.get(address)
    for body in ("Un.", "Deux."):
        browser("agent").post(address, data={"body": body, "once": uuid4()})
        work_jobs()
    assert told(group.seats["animator"].member.account_id) == [address]
    reader.get(address)
    browser("agent").post(address, data={"body": "Trois.", "once": uuid4()})
    work_jobs()
    assert len(told(group.seats["animator"].member.account_id)) == 2


def test_one_takes_away_what_one_wrote(group: Group, browser: Browser, about: Topic) -> None:
    mine = browser("member").get("/communautes/mes-ecrits.json").get_json()
    assert [each["body"] for each in mine["messages"]] == ["Un message discutable."]
    others = browser("agent").get("/communautes/mes-ecrits.json").get_json()
    assert others["messages"] == []
