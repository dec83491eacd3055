"""One comes in by invitation, having accepted the charter; whoever invites learns nothing of who is known here."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import db
from portal.db import session
from portal.notifications import Notification
from services.communities.models import Community, CommunityEvent, CommunityInvitation, CommunityMember
from tests import ground
from tests.english import in_english as in_english
from tests.factories import communities, people
from tests.services.communities.conftest import Group, SignIn
from tests.services.communities.test_pages import Browser

RPPS = "10000000371"


def invite(own: FlaskClient, group: Group, *lines: str, role: str = "member") -> int:
    form = {"people": "\n".join(lines), "role": role, "once": uuid4()}
    return own.post(f"{group.address}/membres/inviter", data=form).status_code


def link() -> str:
    """Where the last mail of an invitation leads."""
    bodies = [each.body for each in ground.rows(Notification)]
    found = [match.group() for body in bodies if (match := re.search(r"/communautes/invitation/\S+", body))]
    return found[-1]


def agree(**answers: object) -> dict[str, object]:
    return {"agreed": "y", "version": "1", "calling": "Médecin", "once": uuid4()} | answers


class TestALink:
    def test_shows_nothing_before_one_is_known_as_a_professional(
        self, group: Group, browser: Browser, client: FlaskClient, sign_in: SignIn
    ) -> None:
        invite(browser("animator"), group, "dr.neuf@exemple.test")
        with ground.prepared():
            patient, _person = people.patient_with_account()
        name = group.seats["member"].community.name
        for visitor in (client, sign_in(patient)):
            page = visitor.get(link())
            assert page.status_code == 200
            assert "Pro Santé Connect" in page.text
            assert name not in page.text

    def test_lets_a_practitioner_in_once(self, group: Group, browser: Browser, sign_in: SignIn) -> None:
        invite(browser("animator"), group, "dr.neuf@exemple.test", role="contributor")
        own, address = sign_in(group.stranger), link()
        page = own.get(address).text
        assert "Dr ANIMATOR" in page
        assert communities.CHARTER.splitlines()[0] in page
        assert own.post(f"{address}/accepter", data=agree(agreed="")).status_code == 422
        joined = own.post(f"{address}/accepter", data=agree())
        assert joined.status_code == 303
        assert own.get(group.address).status_code == 200
        assert own.get(address).status_code == 410
        with ground.prepared():
            member = session.scalars(
                select(CommunityMember).where(CommunityMember.account_id == group.stranger.id)
            ).one()
            assert (member.role, member.charter_version, member.calling) == ("contributor", 1, "Médecin")

    def test_is_over_after_a_while_or_once_taken_back(self, group: Group, browser: Browser, sign_in: SignIn) -> None:
        animator, own = browser("animator"), sign_in(group.stranger)
        invite(animator, group, "dr.neuf@exemple.test")
        (waiting,) = ground.rows(CommunityInvitation)
        assert animator.post(f"{group.address}/invitations/{waiting.id}/retirer").status_code == 303
        assert own.get(link()).status_code == 410
        invite(animator, group, "dr.neuf@exemple.test")
        with ground.prepared():
            for each in session.scalars(select(CommunityInvitation)):
                each.expires_at = db.now() - timedelta(minutes=1)
        assert own.get(link()).status_code == 410
        assert own.post(f"{link()}/accepter", data=agree()).status_code == 410

    def test_a_new_invitation_ends_the_former_link(self, group: Group, browser: Browser, sign_in: SignIn) -> None:
        invite(browser("animator"), group, "dr.neuf@exemple.test")
        former = link()
        invite(browser("animator"), group, "DR.NEUF@exemple.test")
        assert link() != former
        assert sign_in(group.stranger).get(former).status_code == 410
        assert sign_in(group.stranger).get(link()).status_code == 200

    def test_may_be_declined_and_is_over_then(self, group: Group, browser: Browser, sign_in: SignIn) -> None:
        invite(browser("animator"), group, "dr.neuf@exemple.test")
        own = sign_in(group.stranger)
        assert own.post(f"{link()}/decliner").status_code == 303
        assert own.get(link()).status_code == 410
        assert own.get(group.address).status_code == 404

    @pytest.mark.parametrize("token", ["x", "é" * 20, "0" * 64, "' or 1=1"])
    def test_a_made_up_one_leads_nowhere(self, group: Group, sign_in: SignIn, token: str) -> None:
        assert sign_in(group.stranger).get(f"/communautes/invitation/{token}").status_code == 410

    def test_the_charter_accepted_is_the_one_that_was_read(
        self, group: Group, browser: Browser, sign_in: SignIn
    ) -> None:
        invite(browser("animator"), group, "dr.neuf@exemple.test")
        with ground.prepared():
            session.get_one(Community, group.id).charter_version = 2
        own = sign_in(group.stranger)
        assert own.post(f"{link()}/accepter", data=agree()).status_code == 409
        assert own.post(f"{link()}/accepter", data=agree(version="2")).status_code == 303

    def test_sent_before_a_member_was_removed_lets_them_in_no_more(
        self, group: Group, browser: Browser, sign_in: SignIn
    ) -> None:
        animator, member = browser("animator"), group.seats["member"].member
        invite(animator, group, "autre.adresse@exemple.test", role="animator")
        former = link()
        assert animator.post(f"{group.address}/membres/{member.id}/retirer").status_code == 303
        own = sign_in(member.account_id)
        assert own.post(f"{former}/accepter", data=agree()).status_code == 410
        assert own.get(group.address).status_code == 404
        invite(animator, group, "encore@exemple.test")
        assert own.post(f"{link()}/accepter", data=agree()).status_code == 303


class TestANumber:
    def test_waits_for_whoever_proves_it(self, group: Group, browser: Browser, sign_in: SignIn) -> None:
        assert invite(browser("animator"), group, RPPS) == 303
        with ground.prepared():
            holder = people.professional(RPPS)
        own = sign_in(holder.account_id)
        page = own.get("/communautes").text
        assert "Invitations" in page
        (waiting,) = ground.rows(CommunityInvitation)
        address = f"/communautes/invitations/{waiting.id}"
        assert own.get(address).status_code == 200
        assert own.post(f"{address}/accepter", data=agree()).status_code == 303
        assert own.get(group.address).status_code == 200

    def test_is_for_nobody_else(self, group: Group, browser: Browser, sign_in: SignIn) -> None:
        invite(browser("animator"), group, RPPS)
        with ground.prepared():
            other = people.professional("10000000025")
        (waiting,) = ground.rows(CommunityInvitation)
        for account in (other.account_id, group.stranger.id, group.administrator.id):
            address = f"/communautes/invitations/{waiting.id}"
            assert sign_in(account).get(address).status_code == 404
            assert sign_in(account).post(f"{address}/accepter", data=agree()).status_code == 404

    def test_reads_the_same_whether_somebody_has_it_or_not(self, group: Group, browser: Browser) -> None:
        with ground.prepared():
            people.professional("10000000025")
        own = browser("animator")
        form = {"role": "member"}
        known = own.post(f"{group.address}/membres/inviter", data=form | {"people": "10000000025", "once": uuid4()})
        unknown = own.post(f"{group.address}/membres/inviter", data=form | {"people": RPPS, "once": uuid4()})
        assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
        page = own.get(f"{group.address}/membres").text
        shown = re.findall(r"<tr[^>]*>(?:(?!</tr>).)*(?:10000000025|10000000371).*?</tr>", page, re.DOTALL)
        plain = {
            re.sub(r"10000000025|10000000371|[0-9a-f-]{36}", "", re.sub(r"value=\"[^\"]*\"", "", row)) for row in shown
        }
        assert len(shown) == 2
        assert len(plain) == 1


@pytest.mark.parametrize("lines", ["", "pas une adresse", "12345678901", "a@b", "x" * 300 + "@exemple.test"])
def test_what_is_neither_an_address_nor_a_number_is_not_invited(group: Group, browser: Browser, lines: str) -> None:
    assert invite(browser("animator"), group, lines) == 422
    assert ground.count(CommunityInvitation) == 0


def test_a_message_never_names_the_community(group: Group, browser: Browser) -> None:
    invite(browser("animator"), group, "dr.neuf@exemple.test")
    (mail,) = ground.rows(Notification)
    assert group.seats["member"].community.name not in mail.subject + mail.body


class TestTheCharter:
    def test_a_new_version_is_accepted_before_anything_else(self, group: Group, browser: Browser) -> None:
        animator, member = browser("animator"), browser("member")
        answer = animator.post(f"{group.address}/charte/modifier", data={"charter": "Nouvelle règle.", "once": uuid4()})
        assert answer.status_code == 303
        assert animator.get(group.address).status_code == 200
        for page in ("", "/discussions", "/membres", "/ma-place"):
            asked = member.get(group.address + page)
            assert asked.status_code == 303
            assert asked.location.endswith("/charte")
        assert "Nouvelle règle." in member.get(f"{group.address}/charte").text
        stale = member.post(f"{group.address}/charte", data={"agreed": "y", "version": "1", "once": uuid4()})
        assert stale.location.endswith("/charte")
        assert member.get(group.address).status_code == 303
        member.post(f"{group.address}/charte", data={"agreed": "y", "version": "2", "once": uuid4()})
        assert member.get(group.address).status_code == 200
        page = animator.get(f"{group.address}/reglages").text
        assert "3 members have not accepted it yet." in page

    def test_whoever_does_not_accept_it_may_leave(self, group: Group, browser: Browser) -> None:
        with ground.prepared():
            session.get_one(Community, group.id).charter_version = 2
        own = browser("member")
        assert own.post(f"{group.address}/quitter").status_code == 303
        assert own.get(f"{group.address}/charte").status_code == 404


class TestLeaving:
    def test_the_last_animator_does_not_go(self, group: Group, browser: Browser) -> None:
        own = browser("animator")
        own.post(f"{group.address}/quitter")
        assert own.get(group.address).status_code == 200
        member = group.seats["animator"].member.id
        answer = own.post(f"{group.address}/membres/{member}/role", data={"role": "member"})
        assert answer.status_code == 409

    def test_the_community_is_handed_over(self, group: Group, browser: Browser) -> None:
        own = browser("animator")
        heir = group.seats["contributor"].member.id
        assert own.post(f"{group.address}/membres/{heir}/role", data={"role": "animator"}).status_code == 303
        assert own.post(f"{group.address}/quitter").status_code == 303
        assert own.get(group.address).status_code == 404
        assert browser("contributor").get(f"{group.address}/reglages").status_code == 200

    def test_a_removed_member_sees_nothing_more(self, group: Group, browser: Browser) -> None:
        removed = browser("member")
        assert removed.get(group.address).status_code == 200
        member = group.seats["member"].member.id
        assert browser("animator").post(f"{group.address}/membres/{member}/retirer").status_code == 303
        assert removed.get(group.address).status_code == 404
        assert "You are in no community yet" in removed.get("/communautes").text

    @pytest.mark.parametrize("role", ["member", "contributor", "moderator"])
    def test_only_an_animator_gives_roles_and_removes(self, group: Group, browser: Browser, role: str) -> None:
        own, other = browser(role), group.seats["agent"].member.id
        assert own.post(f"{group.address}/membres/{other}/role", data={"role": "animator"}).status_code == 403
        assert own.post(f"{group.address}/membres/{other}/retirer").status_code == 403
        assert own.get(f"{group.address}/membres/{other}").status_code == 403

    def test_a_member_of_another_community_is_not_found(self, group: Group, browser: Browser) -> None:
        with ground.prepared():
            far = communities.community(group.elsewhere.establishment, "Ailleurs")
            other = communities.member(far, group.stranger)
        assert browser("animator").get(f"{group.address}/membres/{other.id}").status_code == 404
        assert browser("animator").post(f"{group.address}/membres/{other.id}/retirer").status_code == 404


def test_a_closed_community_is_read_and_not_written(group: Group, browser: Browser) -> None:
    with ground.prepared():
        about = communities.topic(group.seats["member"], "Sujet", "Bonjour")
    assert browser("animator").post(f"{group.address}/fermer").status_code == 303
    own = browser("member")
    page = own.get(f"{group.address}/discussions/{about.id}").text
    assert "This community is closed" in page
    assert "Bonjour" in page
    answer = own.post(f"{group.address}/discussions/{about.id}", data={"body": "Encore", "once": uuid4()})
    assert answer.status_code == 409
    assert browser("animator").get(f"{group.address}/membres/inviter").status_code == 409


def test_what_is_done_is_in_the_journal_of_the_animator(group: Group, browser: Browser) -> None:
    animator = browser("animator")
    invite(animator, group, "dr.neuf@exemple.test")
    browser("member").post(
        f"{group.address}/discussions/nouvelle",
        data={"title": "=HYPERLINK(1)", "body": "Bonjour", "theme": "", "once": uuid4()},
    )
    page = animator.get(f"{group.address}/journal").text
    assert "invited somebody into a community" in page
    assert "began a discussion" in page
    file = animator.get(f"{group.address}/journal.csv").text
    assert "community_invitation.sent" in file
    assert "'=HYPERLINK(1)" in file
    assert {each.action for each in ground.rows(CommunityEvent)} <= set(ground.audited())
