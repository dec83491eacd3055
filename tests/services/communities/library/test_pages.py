"""The pages of a library: each role does what is theirs, and nobody sees what is not."""

import io
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db, jobs
from services.communities.library.models import LibraryCategory, LibraryDocument, LibraryText, LibraryVersion
from tests.english import in_english as in_english
from tests.factories import library
from tests.ground import audited, prepared, rows
from tests.services.communities.conftest import Group
from tests.services.communities.library import office
from tests.statements import executed

Browser = Callable[[str], FlaskClient]
Work = Callable[[], None]
NIR = "2 84 05 75 116 001 58"


def sent(text: str = "Peser chaque mois.", name: str = "protocole.docx", **more: object) -> dict[str, object]:
    data = office.docx(text) if name.endswith("docx") else text.encode()
    return {"kind": "document", "title": "Dénutrition", "language": "fr", "once": str(uuid4()), "category": "",
            "owner": "", "file": (io.BytesIO(data), name), **more}  # fmt: skip


@pytest.fixture
def deposit(group: Group, browser: Browser, work_jobs: Work) -> Callable[..., LibraryDocument]:
    def deposited(role: str = "contributor", **more: object) -> LibraryDocument:
        answer = browser(role).post(f"{group.address}/bibliotheque/deposer", data=sent(**more))
        assert answer.status_code == 303, answer.text[:3000]
        work_jobs()
        return rows(LibraryDocument)[-1]

    return deposited


def of(group: Group, document: LibraryDocument, rest: str = "") -> str:
    return f"{group.address}/bibliotheque/{document.id}{rest}"


class TestAName:
    @pytest.mark.parametrize("name", ["2840575116001 58.docx", "crh_2_84_05_75_116_001_58.docx"])
    def test_of_a_file_that_holds_a_number_of_a_patient_is_refused(
        self, group: Group, browser: Browser, name: str
    ) -> None:
        answer = browser("contributor").post(f"{group.address}/bibliotheque/deposer", data=sent(name=name))
        assert answer.status_code == 422
        assert "patient’s number" in answer.text
        assert rows(LibraryDocument) == []


def test_one_takes_away_what_one_deposited(
    group: Group, browser: Browser, deposit: Callable[..., LibraryDocument]
) -> None:
    deposit()
    mine = browser("contributor").get("/communautes/mes-ecrits.json").get_json()
    assert [each["title"] for each in mine["documents"]] == ["Dénutrition"]
    assert [each["number"] for each in mine["versions"]] == [1]
    others = browser("moderator").get("/communautes/mes-ecrits.json").get_json()
    assert others["documents"] == others["versions"] == []


