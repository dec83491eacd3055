"""The agents' page: rights of one's own hospitals, one-time links, and nobody else's business."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account, StaffInvitation, StaffRight
from tests.admin.conftest import Group
from tests.factories import people
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]


def rights_of(account: Account) -> set[tuple[str, str]]:
    return {(str(row.establishment_id), row.right) for row in rows(StaffRight) if row.account_id == account.id}


class TestList:
    def test_agents_of_my_hospitals_are_listed_with_their_rights(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            people.agent(group.south.id, "billing", name="Sam Du-Sud")
        page = sign_in(group.administrator).get("/admin/agents?lang=en").text
        assert all(name in page for name in ("Clara Clerc", "Aude Auditrice", "Dina Directrice"))
        assert "Adam Administrateur (you)" in page
        assert "Sam Du-Sud" not in page
        assert "Sam Du-Sud" in sign_in(group.director).get("/admin/agents?lang=en").text

    def test_closed_accounts_are_left_out(self, group: Group, sign_in: SignIn) -> None:
        from portal import db

        with prepared():
            gone = people.agent(group.north.id, "billing", name="Paul Parti")
            gone.closed_at = db.now()
        assert "Paul Parti" not in sign_in(group.administrator).get("/admin/agents").text

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    @pytest.mark.parametrize("path", ["", "/inviter", "/invitation"])
    def test_only_administrators_come_in(self, group: Group, sign_in: SignIn, who: str, path: str) -> None:
        assert sign_in(getattr(group, who)).get(f"/admin/agents{path}").status_code == 403

    def test_many_agents_take_no_more_statements(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        with prepared():
            for number in range(40):
                people.agent(group.north.id, "billing", "documents", name=f"Agent {number}")
        browser = sign_in(group.director)
        with executed(app) as statements:
            browser.get("/admin/agents")
        assert len(statements) <= 12


class TestRights:
    def test_an_administrator_changes_the_rights_of_an_agent(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        path = f"/admin/agents/{group.clerk.id}/{group.north.finess}"
        page = browser.get(path).text
        assert re.search(r'value="preadmission" checked', page)
        answer = browser.post(path, data={"rights": ["billing", "documents"]})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/agents")
        assert rights_of(group.clerk) == {(str(group.north.id), right) for right in ("billing", "documents")}
        assert sorted(audited()) == ["right.granted", "right.granted", "right.withdrawn"]

    def test_the_change_is_felt_at_the_agents_next_page(self, group: Group, sign_in: SignIn) -> None:
        clerk, administrator = sign_in(group.clerk), sign_in(group.administrator)
        assert clerk.get("/admin/factures/").status_code == 403
        administrator.post(f"/admin/agents/{group.clerk.id}/{group.north.finess}", data={"rights": ["billing"]})
        assert clerk.get("/admin/factures/").status_code == 200
        administrator.post(f"/admin/agents/{group.clerk.id}/{group.north.finess}", data={})
        assert clerk.get("/admin/factures/").status_code == 403

    def test_another_hospital_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        path = f"/admin/agents/{group.clerk.id}/{group.south.finess}"
        browser = sign_in(group.administrator)
        assert browser.get(path).status_code == 404
        assert browser.post(path, data={"rights": ["billing"]}).status_code == 404
        assert rights_of(group.clerk) == {(str(group.north.id), "preadmission")}

    def test_an_agent_of_another_hospital_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            stranger = people.agent(group.south.id, "billing")
        browser = sign_in(group.administrator)
        for account_id in (stranger.id, uuid4()):
            assert browser.post(f"/admin/agents/{account_id}/{group.north.finess}", data={}).status_code == 404

    def test_the_last_administrator_stays(self, group: Group, sign_in: SignIn) -> None:
        director = sign_in(group.director)
        path = f"/admin/agents/{group.director.id}/{group.south.finess}"
        answer = director.post(f"{path}?lang=en", data={"rights": ["audit"]})
        assert answer.status_code == 422
        assert "Somebody must go on administering this hospital" in answer.text
        assert (str(group.south.id), "administration") in rights_of(group.director)

    def test_nobody_withdraws_their_own_last_administration_right(self, group: Group, sign_in: SignIn) -> None:
        path = f"/admin/agents/{group.administrator.id}/{group.north.finess}?lang=en"
        answer = sign_in(group.administrator).post(path, data={"rights": ["audit"]})
        assert answer.status_code == 422
        assert "your own last administration right" in answer.text

    @pytest.mark.parametrize("right", ["everything", "", "administration,billing"])
    def test_a_forged_right_is_refused(self, group: Group, sign_in: SignIn, right: str) -> None:
        path = f"/admin/agents/{group.clerk.id}/{group.north.finess}"
        assert sign_in(group.administrator).post(path, data={"rights": [right]}).status_code == 422
        assert rights_of(group.clerk) == {(str(group.north.id), "preadmission")}


class TestInvitations:
    FORM = {
        "email": "nina@hopital.test", "establishment": "990000017", "rights": ["billing", "documents"],
        "provider": "proconnect", "siret": "99900001100018",
    }  # fmt: skip

    def invited(self, browser: FlaskClient, **changed: object) -> str:
        """The page that follows an invitation."""
        data = self.FORM | {"once": str(uuid4())} | changed
        answer = browser.post("/admin/agents/inviter", data=data)
        assert answer.status_code == 303
        return browser.get(answer.headers["Location"] + "?lang=en").text

    def test_the_link_is_shown_once(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        page = self.invited(browser)
        link = re.search(r"http://127\.0\.0\.1/auth/proconnect/start\?invitation=([\w-]{43})", page)
        assert link
        again = browser.get("/admin/agents/invitation?lang=en").text
        assert link[1] not in again
        assert "This link was already shown" in again
        (invitation,) = rows(StaffInvitation)
        assert (invitation.rights, invitation.establishment_id) == (["billing", "documents"], group.north.id)

    def test_a_double_click_invites_once(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        data = self.FORM | {"once": str(uuid4())}
        answers = [browser.post("/admin/agents/inviter", data=data) for _time in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert len(rows(StaffInvitation)) == 1

    def test_invitations_under_way_are_listed_and_can_be_withdrawn(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        self.invited(browser)
        assert "nina@hopital.test" in browser.get("/admin/agents").text
        (invitation,) = rows(StaffInvitation)
        assert browser.post(f"/admin/agents/invitations/{invitation.id}/retirer").status_code == 303
        assert rows(StaffInvitation) == []
        assert browser.post(f"/admin/agents/invitations/{invitation.id}/retirer").status_code == 404

    def test_another_hospitals_invitation_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        self.invited(sign_in(group.director), establishment=group.south.finess)
        (invitation,) = rows(StaffInvitation)
        browser = sign_in(group.administrator)
        assert "nina@hopital.test" not in browser.get("/admin/agents").text
        assert browser.post(f"/admin/agents/invitations/{invitation.id}/retirer").status_code == 404
        assert len(rows(StaffInvitation)) == 1

    @pytest.mark.parametrize(
        "wrong",
        [{"email": ""}, {"email": "nina"}, {"email": "nina@hopital"}, {"rights": []}, {"rights": ["root"]},
         {"establishment": "990000025"}, {"establishment": "990000099"}],
    )  # fmt: skip
    def test_a_wrong_invitation_is_explained_and_makes_nothing(
        self, group: Group, sign_in: SignIn, wrong: dict[str, object]
    ) -> None:
        data = self.FORM | {"once": str(uuid4())} | wrong
        assert sign_in(group.administrator).post("/admin/agents/inviter", data=data).status_code == 422
        assert rows(StaffInvitation) == []
