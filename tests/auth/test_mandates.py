"""Acting for somebody: asked for, checked, visible, bounded in time, taken back at once, and told to both."""

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth import sessions
from auth.mandates import actions, ages, jobs, queries
from auth.mandates.actions import Checked
from auth.mandates.facts import NotPossible, UnknownProxy
from auth.mandates.models import Mandate, MandateChange
from auth.models import Account, Patient, PatientAccess, WebSession
from portal import db
from portal.audit import AuditEvent
from portal.db import SCOPES, Actor
from portal.establishments import Establishment
from portal.notifications import Notification
from tests.factories import people
from tests.factories.hospitals import Hospital, hospital
from tests.factories.mandates import mandate, photo
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account | UUID], FlaskClient]
NOW = db.now()
TODAY = ages.today_in("Europe/Paris", NOW)


@pytest.fixture
def sign_in(sign_in: SignIn) -> SignIn:
    """A browser that reads English, whatever the catalogues hold."""

    def in_english(account: Account | UUID) -> FlaskClient:
        browser = sign_in(account)
        browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return browser

    return in_english


class Family:
    """A mother and her seven-year-old; a grandmother; an agent of the identity unit."""

    def __init__(self) -> None:
        self.hospital: Hospital = hospital()
        self.place: Establishment = self.hospital.establishment
        self.mother, self.herself = people.patient_with_account(birth_name="LORMEVAL", first_names=("Camille",))
        self.father, self.himself = people.patient_with_account(birth_name="DUPUIS", first_names=("Marc",))
        self.granny, self.old = people.patient_with_account(birth_name="VALMORIN", first_names=("Suzanne",),
                                                            birth_on=date(1944, 5, 17))  # fmt: skip
        for each, mail in ((self.mother, "camille"), (self.father, "marc"), (self.granny, "suzanne")):
            each.email = f"{mail}@exemple.test"
        self.child = people.patient("LORMEVAL", ("Zoé",), date(TODAY.year - 7, 3, 8))
        people.known_at(self.child, self.place.id, "8001")
        people.known_at(self.old, self.place.id, "8002")
        self.agent = people.agent(self.place.id, "identity", name="Irène Identité")


@pytest.fixture
def family(app: Flask) -> Family:
    with prepared():
        return Family()


def for_child(family: Family, **facts: object) -> Mandate:
    with prepared():
        return mandate(family.mother, family.child, establishment_id=family.place.id, **facts)  # type: ignore[arg-type]  # facts of any field


def day(prefix: str, value: date) -> dict[str, str]:
    return {f"{prefix}-day": str(value.day), f"{prefix}-month": str(value.month), f"{prefix}-year": str(value.year)}


def asking(family: Family, **answers: object) -> dict[str, object]:
    """What a parent posts."""
    born = answers.pop("born", family.child.birth_on)
    typed: dict[str, object] = {
        "once": str(uuid4()),
        "kind": "parent",
        "birth_name": "Lormeval",
        "first_names": "Zoe",
        "proof_kind": "family_book",
        "establishment": str(family.place.id),
        "file": (BytesIO(photo()), "livret.png"),
    }
    return typed | day("birth_on", born) | answers  # type: ignore[arg-type]  # answers of any field


def send(browser: FlaskClient, path: str, data: dict[str, object]) -> object:
    return browser.post(path, data=data, content_type="multipart/form-data")


def mails() -> list[tuple[str, str]]:
    return [(each.recipient, each.subject) for each in rows(Notification)]


def one(model: type[Mandate] = Mandate) -> Mandate:
    return rows(model)[-1]


def acts_for(browser: FlaskClient, person: Patient) -> bool:
    return browser.post("/mon-compte/mandats/agir", data={"patient_id": str(person.id)}).status_code == 303


