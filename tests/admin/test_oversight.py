"""The pages of those who watch over accesses: the chain, unusual accesses, reviews of rights, incidents, security."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account, StaffRight
from auth.oversight.models import AccessReview, IncidentStep, SecurityIncident, UnusualAccess
from portal import audit, db
from portal.audit import AuditVerification
from tests.admin.conftest import Group
from tests.conftest import Database
from tests.english import in_english as in_english
from tests.factories import people
from tests.ground import audited, prepared, rows
from tests.statements import executed
from tests.writers import all_sealed

pytestmark = pytest.mark.usefixtures("in_english")
SignIn = Callable[[Account], FlaskClient]
MONDAY = date(2026, 11, 16)


def posted(browser: FlaskClient, path: str, **fields: str) -> str:
    """The page that follows a form."""
    answer = browser.post(path, data=fields, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


class TestJournal:
    def test_by_whose_file_found_by_a_post(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            known, other = people.patient("CONNUE", ("JEANNE",)), people.patient("AUTRE", ("LUCIE",))
            for each in (known, other):
                people.known_at(each, group.north.id, ipp=f"IPP-{each.birth_name}")
                audit.record("document.opened", patient_id=each.id, establishment_id=group.north.id)
        auditor = sign_in(group.auditor)
        found = auditor.post(
            "/admin/journal/personne", data={"establishment": str(group.north.id), "ipp": "IPP-CONNUE"}
        )
        (path,) = re.findall(r'href="(/admin/journal\?patient=[^"]+)"', found.text)
        assert "CONNUE" not in path
        page = auditor.get(path).text
        assert "JEANNE CONNUE" in page
        assert "LUCIE AUTRE" not in page

    def test_by_agent_and_by_thing_over_a_year(self, group: Group, sign_in: SignIn) -> None:
        thing = uuid4()
        with db.transaction(people.as_agent(group.clerk, group.north.id, "preadmission")):
            audit.record(
                "preadmission.opened", establishment_id=group.north.id, object_kind="preadmission", object_id=thing
            )
        with prepared():
            audit.record("bill.opened", establishment_id=group.north.id)
        auditor = sign_in(group.auditor)
        for query in (f"agent={group.clerk.id}", f"object={thing}"):
            page = auditor.get(f"/admin/journal?{query}").text
            assert "preadmission.opened" in page
            assert "<td" in page
            assert ">bill.opened<" not in page
        assert "Acts of Clara Clerc" in auditor.get(f"/admin/journal?agent={group.clerk.id}").text
        assert auditor.get("/admin/journal?object=nonsense").status_code == 422

    def test_the_export_holds_the_search_and_leaves_a_trace(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            audit.record("document.opened", establishment_id=group.north.id, note="=cmd()")
            audit.record("document.opened", establishment_id=group.south.id)
        answer = sign_in(group.auditor).get("/admin/journal/export?action=document")
        lines = answer.get_data().decode("utf-8-sig").splitlines()
        assert len(lines) == 2
        assert "990000017" in lines[1]
        assert audited()[-1] == "journal.exported"

    def test_another_hospitals_agents_stay_there(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            audit.record(
                "document.opened", establishment_id=group.south.id, object_kind="document", object_id=UUID(int=9)
            )
        assert "document.opened<" not in sign_in(group.auditor).get(f"/admin/journal?object={UUID(int=9)}").text


class TestChain:
    def test_it_is_verified_when_one_asks(self, group: Group, sign_in: SignIn, work_jobs: Callable[[], None]) -> None:
        with prepared():
            audit.record("document.opened", establishment_id=group.north.id)
        all_sealed()
        auditor = sign_in(group.auditor)
        assert "was not verified yet" in auditor.get("/admin/journal/verification").text
        assert "is being verified" in posted(auditor, "/admin/journal/verification/lancer")
        work_jobs()
        page = auditor.get("/admin/journal/verification").text
        assert "The journal is intact" in page
        (kept,) = rows(AuditVerification)
        assert kept.asked_by == group.auditor.id
        assert kept.head.hex() in page

    def test_a_changed_part_is_shown_plainly(
        self, group: Group, sign_in: SignIn, work_jobs: Callable[[], None], database: Database
    ) -> None:
        with prepared():
            db.session.merge(group.auditor).email = "aude@hopital.test"
            audit.record("first.thing", establishment_id=group.north.id)
        all_sealed()
        with psycopg.connect(database.superuser_url) as above:
            above.execute("update audit_event set actor_name = 'somebody else' where action = 'first.thing'")
        auditor = sign_in(group.auditor)
        posted(auditor, "/admin/journal/verification/lancer")
        work_jobs()
        page = auditor.get("/admin/journal/verification").text
        assert "The journal was changed after it was sealed" in page
        assert "does not hold" in auditor.get("/admin/journal").text
        assert "does not hold" in auditor.get("/admin/veille-de-securite").text


class TestUnusual:
    def kept(self, group: Group, agent: Account, **facts: object) -> UUID:
        with prepared():
            found = UnusualAccess(
                **{"establishment_id": group.north.id, "week_on": MONDAY, "rule": "same_name", "account_id": agent.id,
                   "times": 2, "patient_ids": [uuid4()]} | facts
            )  # fmt: skip
            db.session.add(found)
            db.session.flush()
            return found.id

    def test_an_auditor_judges_it(self, group: Group, sign_in: SignIn) -> None:
        access_id, auditor = self.kept(group, group.clerk), sign_in(group.auditor)
        assert "Clara Clerc" in auditor.get("/admin/acces-inhabituels").text
        path = f"/admin/acces-inhabituels/{access_id}"
        assert auditor.post(path, data={"state": "explained", "comment": " "}).status_code == 422
        page = posted(auditor, path, state="explained", comment="They answer the switchboard.")
        assert "Explained" in page
        (found,) = rows(UnusualAccess)
        assert (found.state, found.reviewed_by) == ("explained", group.auditor.id)

    def test_not_their_own(self, group: Group, sign_in: SignIn) -> None:
        access_id = self.kept(group, group.auditor)
        path = f"/admin/acces-inhabituels/{access_id}"
        assert "another auditor judges it" in sign_in(group.auditor).get(path).text
        answer = sign_in(group.auditor).post(path, data={"state": "explained", "comment": "It was me."})
        assert answer.status_code == 403
        assert rows(UnusualAccess)[0].state == "to_review"

    def test_another_hospitals_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        access_id = self.kept(group, group.clerk, establishment_id=group.south.id)
        assert sign_in(group.auditor).get(f"/admin/acces-inhabituels/{access_id}").status_code == 404


class TestReviews:
    def test_from_its_opening_to_its_report(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        assert "No review yet" in browser.get("/admin/revues-des-droits").text
        page = posted(browser, f"/admin/revues-des-droits/ouvrir/{group.north.finess}")
        assert "Clara Clerc" in page
        (review,) = rows(AccessReview)
        path = f"/admin/revues-des-droits/{review.id}/{group.clerk.id}"
        assert browser.post(path, data={}).status_code == 422
        page = posted(browser, path, **{"right-preadmission": "remove"})
        assert "Withdrawn" in page
        assert not any(each.account_id == group.clerk.id for each in rows(StaffRight))
        report = browser.get(f"/admin/revues-des-droits/{review.id}/rapport").get_data().decode("utf-8-sig")
        assert "Clara Clerc;" in report
        page = posted(browser, f"/admin/revues-des-droits/{review.id}/clore")
        assert "Closed" in page

    def test_nobody_answers_for_themselves(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        posted(browser, f"/admin/revues-des-droits/ouvrir/{group.north.finess}")
        path = f"/admin/revues-des-droits/{rows(AccessReview)[0].id}/{group.administrator.id}"
        assert "your own rights" in browser.get(path).text
        assert browser.post(path, data={"right-administration": "keep"}).status_code == 403

    def test_another_hospital_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        posted(sign_in(group.director), f"/admin/revues-des-droits/ouvrir/{group.south.finess}")
        path = f"/admin/revues-des-droits/{rows(AccessReview)[0].id}"
        assert sign_in(group.administrator).get(path).status_code == 404
        answer = sign_in(group.administrator).post(f"/admin/revues-des-droits/ouvrir/{group.south.finess}")
        assert answer.status_code == 404


class TestIncidents:
    def report(self, group: Group, hours_ago: int = 2, **more: str) -> dict[str, str]:
        known = (db.now() - timedelta(hours=hours_ago)).astimezone(group.north.tz)
        return {
            "once": str(uuid4()),
            "establishment": group.north.finess, "kind": "sending", "title": "Letter sent to the wrong mailbox",
            "facts": "A letter of one patient went to another practitioner.", "risk": "some",
            "detected_at": known.strftime("%Y-%m-%dT%H:%M"), "people": "1",
        } | more  # fmt: skip

    def test_from_its_detection_to_its_end(self, group: Group, sign_in: SignIn) -> None:
        officer = sign_in(group.auditor)
        page = posted(officer, "/admin/incidents/ajouter", **self.report(group))
        assert "69 hours are left to tell the CNIL" in page
        (incident,) = rows(SecurityIncident)
        path = f"/admin/incidents/{incident.id}"
        refusal = officer.post(f"{path}/clore", data={"words": "Done."})
        assert refusal.status_code == 422
        page = posted(officer, path, kind="authority", words="Declaration 12.")
        assert "hours are left" not in page
        page = posted(officer, f"{path}/corriger", **self.report(group, risk="high", people="3"))
        assert "people: 1 → 3" in page
        assert officer.post(f"{path}/clore", data={"words": "Done."}).status_code == 422
        posted(officer, path, kind="people", words="By letter.")
        assert "Closed on" in posted(officer, f"{path}/clore", words="The address book was corrected.")
        assert [step.kind for step in rows(IncidentStep)] == ["opened", "authority", "revised", "people", "closed"]

    def test_the_hours_may_be_over(self, group: Group, sign_in: SignIn) -> None:
        page = posted(sign_in(group.auditor), "/admin/incidents/ajouter", **self.report(group, hours_ago=80))
        assert "The 72 hours to tell the CNIL are over" in page
        assert "are over" in sign_in(group.auditor).get("/admin/veille-de-securite").text

    @pytest.mark.parametrize("field", ["title", "facts", "risk", "detected_at"])
    def test_what_is_missing_is_told_and_the_rest_kept(self, group: Group, sign_in: SignIn, field: str) -> None:
        answer = sign_in(group.auditor).post("/admin/incidents/ajouter", data=self.report(group, **{field: ""}))
        assert answer.status_code == 422
        assert rows(SecurityIncident) == []

    def test_what_was_known_before_stays_in_the_steps(self, group: Group, sign_in: SignIn) -> None:
        officer = sign_in(group.auditor)
        posted(officer, "/admin/incidents/ajouter", **self.report(group, hours_ago=80))
        (incident,) = rows(SecurityIncident)
        posted(officer, f"/admin/incidents/{incident.id}/corriger", **self.report(group, title="Another title"))
        (words,) = [step.words for step in rows(IncidentStep) if step.kind == "revised"]
        assert "title: Letter sent to the wrong mailbox → Another title" in words
        (now,) = rows(SecurityIncident)
        moments = [each.detected_at.strftime("%Y-%m-%dT%H:%M+00:00") for each in (incident, now)]
        assert f"detected_at: {' → '.join(moments)}" in words

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59", "1999-01-01T10:00"])
    def test_a_moment_of_another_age_is_refused(self, group: Group, sign_in: SignIn, moment: str) -> None:
        typed = self.report(group, detected_at=moment)
        assert sign_in(group.auditor).post("/admin/incidents/ajouter", data=typed).status_code == 422

    def test_a_moment_to_come_is_refused(self, group: Group, sign_in: SignIn) -> None:
        answer = sign_in(group.auditor).post("/admin/incidents/ajouter", data=self.report(group, hours_ago=-5))
        assert answer.status_code == 422

    def test_another_hospital_sees_none_of_it(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        posted(sign_in(group.director), "/admin/incidents/ajouter",
               **self.report(group, establishment=group.south.finess))  # fmt: skip
        (incident,) = rows(SecurityIncident)
        assert sign_in(group.auditor).get(f"/admin/incidents/{incident.id}").status_code == 404
        for agent, place, right in (
            (group.auditor, group.north.id, "audit"),
            (group.director, group.south.id, "administration"),
        ):
            with db.transaction(people.as_agent(agent, place, right)) as current:
                assert current.query(SecurityIncident).count() == 0
                assert current.query(IncidentStep).count() == 0


class TestSecurity:
    def test_numbers_alone(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            audit.record("emergency.opened", establishment_id=group.north.id)
        page = sign_in(group.auditor).get("/admin/veille-de-securite").text
        assert "Administrators who prove it twice" in page
        assert "Adam" not in page

    @pytest.mark.parametrize(
        "path",
        [
            "/admin/veille-de-securite",
            "/admin/incidents",
            "/admin/acces-inhabituels",
            "/admin/journal/verification",
            "/admin/journal",
        ],
    )
    def test_a_page_takes_few_statements(self, app: Flask, group: Group, sign_in: SignIn, path: str) -> None:
        director = sign_in(group.director)
        director.get(path)
        with executed(app) as statements:
            assert director.get(path).status_code == 200
        assert len(statements) <= 12, statements