class TestADocument:
    def test_is_deposited_read_found_and_downloaded(
        self, group: Group, browser: Browser, deposit: Callable[..., LibraryDocument]
    ) -> None:
        made = deposit()
        assert (made.state, made.current) == ("published", 1)
        member = browser("member")
        found = member.get(f"{group.address}/bibliotheque?q=peser")
        assert "Dénutrition" in found.text
        assert "<mark>Peser</mark>" in found.text
        page = member.get(of(group, made))
        assert "Found by its text" in page.text
        file = member.get(of(group, made, "/versions/1"))
        assert file.headers["Content-Disposition"].startswith("attachment")
        assert file.data[:2] == b"PK"
        assert "library_document.opened" in audited()

    def test_with_a_number_is_set_aside_and_people_are_told(
        self, group: Group, browser: Browser, deposit: Callable[..., LibraryDocument]
    ) -> None:
        made = deposit(text=f"Patient vu ce jour, {NIR}")
        assert (made.state, made.current) == ("draft", 0)
        assert rows(LibraryText)[0].verdict == "number"
        assert browser("member").get(of(group, made)).status_code == 404
        assert "a social security number" in browser("contributor").get(of(group, made)).text
        assert "Dénutrition" in browser("moderator").get(f"{group.address}/bibliotheque/a-verifier").text
        assert browser("moderator").post(of(group, made, "/publier")).status_code == 303
        assert rows(LibraryDocument)[0].state == "draft"
        assert "Dénutrition" not in browser("member").get(f"{group.address}/bibliotheque").text
        assert "library_document.set_aside" in audited()

    def test_with_a_doubt_waits_for_a_moderator(
        self, group: Group, browser: Browser, deposit: Callable[..., LibraryDocument], work_jobs: Work
    ) -> None:
        made = deposit(text="Madame X, née le 12/03/1950")
        assert rows(LibraryText)[0].verdict == "suspect"
        decision = of(group, made, "/versions/1/decision")
        assert browser("contributor").post(decision, data={"clear": "1"}).status_code == 403
        assert browser("moderator").post(decision, data={"clear": "1"}).status_code == 303
        work_jobs()
        assert rows(LibraryDocument)[0].state == "published"
        assert "Dénutrition" in browser("member").get(f"{group.address}/bibliotheque?q=denutrition").text

    def test_that_is_refused_stays_unseen(
        self, group: Group, browser: Browser, deposit: Callable[..., LibraryDocument]
    ) -> None:
        made = deposit(text="Madame X, née le 12/03/1950")
        browser("moderator").post(of(group, made, "/versions/1/decision"), data={"clear": "0"})
        assert rows(LibraryText)[0].verdict == "refused"
        assert browser("member").get(of(group, made)).status_code == 404

    def test_a_title_with_a_number_is_refused_and_the_file_is_kept(self, group: Group, browser: Browser) -> None:
        author = browser("contributor")
        answer = author.post(f"{group.address}/bibliotheque/deposer", data=sent(title=f"Cas {NIR}"))
        assert answer.status_code == 422
        assert "Your file is kept: protocole.docx" in answer.text
        kept = answer.text.split('name="received"')[1].split('value="')[1].split('"')[0]
        again = sent(received=kept)
        del again["file"]
        assert author.post(f"{group.address}/bibliotheque/deposer", data=again).status_code == 303
        assert len(rows(LibraryDocument)) == 1

    @pytest.mark.parametrize(
        ("name", "words"),
        [("macro.docm", "We take PDF"), ("virus.exe", "We take PDF"), ("faux.docx", "does not open")],
    )
    def test_a_file_that_is_not_taken_is_said(self, group: Group, browser: Browser, name: str, words: str) -> None:
        form = sent() | {"file": (io.BytesIO(b"PK\x03\x04 nothing"), name)}
        answer = browser("contributor").post(f"{group.address}/bibliotheque/deposer", data=form)
        assert answer.status_code == 422
        assert words in answer.text
        assert rows(LibraryDocument) == []

    def test_is_deposited_once(self, group: Group, browser: Browser) -> None:
        author, key = browser("contributor"), str(uuid4())
        for _turn in range(2):
            assert author.post(f"{group.address}/bibliotheque/deposer", data=sent(once=key)).status_code == 303
        assert len(rows(LibraryDocument)) == 1

    def test_a_draft_is_its_author_s_until_published(
        self, group: Group, browser: Browser, deposit: Callable[..., LibraryDocument]
    ) -> None:
        made = deposit(draft="1")
        assert made.state == "draft"
        assert browser("member").get(of(group, made)).status_code == 404
        assert "Dénutrition" in browser("contributor").get(f"{group.address}/bibliotheque/mes-documents").text
        browser("contributor").post(of(group, made, "/publier"))
        assert browser("member").get(of(group, made)).status_code == 200

    def test_a_link_has_no_file(self, group: Group, browser: Browser, deposit: Callable[..., LibraryDocument]) -> None:
        made = deposit(kind="link", url="https://www.example.org/guide", file=(io.BytesIO(b""), ""))
        assert "https://www.example.org/guide" in browser("member").get(of(group, made)).text
        refused = browser("contributor").post(
            f"{group.address}/bibliotheque/deposer", data=sent(kind="link", url="javascript:alert(1)")
        )
        assert refused.status_code == 422

    def test_is_withdrawn_with_a_reason_and_published_again(
        self, group: Group, browser: Browser, deposit: Callable[..., LibraryDocument], work_jobs: Work
    ) -> None:
        made = deposit()
        moderator = browser("moderator")
        answer = moderator.post(of(group, made, "/retirer"), data={"reason": "Dépassé", "once": str(uuid4())})
        assert answer.status_code == 303
        work_jobs()
        assert browser("member").get(of(group, made)).status_code == 404
        assert "Dénutrition" not in browser("member").get(f"{group.address}/bibliotheque?q=denutrition").text
        assert "Dépassé" in browser("contributor").get(of(group, made)).text
        moderator.post(of(group, made, "/publier"))
        assert browser("member").get(of(group, made)).status_code == 200