class TestAParent:
    def test_asks_and_nothing_is_shown_before_an_agent_has_checked(self, family: Family, sign_in: SignIn) -> None:
        browser = sign_in(family.mother)
        answer = send(browser, "/mon-compte/mandats/enfant", asking(family))
        assert answer.status_code == 303, answer.text  # type: ignore[attr-defined]  # what a browser answers
        asked = one()
        assert (asked.state, asked.patient_id, asked.person) == ("requested", None, "Zoe Lormeval")
        assert not acts_for(browser, family.child)
        page = browser.get("/mon-compte/mandats").text
        assert "Zoe Lormeval" in page
        assert "Waiting for the hospital" in page
        assert audited()[-1] == "mandate.requested"

    def test_gets_the_same_answer_whether_the_hospital_knows_the_child_or_not(
        self, family: Family, sign_in: SignIn
    ) -> None:
        browser = sign_in(family.mother)
        answers = [
            send(browser, "/mon-compte/mandats/enfant", asking(family, birth_name=name))
            for name in ("LORMEVAL", "NOBODY")
        ]
        assert len({(each.status_code, each.headers["Location"]) for each in answers}) == 1  # type: ignore[attr-defined]  # what a browser answers
        assert {each.patient_id for each in rows(Mandate)} == {None}

    @pytest.mark.parametrize(
        ("answers", "told"),
        [
            ({"birth_name": " "}, "Write the birth name"),
            ({"proof_kind": "a letter"}, ""),
            ({"file": (BytesIO(b"hello"), "x.exe")}, "This file cannot be used"),
            ({"born": date(TODAY.year - 19, 1, 1)}, "This person is of age"),
            ({"born": TODAY + timedelta(days=3)}, "in the future"),
            ({"kind": "guardian"}, ""),
            ({"birth_name": "x" * 200}, ""),
        ],
    )
    def test_is_told_what_to_correct(
        self, family: Family, sign_in: SignIn, answers: dict[str, object], told: str
    ) -> None:
        answer = send(sign_in(family.mother), "/mon-compte/mandats/enfant", asking(family, **answers))
        assert answer.status_code == 422  # type: ignore[attr-defined]  # what a browser answers
        assert told in answer.text  # type: ignore[attr-defined]  # what a browser answers
        assert not rows(Mandate)

    def test_keeps_the_file_when_something_else_was_wrong(self, family: Family, sign_in: SignIn) -> None:
        browser = sign_in(family.mother)
        first = send(browser, "/mon-compte/mandats/enfant", asking(family, first_names=""))
        kept = first.text.split('name="received"')[1].split('value="')[1].split('"')[0]  # type: ignore[attr-defined]  # what a browser answers
        again = asking(family, received=kept)
        del again["file"]
        assert send(browser, "/mon-compte/mandats/enfant", again).status_code == 303  # type: ignore[attr-defined]  # what a browser answers

    def test_cannot_bury_the_identity_unit_under_requests(self, family: Family, sign_in: SignIn) -> None:
        browser = sign_in(family.mother)
        codes = [
            send(browser, "/mon-compte/mandats/enfant", asking(family)).status_code  # type: ignore[attr-defined]  # what a browser answers
            for _ in range(6)
        ]
        assert codes == [303] * 5 + [422]

    def test_posts_twice_and_asks_once(self, family: Family, sign_in: SignIn) -> None:
        browser, key = sign_in(family.mother), str(uuid4())
        for _ in range(2):
            send(browser, "/mon-compte/mandats/enfant", asking(family, once=key))
        assert len(rows(Mandate)) == 1

    def test_withdraws_a_request(self, family: Family, sign_in: SignIn) -> None:
        browser = sign_in(family.mother)
        send(browser, "/mon-compte/mandats/enfant", asking(family))
        browser.post(f"/mon-compte/mandats/{one().id}/arreter", data={"once": str(uuid4())})
        assert one().state == "withdrawn"

    def test_acts_until_the_midnight_of_majority_even_in_an_open_session(self, family: Family, sign_in: SignIn) -> None:
        for_child(family)
        browser = sign_in(family.mother)
        assert acts_for(browser, family.child)
        assert "Zoé LORMEVAL" in browser.get("/rendez-vous").text
        with prepared():
            db.session.execute(
                update(PatientAccess)
                .where(PatientAccess.relation == "parent")
                .values(ends_on=TODAY - timedelta(days=1))
            )
        answer = browser.get("/rendez-vous")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/mon-compte/mandats/terminee")

    def test_mandate_ends_on_the_eve_of_the_eighteenth_birthday(self, family: Family) -> None:
        with prepared():
            actions.push(
                "parent",
                family.herself.id,
                family.place.id,
                Checked(family.child.id, frozenset(SCOPES), ends_on=date(2090, 1, 1)),
            )
        (given,) = [each for each in rows(PatientAccess) if each.relation == "parent"]
        assert given.ends_on == ages.last_day_of_minority(family.child.birth_on)


