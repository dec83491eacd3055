"""Row-level security: for each table of communities, who sees rows and who may write them, whatever the pages do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.db import ANONYMOUS, Actor, Base, session
from services.communities.models import (
    Announcement,
    AnnouncementReading,
    Community,
    CommunityEvent,
    CommunityInvitation,
    CommunityMember,
    PastPost,
    Post,
    PostReport,
    Subscription,
    Theme,
    Topic,
    TopicReading,
)
from tests import ground
from tests.factories import communities, people
from tests.services.communities.conftest import Group

TABLES: tuple[type[Base], ...] = (
    Community, CommunityMember, CommunityInvitation, CommunityEvent, Theme, Subscription, Topic, Post, PastPost,
    PostReport, TopicReading, Announcement, AnnouncementReading,
)  # fmt: skip
INVITED_RPPS = "10000000371"
MEMBERS_SEE = {Community: 1, CommunityMember: 5, Theme: 1, Topic: 1, Post: 1, Announcement: 1}
SEEN: dict[str, dict[type[Base], int]] = {
    "anonymous": {},
    "patient": {},
    "stranger": {},
    "left": {CommunityMember: 1},
    "removed": {CommunityMember: 1},
    "invited": {Community: 1, CommunityMember: 1, CommunityInvitation: 1},
    "administration here": {Community: 1, CommunityMember: 1, CommunityInvitation: 1},
    # The other community, which is theirs, and the one who runs it.
    "administration elsewhere": {Community: 1, CommunityMember: 1},
    "care here": {},
    # Their own subscription, marks, report and past message.
    "member": MEMBERS_SEE | {Subscription: 1, TopicReading: 1, AnnouncementReading: 1, PostReport: 1, PastPost: 1},
    "contributor": MEMBERS_SEE,
    "agent": MEMBERS_SEE,
    "moderator": MEMBERS_SEE
    | {CommunityMember: 7, Subscription: 1, AnnouncementReading: 1, PostReport: 1, PastPost: 1},
    "animator": MEMBERS_SEE
    | {CommunityMember: 7, Subscription: 1, AnnouncementReading: 1, PostReport: 1, PastPost: 1,
       CommunityInvitation: 2, CommunityEvent: 1},
}  # fmt: skip


@dataclass(frozen=True)
class Walls:
    group: Group
    actors: dict[str, Actor]

    def count(self, who: str, model: type[Base]) -> int:
        with db.transaction(self.actors[who]):
            return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def walls(group: Group) -> Walls:
    """One row at least in each table, and somebody of each kind."""
    with ground.prepared():
        community = group.seats["member"].community
        _fill(group)
        gone = {}
        for state in ("left", "removed"):
            own = people.account("professional", f"Dr {state}", "")
            communities.member(community, own, state=state)
            gone[state] = Actor("professional", own.name, own.id)
        invited = people.professional(INVITED_RPPS)
        patient, person = people.patient_with_account()
        other = people.agent(group.elsewhere.establishment.id, "administration")
        care = people.agent(group.hospital.establishment.id, "care")
        communities.invitation(community, b"a" * 32, email="", rpps=INVITED_RPPS)
        communities.invitation(community, b"b" * 32, role="animator")
        # Another community, which must never be counted above.
        far = communities.community(group.elsewhere.establishment, "Ailleurs")
        own = communities.seat(far, people.account("professional", "Dr LOIN", ""), "Dr LOIN", "animator")
        communities.topic(own, "Ailleurs", "Rien à voir")
    here, there = group.hospital.establishment.id, group.elsewhere.establishment.id
    actors = {
        "anonymous": ANONYMOUS,
        "patient": people.as_patient(patient, person),
        "stranger": Actor("professional", group.stranger.name, group.stranger.id),
        **gone,
        "invited": people.as_professional(invited),
        "administration here": people.as_agent(group.administrator, here, "administration"),
        "administration elsewhere": people.as_agent(other, there, "administration"),
        "care here": people.as_agent(care, here, "care"),
        "agent": Actor("staff", "Agente MEMBRE", group.seats["agent"].member.account_id),
    }
    for role in ("member", "contributor", "moderator", "animator"):
        actors[role] = Actor("professional", role, group.seats[role].member.account_id)
    return Walls(group, actors)


def _fill(group: Group) -> None:
    member, community = group.seats["member"], group.seats["member"].community
    within = communities.theme(community)
    about = communities.topic(member, "Sujet", "Bonjour", within=within)
    announced = communities.announcement(group.seats["contributor"], "Réunion", "Jeudi")
    (post,) = session.scalars(select(Post).where(Post.topic_id == about.id))
    mine = {"account_id": member.member.account_id, "community_id": community.id}
    session.add_all(
        [
            Subscription(theme_id=within.id, **mine),
            TopicReading(topic_id=about.id, **mine),
            AnnouncementReading(announcement_id=announced.id, **mine),
            PostReport(id=uuid4(), post_id=post.id, name="Dr MEMBER", kind="other", **mine),
            PastPost(
                id=uuid4(), post_id=post.id, community_id=community.id, author_id=mine["account_id"], body="avant"
            ),
        ]
    )
    communities.event(community, group.seats["animator"].member, "community.described", db.now())


@pytest.mark.parametrize("who", sorted(SEEN))
def test_each_one_sees_what_is_theirs_and_nothing_else(walls: Walls, who: str) -> None:
    seen = {model: walls.count(who, model) for model in TABLES}
    assert {model: count for model, count in seen.items() if count} == SEEN[who]


@pytest.mark.parametrize("who", sorted(set(SEEN) - {"member", "contributor", "moderator", "animator", "agent"}))
def test_whoever_is_not_a_member_writes_nothing(walls: Walls, who: str) -> None:
    community = walls.group.id
    account_id = walls.actors[who].account_id or walls.group.stranger.id
    for model, values in _rows(walls, community, account_id):
        _refused(walls.actors[who], lambda model=model, values=values: session.execute(insert(model).inline(), values))


def _rows(walls: Walls, community: object, account_id: object) -> list[tuple[type[Base], dict[str, object]]]:
    topic, post = ground.rows(Topic)[0], ground.rows(Post)[0]
    theme, announced = ground.rows(Theme)[0], ground.rows(Announcement)[0]
    mine = {"account_id": account_id, "community_id": community}
    said = {"author_id": account_id, "author_name": "x", "community_id": community, "id": uuid4()}
    return [
        (CommunityMember, {**mine, "id": uuid4(), "name": "x", "role": "animator", "state": "active"}),
        (Theme, {"id": uuid4(), "community_id": community, "name": "x"}),
        (Subscription, {**mine, "theme_id": theme.id}),
        (Topic, {**said, "title": "x"}),
        (Post, {**said, "topic_id": topic.id, "body": "x"}),
        (PastPost, {"id": uuid4(), "community_id": community, "author_id": account_id, "post_id": post.id,
                    "body": "x"}),
        (PostReport, {**mine, "id": uuid4(), "post_id": post.id, "name": "x", "kind": "other"}),
        (TopicReading, {**mine, "topic_id": topic.id}),
        (Announcement, {**said, "title": "x", "body": "x"}),
        (AnnouncementReading, {**mine, "announcement_id": announced.id}),
        (CommunityInvitation, {"id": uuid4(), "community_id": community, "digest": b"z" * 32, "email": "a@b.fr",
                               "role": "member", "expires_at": db.now() + timedelta(days=1)}),
    ]  # fmt: skip


class TestMembersStayWhoTheyAre:
    @pytest.mark.parametrize("role", ["member", "contributor", "moderator"])
    def test_nobody_raises_their_own_role(self, walls: Walls, role: str) -> None:
        mine = CommunityMember.account_id == walls.actors[role].account_id
        _refused(
            walls.actors[role], lambda: session.execute(update(CommunityMember).where(mine).values(role="animator"))
        )

    @pytest.mark.parametrize("who", ["left", "removed"])
    def test_whoever_is_gone_does_not_come_back_by_themselves(self, walls: Walls, who: str) -> None:
        mine = CommunityMember.account_id == walls.actors[who].account_id
        _refused(walls.actors[who], lambda: session.execute(update(CommunityMember).where(mine).values(state="active")))

    def test_nobody_writes_in_the_name_of_another(self, walls: Walls) -> None:
        other = walls.group.seats["moderator"].member.account_id
        for model, values in _rows(walls, walls.group.id, other):
            if "author_id" in values or "account_id" in values:
                _refused(
                    walls.actors["member"],
                    lambda model=model, values=values: session.execute(insert(model).inline(), values),
                )

    def test_members_change_nobody_elses_words(self, walls: Walls) -> None:
        with db.transaction(walls.actors["contributor"]):
            changed = session.execute(update(Post).values(body="autre chose"))
            assert changed.rowcount == 0  # type: ignore[attr-defined]  # an update has one

    def test_a_contributor_announces_and_a_member_does_not(self, walls: Walls) -> None:
        def announce(who: str) -> None:
            said = {"id": uuid4(), "community_id": walls.group.id, "author_id": walls.actors[who].account_id}
            session.execute(insert(Announcement).inline(), {**said, "author_name": "x", "title": "x", "body": "x"})

        _refused(walls.actors["member"], lambda: announce("member"))
        with db.transaction(walls.actors["contributor"]):
            announce("contributor")


class TestTheJournal:
    def test_is_never_changed_nor_deleted(self, walls: Walls) -> None:
        for who in ("animator", "moderator", "administration here"):
            with db.transaction(walls.actors[who]):
                assert session.execute(text("update community_event set label = 'x'")).rowcount == 0  # type: ignore[attr-defined]  # an update has one
                assert session.execute(text("delete from community_event")).rowcount == 0  # type: ignore[attr-defined]  # a delete has one

    def test_nobody_signs_for_another(self, walls: Walls) -> None:
        line = {"community_id": walls.group.id, "actor": "professional:somebody-else", "action": "x"}
        _refused(walls.actors["animator"], lambda: session.execute(insert(CommunityEvent).inline(), line))

    def test_a_stranger_adds_no_line(self, walls: Walls) -> None:
        stranger = walls.actors["stranger"]
        line = {"community_id": walls.group.id, "actor": stranger.label, "action": "x"}
        _refused(stranger, lambda: session.execute(insert(CommunityEvent).inline(), line))


def test_the_hospital_counts_without_reading(walls: Walls) -> None:
    asked = text("select members, animators, invited from community_sizes()")
    for who, wanted in (("administration here", [(5, 1, 2)]), ("care here", []), ("member", []), ("anonymous", [])):
        with db.transaction(walls.actors[who]):
            assert [tuple(row) for row in session.execute(asked)] == wanted


def _refused(actor: Actor, write: Callable[[], object]) -> None:
    with pytest.raises(DBAPIError, match="row-level security"), db.transaction(actor):
        write()