class TestVersions:
    def test_a_new_one_takes_the_place_and_the_former_stays_for_contributors(
        self, group: Group, browser: Browser, deposit: Callable[..., LibraryDocument], work_jobs: Work
    ) -> None:
        made = deposit()
        new = {"note": "Seuils revus", "once": str(uuid4()), "file": (io.BytesIO(office.docx("Albumine")), "v2.docx")}
        assert browser("contributor").post(of(group, made, "/nouvelle-version"), data=new).status_code == 303
        work_jobs()
        assert rows(LibraryDocument)[0].current == 2
        member = browser("member")
        assert "Dénutrition" in member.get(f"{group.address}/bibliotheque?q=albumine").text
        assert member.get(of(group, made, "/versions/1")).status_code == 404
        assert member.get(of(group, made, "/versions/2")).status_code == 200
        assert browser("moderator").get(of(group, made, "/versions/1")).status_code == 200
        assert "Seuils revus" in member.get(of(group, made)).text

    def test_one_with_a_number_leaves_the_former_in_place(
        self, group: Group, browser: Browser, deposit: Callable[..., LibraryDocument], work_jobs: Work
    ) -> None:
        made = deposit()
        new = {"once": str(uuid4()), "file": (io.BytesIO(office.docx(f"Vu {NIR}")), "v2.docx")}
        browser("contributor").post(of(group, made, "/nouvelle-version"), data=new)
        work_jobs()
        assert rows(LibraryDocument)[0].current == 1
        assert len(rows(LibraryVersion)) == 2
        assert browser("member").get(of(group, made, "/versions/2")).status_code == 404

    def test_the_text_is_read_once_whatever_the_queue_does(
        self, group: Group, deposit: Callable[..., LibraryDocument], work_jobs: Work
    ) -> None:
        deposit()
        version = rows(LibraryVersion)[0]
        with prepared():
            jobs.enqueue("library.read", version_id=str(version.id))
            jobs.enqueue("library.index", document_id=str(version.document_id))
            jobs.enqueue("library.read_versions", timestamp=0)
            jobs.enqueue("library.forget_words", timestamp=0)
        work_jobs()
        assert audited().count("library_document.deposited") == 1
        assert audited().count("library_document.set_aside") == 0


class TestProtocols:
    def test_are_approved_reviewed_and_printed(self, group: Group, browser: Browser) -> None:
        today = db.now().date()
        with prepared():
            made = library.document(
                group.seats["contributor"], "Chute", kind="protocol", review_by=today - timedelta(days=20)
            )
        assert "To be reviewed since" in browser("member").get(of(group, made)).text
        assert "Chute" in browser("member").get(f"{group.address}/bibliotheque/protocoles").text
        assert browser("contributor").post(of(group, made, "/approuver")).status_code == 403
        assert browser("moderator").post(of(group, made, "/approuver")).status_code == 303
        later = today + timedelta(days=400)
        day = {"next_on-day": later.day, "next_on-month": later.month, "next_on-year": later.year, "once": str(uuid4())}
        assert browser("member").post(of(group, made, "/revue"), data=day).status_code == 403
        assert browser("contributor").post(of(group, made, "/revue"), data=day).status_code == 303
        found = rows(LibraryDocument)[0]
        assert (found.review_by, found.approved_version) == (later, 1)
        cover = browser("member").get(of(group, made, "/couverture"))
        assert "Dr MODERATOR" in cover.text

    def test_a_review_until_a_past_day_is_refused(self, group: Group, browser: Browser) -> None:
        with prepared():
            made = library.document(group.seats["contributor"], "Chute", kind="protocol")
        day = {"next_on-day": 1, "next_on-month": 1, "next_on-year": 2001, "once": str(uuid4())}
        assert browser("contributor").post(of(group, made, "/revue"), data=day).status_code == 422

    def test_their_owners_are_told_before_and_after_once_each(self, group: Group, work_jobs: Work) -> None:
        today = db.now().date()
        with prepared():
            by = group.seats["contributor"]
            library.document(by, "Bientôt", kind="protocol", review_by=today + timedelta(days=15))
            library.document(by, "Trop tard", kind="protocol", review_by=today - timedelta(days=15))
            library.document(by, "Plus tard", kind="protocol", review_by=today + timedelta(days=200))
        for _turn in range(2):
            with prepared():
                jobs.enqueue("library.remind_reviews", timestamp=0)
            work_jobs()
        found = {
            each.title: (each.reminded_for is not None, each.late_for is not None) for each in rows(LibraryDocument)
        }
        assert found == {"Bientôt": (True, False), "Trop tard": (True, True), "Plus tard": (False, False)}