class TestAHospitalThatPushes:
    def test_makes_a_parent_act_at_once_and_tells_them(self, family: Family, sign_in: SignIn) -> None:
        with prepared():
            actions.push("parent", family.herself.id, family.place.id, Checked(family.child.id, frozenset(SCOPES)))
        assert acts_for(sign_in(family.mother), family.child)
        assert mails() == [("camille@exemple.test", "Vous pouvez maintenant agir pour quelqu’un")] or len(mails()) == 1
        assert "mandate.pushed" in audited()

    def test_is_refused_for_somebody_without_an_account_or_a_patient_it_does_not_know(self, family: Family) -> None:
        with prepared():
            stranger = people.patient("INCONNU", ("Ana",), date(TODAY.year - 3, 1, 1))
            with pytest.raises(UnknownProxy):
                actions.push("parent", family.child.id, family.place.id, Checked(family.child.id, frozenset(SCOPES)))
            with pytest.raises(NotPossible):
                actions.push("parent", family.herself.id, family.place.id, Checked(stranger.id, frozenset(SCOPES)))


class TestBothParents:
    def test_must_agree_to_an_operation(self, family: Family) -> None:
        for_child(family)
        with prepared():
            mandate(family.father, family.child, establishment_id=family.place.id)
        with prepared():
            both = {each.account_id for each in queries.holders(family.child.id)}
            assert both == {family.mother.id, family.father.id}
            assert queries.signatures_missing(family.child.id, "surgery", {family.mother.id}) == 1
            assert queries.signatures_missing(family.child.id, "surgery", both) == 0
            assert queries.signatures_missing(family.child.id, "appointment", {family.mother.id}) == 0
            assert queries.needs_both("an act that nobody listed")

    def test_a_second_parent_without_an_account_signs_on_paper(self, family: Family) -> None:
        for_child(family)
        with prepared():
            assert queries.signatures_missing(family.child.id, "anaesthesia", {family.mother.id}) == 1

    def test_sole_authority_is_enough_alone(self, family: Family) -> None:
        for_child(family, sole_authority=True)
        with prepared():
            assert queries.signatures_missing(family.child.id, "surgery", {family.mother.id}) == 0

    def test_are_told_to_a_parent_who_asks_and_not_to_strangers_by_the_table(self, family: Family) -> None:
        """A room asks `holders` while one parent signs: it names both, though the mandates of one are not the other's
        to read."""
        for_child(family)
        with prepared():
            mandate(family.father, family.child, establishment_id=family.place.id)
        with db.transaction(proxy(family.mother, family.herself, family.child)):
            assert len(queries.holders(family.child.id)) == 2
            assert db.session.scalars(select(Mandate.account_id)).all() == [family.mother.id]


def proxy(own: Account, herself: Patient, *others: Patient, scopes: tuple[str, ...] = SCOPES) -> Actor:
    """Somebody signed in as themselves who acts for others too, in these matters."""
    them = frozenset(each.id for each in others)
    reached = {scope: frozenset({herself.id}) | (them if scope in scopes else frozenset()) for scope in SCOPES}
    return Actor("patient", own.name, own.id, patients=them | {herself.id}, proxied=them, scopes=reached)


class TestAGuardian:
    def guardian(self, family: Family, ends_on: date, **facts: object) -> Mandate:
        with prepared():
            return mandate(
                family.father,
                family.old,
                "guardian",
                establishment_id=family.place.id,
                ends_on=ends_on,
                **facts,  # type: ignore[arg-type]  # facts of any field
            )

    def test_asks_with_the_date_and_the_end_of_the_judgement(self, family: Family, sign_in: SignIn) -> None:
        browser = sign_in(family.father)
        typed = asking(family, kind="guardian", proof_kind="judgement", born=family.old.birth_on)
        refused = send(browser, "/mon-compte/mandats/majeur-protege", dict(typed))
        assert refused.status_code == 422  # type: ignore[attr-defined]  # what a browser answers
        assert "a measure always has one" in refused.text  # type: ignore[attr-defined]  # what a browser answers
        whole = asking(family, kind="guardian", proof_kind="judgement", born=family.old.birth_on)
        whole |= day("judged_on", date(2024, 2, 1)) | day("ends_on", TODAY + timedelta(days=400))
        assert send(browser, "/mon-compte/mandats/majeur-protege", whole).status_code == 303  # type: ignore[attr-defined]  # what a browser answers
        assert one().asked_ends_on == TODAY + timedelta(days=400)

    def test_acts_on_the_last_day_and_no_longer_the_next(self, family: Family, sign_in: SignIn) -> None:
        self.guardian(family, TODAY)
        browser = sign_in(family.father)
        assert acts_for(browser, family.old)
        assert browser.get("/documents").status_code == 200
        with prepared():
            for table in (PatientAccess, Mandate):
                db.session.execute(
                    update(table).where(table.ends_on == TODAY).values(ends_on=TODAY - timedelta(days=1))  # type: ignore[attr-defined]  # both tables have it
                )
        answer = browser.get("/documents", follow_redirects=True)
        assert answer.status_code == 403
        assert "Your mandate for Suzanne VALMORIN ended on" in answer.text
        assert "renewed judgement" in answer.text

    def test_of_an_expired_judgement_reads_what_to_bring_in_their_account(
        self, family: Family, sign_in: SignIn
    ) -> None:
        self.guardian(family, TODAY - timedelta(days=4), state="expired")
        page = sign_in(family.father).get("/mon-compte/mandats").text
        assert "Your mandate for Suzanne VALMORIN ended on" in page
        assert "Send the renewed judgement" in page

    def test_is_warned_thirty_days_ahead_once_and_so_is_the_person(self, family: Family) -> None:
        self.guardian(family, TODAY + timedelta(days=30))
        for _ in range(2):
            jobs.follow()
        assert sorted(to for to, _subject in mails()) == ["marc@exemple.test", "suzanne@exemple.test"]

    def test_is_not_warned_earlier(self, family: Family) -> None:
        self.guardian(family, TODAY + timedelta(days=33))
        jobs.follow()
        assert mails() == []

    def test_is_closed_by_the_clock_after_the_last_day(self, family: Family) -> None:
        self.guardian(family, TODAY - timedelta(days=2))
        for _ in range(2):
            jobs.follow()
        assert one().state == "expired"
        assert len(mails()) == 2
        assert audited().count("mandate.expired") == 1

    def test_lives_by_the_clock_of_the_hospital_that_checked(self, family: Family, sign_in: SignIn) -> None:
        """In Wallis (UTC+12) the day is over hours before it is in Tahiti (UTC-10)."""
        there = {zone: ages.today_in(zone, db.now()) for zone in ("Pacific/Wallis", "Pacific/Tahiti")}
        with prepared():
            near = people.patient("PROCHE", ("Ana",), date(1980, 1, 1))
            mandate(family.father, family.old, "guardian", establishment_id=family.place.id,
                    ends_on=there["Pacific/Wallis"] - timedelta(days=1), time_zone="Pacific/Wallis")  # fmt: skip
            mandate(family.father, near, "guardian", establishment_id=family.place.id,
                    ends_on=there["Pacific/Tahiti"], time_zone="Pacific/Tahiti")  # fmt: skip
        browser = sign_in(family.father)
        assert not acts_for(browser, family.old)
        assert acts_for(browser, near)