class TestCategories:
    def test_are_kept_by_animators(self, group: Group, browser: Browser) -> None:
        page = f"{group.address}/bibliotheque/categories"
        assert browser("moderator").get(page).status_code == 403
        animator = browser("animator")
        assert animator.post(page, data={"name": "Protocoles", "once": str(uuid4()), "parent": ""}).status_code == 303
        top = rows(LibraryCategory)[0]
        under = {"name": "Urgences", "parent": str(top.id), "once": str(uuid4())}
        assert animator.post(page, data=under).status_code == 303
        assert animator.post(page, data=under | {"once": str(uuid4())}).status_code == 409
        assert "Urgences" in animator.get(page).text
        animator.post(f"{page}/{top.id}", data={"gesture": "remove"})
        assert len(rows(LibraryCategory)) == 2
        animator.post(f"{page}/{top.id}", data={"name": "Conduites à tenir", "once": str(uuid4())})
        assert "Conduites à tenir" in {each.name for each in rows(LibraryCategory)}


class TestDoors:
    @pytest.mark.parametrize("rest", ["", "/deposer", "/protocoles", "/mes-documents", "/a-verifier", "/categories"])
    def test_a_stranger_finds_nothing_there(
        self, group: Group, sign_in: Callable[..., FlaskClient], client: FlaskClient, rest: str
    ) -> None:
        address = f"{group.address}/bibliotheque{rest}"
        assert sign_in(group.stranger).get(address).status_code == 404
        assert sign_in(group.administrator).get(address).status_code == 404
        assert client.get(address).status_code in (302, 303)

    def test_a_member_reads_and_does_not_write(self, group: Group, browser: Browser) -> None:
        with prepared():
            made = library.document(group.seats["contributor"], "Chute")
        member = browser("member")
        for rest in ("/deposer", "/mes-documents", "/a-verifier", "/categories"):
            assert member.get(f"{group.address}/bibliotheque{rest}").status_code == 403
        for rest in ("/modifier", "/nouvelle-version", "/retirer"):
            assert member.get(of(group, made, rest)).status_code == 403
        for rest in ("/publier", "/approuver"):
            assert member.post(of(group, made, rest)).status_code == 403

    def test_another_contributor_may_not_change_it(self, group: Group, browser: Browser) -> None:
        with prepared():
            made = library.document(group.seats["moderator"], "Chute")
        assert browser("contributor").get(of(group, made, "/modifier")).status_code == 403

    def test_a_document_of_another_community_is_not_there(self, group: Group, browser: Browser) -> None:
        from tests.factories import communities

        with prepared():
            other = communities.seat(communities.community(), group.stranger, role="contributor")
            made = library.document(other, "Chute")
        assert browser("animator").get(of(group, made)).status_code == 404
        assert browser("animator").get(of(group, made, "/versions/1")).status_code == 404

    @pytest.mark.parametrize(
        "query", ["page=-1", "page=999999", "category=x", "since=99999-1-1", "until=2026-13-01", "q=%00", "author=%27",
                  "kind=nope&sort=nope&late=2", "q=" + "a" * 2000]
    )  # fmt: skip
    def test_addresses_made_by_hand_are_answered(self, group: Group, browser: Browser, query: str) -> None:
        assert browser("member").get(f"{group.address}/bibliotheque?{query}").status_code == 200

    def test_few_statements(self, app: Flask, group: Group, browser: Browser) -> None:
        with prepared():
            for number in range(30):
                made = library.document(group.seats["contributor"], f"Chute {number}", "La chute.")
        member = browser("member")
        for address in (f"{group.address}/bibliotheque", f"{group.address}/bibliotheque?q=chute", of(group, made)):
            member.get(address)
            with executed(app) as seen:
                assert member.get(address).status_code == 200
            assert len(seen) <= 12, seen