class TestAYoungPerson:
    def test_of_sixteen_is_told_of_to_the_parent_once(self, family: Family, sign_in: SignIn) -> None:
        with prepared():
            db.session.get_one(Patient, family.child.id).birth_on = date(TODAY.year - 16, TODAY.month, 1)
        given = for_child(family, ends_on=TODAY + timedelta(days=500))
        for _ in range(2):
            jobs.follow()
        assert len(mails()) == 1
        page = sign_in(family.mother).get(f"/mon-compte/mandats/{given.id}").text
        assert "they may sign in themselves" in page

    def test_of_fifteen_is_not(self, family: Family) -> None:
        with prepared():
            db.session.get_one(Patient, family.child.id).birth_on = ages.reaches(TODAY, -16) + timedelta(days=2)
        for_child(family, ends_on=TODAY + timedelta(days=500))
        jobs.follow()
        assert mails() == []

    def test_who_comes_of_age_is_closed_and_both_are_told(self, family: Family) -> None:
        with prepared():
            own = people.account(name="Zoé LORMEVAL", email="zoe@exemple.test")
            people.give_access(own, family.child)
        for_child(family, ends_on=TODAY - timedelta(days=2))
        jobs.follow()
        assert one().state == "ended"
        assert sorted(to for to, _subject in mails()) == ["camille@exemple.test", "zoe@exemple.test"]
        assert [each.reason for each in rows(MandateChange)][-1] == "majority"


class TestACarer:
    """Suzanne designates Camille LORMEVAL."""

    def offer(self, family: Family, sign_in: SignIn, **answers: object) -> tuple[FlaskClient, str]:
        browser = sign_in(family.granny)
        typed: dict[str, object] = {
            "once": str(uuid4()),
            "carer_name": "Lormeval",
            "scopes": ["administrative", "payment"],
        }
        last = answers.pop("last", TODAY + timedelta(days=300))
        answer = browser.post("/mon-compte/mandats/designer", data=typed | day("ends_on", last) | answers)  # type: ignore[arg-type]  # answers of any field
        if answer.status_code != 303:
            return browser, answer.text
        page = browser.get(answer.headers["Location"]).text
        return browser, page.split("<strong")[1].split(">")[1].split("<")[0].strip()

    def accept(self, browser: FlaskClient, code: str) -> object:
        return browser.post("/mon-compte/mandats/code/accepter", data={"once": str(uuid4()), "code": code})

    def test_gets_a_code_and_acts_as_far_as_the_adult_said(self, family: Family, sign_in: SignIn) -> None:
        _granny, code = self.offer(family, sign_in)
        carer = sign_in(family.mother)
        shown = carer.post("/mon-compte/mandats/code", data={"once": str(uuid4()), "code": code.lower()})
        assert "Act for Suzanne VALMORIN?" in shown.text
        assert self.accept(carer, code).status_code == 303  # type: ignore[attr-defined]  # what a browser answers
        assert acts_for(carer, family.old)
        assert carer.get("/factures").status_code == 200
        assert carer.get("/rendez-vous").status_code == 200
        beyond = carer.get("/documents")
        assert beyond.status_code == 403
        assert "Your mandate does not cover this" in beyond.text
        assert sorted(to for to, _subject in mails()) == ["camille@exemple.test", "suzanne@exemple.test"]

    def test_code_is_shown_once_and_kept_nowhere(self, family: Family, sign_in: SignIn) -> None:
        browser, code = self.offer(family, sign_in)
        assert code not in browser.get("/mon-compte/mandats/designer/code").text
        kept = one()
        assert code.replace(" ", "").encode() not in (kept.code_digest or b"")

    def test_code_serves_once(self, family: Family, sign_in: SignIn) -> None:
        _granny, code = self.offer(family, sign_in)
        carer = sign_in(family.mother)
        self.accept(carer, code)
        assert self.accept(carer, code).status_code == 422  # type: ignore[attr-defined]  # what a browser answers

    @pytest.mark.parametrize("who", ["father", "granny"])
    def test_code_opens_to_the_person_it_names_and_to_nobody_else(
        self, family: Family, sign_in: SignIn, who: str
    ) -> None:
        _granny, code = self.offer(family, sign_in)
        other = sign_in(getattr(family, who))
        answer = other.post("/mon-compte/mandats/code", data={"once": str(uuid4()), "code": code})
        assert answer.status_code == 422
        assert "does not open anything for you" in answer.text
        assert "Suzanne" not in answer.text.split("<main")[1]
        assert self.accept(other, code).status_code == 422  # type: ignore[attr-defined]  # what a browser answers

    def test_code_is_worth_nothing_after_a_week(self, family: Family, sign_in: SignIn) -> None:
        _granny, code = self.offer(family, sign_in)
        with prepared():
            db.session.execute(update(Mandate).values(code_expires_at=db.now() - timedelta(seconds=1)))
        assert self.accept(sign_in(family.mother), code).status_code == 422  # type: ignore[attr-defined]  # what a browser answers
        jobs.follow()
        assert one().state == "lapsed"

    def test_cannot_guess_codes(self, family: Family, sign_in: SignIn) -> None:
        _granny, code = self.offer(family, sign_in)
        carer = sign_in(family.mother)
        for _ in range(10):
            carer.post("/mon-compte/mandats/code", data={"code": "BBBBBBBBBB"})
        answer = self.accept(carer, code)
        assert "Too many attempts" in answer.text  # type: ignore[attr-defined]  # what a browser answers

    @pytest.mark.parametrize(
        ("answers", "told"),
        [
            ({"scopes": []}, "Tick at least one box"),
            ({"last": TODAY + timedelta(days=400)}, "One year at most"),
            ({"last": TODAY - timedelta(days=2)}, "This day is past"),
            ({"carer_name": ""}, "Write their family name"),
        ],
    )
    def test_designation_is_bounded(
        self, family: Family, sign_in: SignIn, answers: dict[str, object], told: str
    ) -> None:
        assert told in self.offer(family, sign_in, **answers)[1]
        assert not rows(Mandate)

    def test_is_stopped_by_the_adult_at_once_even_in_an_open_window(self, family: Family, sign_in: SignIn) -> None:
        granny, code = self.offer(family, sign_in)
        carer = sign_in(family.mother)
        self.accept(carer, code)
        acts_for(carer, family.old)
        assert carer.get("/factures").status_code == 200
        granny.post(f"/mon-compte/mandats/{one().id}/arreter", data={"once": str(uuid4())})
        answer = carer.get("/factures", follow_redirects=True)
        assert answer.status_code == 403
        assert "was taken back" in answer.text
        assert one().state == "revoked"
        carer.post("/mon-compte/mandats/moi-meme")
        assert carer.get("/factures").status_code == 200

    def test_never_sends_in_their_own_name_what_was_typed_for_the_adult(self, family: Family, sign_in: SignIn) -> None:
        granny, code = self.offer(family, sign_in)
        carer = sign_in(family.mother)
        self.accept(carer, code)
        acts_for(carer, family.old)
        granny.post(f"/mon-compte/mandats/{one().id}/arreter", data={"once": str(uuid4())})
        answer = carer.post("/pre-admission/nouvelle", data={"once": str(uuid4())})
        assert answer.headers["Location"] == "/mon-compte/mandats/terminee"

    def test_gives_up(self, family: Family, sign_in: SignIn) -> None:
        _granny, code = self.offer(family, sign_in)
        carer = sign_in(family.mother)
        self.accept(carer, code)
        carer.post(f"/mon-compte/mandats/{one().id}/arreter", data={"once": str(uuid4())})
        assert one().state == "given_up"
        assert not acts_for(carer, family.old)

    def test_is_renewed_for_a_year_at_most(self, family: Family, sign_in: SignIn) -> None:
        granny, code = self.offer(family, sign_in, last=TODAY + timedelta(days=5))
        self.accept(sign_in(family.mother), code)
        path = f"/mon-compte/mandats/{one().id}/prolonger"
        too_long = granny.post(path, data={"once": str(uuid4())} | day("ends_on", TODAY + timedelta(days=500)))
        assert too_long.status_code == 422
        last = ages.a_year_from(TODAY)
        assert granny.post(path, data={"once": str(uuid4())} | day("ends_on", last)).status_code == 303
        (given,) = [each for each in rows(PatientAccess) if each.relation == "carer"]
        assert given.ends_on == one().ends_on == last

    def test_may_not_renew_themselves(self, family: Family, sign_in: SignIn) -> None:
        _granny, code = self.offer(family, sign_in)
        carer = sign_in(family.mother)
        self.accept(carer, code)
        data = {"once": str(uuid4())} | day("ends_on", ages.a_year_from(TODAY))
        assert carer.post(f"/mon-compte/mandats/{one().id}/prolonger", data=data).status_code == 404

    def test_is_designated_by_adults_alone(self, family: Family, sign_in: SignIn) -> None:
        with prepared():
            own = people.account(name="Zoé LORMEVAL")
            people.give_access(own, family.child)
        data = {"once": str(uuid4()), "carer_name": "X", "scopes": ["payment"]} | day("ends_on", TODAY)
        assert sign_in(own).post("/mon-compte/mandats/designer", data=data).status_code == 404


class TestTheBand:
    def test_says_for_whom_on_every_page_and_leads_back(self, family: Family, sign_in: SignIn) -> None:
        for_child(family)
        browser = sign_in(family.mother)
        assert "You are acting for" not in browser.get("/mon-compte").text
        acts_for(browser, family.child)
        for path in ("/", "/rendez-vous", "/factures", "/documents", "/pre-admission", "/mon-compte", "/nowhere"):
            assert "You are acting for Zoé LORMEVAL" in browser.get(path).text, path
        browser.post("/mon-compte/mandats/moi-meme")
        browser.get("/")
        assert "You are acting for" not in browser.get("/rendez-vous").text

    def test_audit_keeps_both_the_person_and_who_acted(self, family: Family, sign_in: SignIn) -> None:
        for_child(family)
        acts_for(sign_in(family.mother), family.child)
        line = rows(AuditEvent)[-1]
        assert (line.action, line.patient_id) == ("person.chosen", family.child.id)
        assert line.actor == f"patient:{family.mother.id}"

    def test_nobody_is_chosen_whom_one_may_not_act_for(self, family: Family, sign_in: SignIn) -> None:
        browser = sign_in(family.mother)
        for wanted in (str(family.old.id), str(uuid4()), "", "x"):
            assert browser.post("/mon-compte/mandats/agir", data={"patient_id": wanted}).status_code == 404

    def test_an_account_with_nobody_left_reads_a_friendly_page(self, family: Family, sign_in: SignIn) -> None:
        with prepared():
            lonely = people.account(name="Personne")
        browser = sign_in(lonely)
        answer = browser.get("/rendez-vous", follow_redirects=True)
        assert answer.status_code == 200
        assert "There is nobody you may act for" in answer.text
        assert browser.get("/mon-compte/mandats").status_code == 200


class TestADeath:
    def test_ends_every_mandate_of_the_person_both_ways(self, family: Family) -> None:
        for_child(family)
        with prepared():
            mandate(family.granny, family.herself, "carer")
            assert actions.end_all(family.herself.id, "death") == 2
        assert {each.state for each in rows(Mandate)} == {"ended"}
        assert all(each.revoked_at for each in rows(PatientAccess) if each.relation != "self")
        assert mails() == []


class TestPages:
    PATHS = ("", "/agir", "/enfant", "/majeur-protege", "/designer", "/designer/code", "/code")

    def test_cost_few_statements(self, app: Flask, family: Family, sign_in: SignIn) -> None:
        for_child(family)
        browser = sign_in(family.mother)
        acts_for(browser, family.child)
        for path in self.PATHS:
            with executed(app) as statements:
                assert browser.get(f"/mon-compte/mandats{path}").status_code == 200, path
            assert len(statements) <= 12, path

    def test_of_somebody_else_do_not_exist(self, family: Family, sign_in: SignIn) -> None:
        given = for_child(family)
        stranger = sign_in(family.father)
        for path in ("", "/arreter", "/prolonger"):
            assert stranger.get(f"/mon-compte/mandats/{given.id}{path}").status_code == 404

    def test_a_child_does_not_take_their_parent_s_right_away(self, family: Family, sign_in: SignIn) -> None:
        given = for_child(family)
        with prepared():
            own = people.account(name="Zoé LORMEVAL")
            people.give_access(own, family.child)
        browser = sign_in(own)
        assert "Camille LORMEVAL" in browser.get("/mon-compte/mandats").text
        answer = browser.post(f"/mon-compte/mandats/{given.id}/arreter", data={"once": str(uuid4())})
        assert answer.status_code == 404
        assert one().state == "active"


def test_sessions_forget_nothing_of_whom_they_acted_for(family: Family, sign_in: SignIn) -> None:
    """The row still names the person: that is how the page that says "it ended" knows of whom."""
    for_child(family)
    browser = sign_in(family.mother)
    acts_for(browser, family.child)
    assert [each.patient_id for each in rows(WebSession)] == [family.child.id]
    assert sessions.LIMITS
