"""Pages: what they say, what they cost, and what they do with strange input."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from auth.models import WebSession
from portal import db
from services.pieces.states import REFUSAL_REASONS
from services.pieces.wording import REASONS
from services.preadmission import actions, queries
from services.preadmission.answers import Identity, Relative
from services.preadmission.models import Preadmission
from services.preadmission.states import TransitionRefused
from services.preadmission.steps import STEPS
from tests.factories import hospitals
from tests.factories import preadmission as factory
from tests.services.preadmission.conftest import Ground
from tests.services.preadmission.filling import COVERAGE, IDENTITY, RELATIVE, once

MOST_STATEMENTS = 12
ASKED = ("situation", "identity", "doctor", "coverage", "relative", "choices")


def test_every_refusal_has_words_for_the_patient() -> None:
    assert set(REASONS) == set(REFUSAL_REASONS)


def test_a_patient_without_file_is_told_what_to_have_at_hand(ground: Ground, sign_in) -> None:
    assert "convocation" in sign_in(ground.account).get("/pre-admission?lang=en").text


def test_who_got_a_code_by_letter_finds_where_to_type_it(ground: Ground, sign_in) -> None:
    assert 'href="/pre-admission/invitation"' in sign_in(ground.account).get("/pre-admission").text


def test_who_changed_their_mind_finds_their_choices_from_the_file(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "validated")
    assert f'href="/pre-admission/{file.id}/choix"' in sign_in(ground.account).get(f"/pre-admission/{file.id}").text


def test_a_document_that_can_no_longer_be_sent_is_not_told_to_be_sent(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "submitted")
    shown = sign_in(ground.account).get(f"/pre-admission/{file.id}?lang=en").text
    assert "Not sent" in shown
    assert "To send" not in shown


@pytest.mark.parametrize("state", list(factory.PATHS))
def test_each_state_has_its_page(ground: Ground, sign_in, state: str) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, state)
    browser = sign_in(ground.account)
    for step in ("", "/sejour", "/pieces", "/verification", "/accuse-de-reception", "/annuler"):
        assert browser.get(f"/pre-admission/{file.id}{step}").status_code in (200, 303)


def test_no_page_takes_more_than_twelve_statements(ground: Ground, sign_in, statements) -> None:
    with db.transaction(db.system("tests")):
        draft = factory.preadmission(ground.patient, ground.hospital.unit)
        sent = [factory.preadmission(ground.patient, ground.hospital.unit, "submitted") for _ in range(8)]
        for file in sent:
            factory.put(factory.pieces_of(file)["identity"])
        piece = factory.pieces_of(draft)["identity"]
    mine = [f"/pre-admission/{draft.id}{step}" for step in (
        "", "/sejour", *(f"/etapes/{STEPS[code].slug}" for code in ASKED), "/pieces", "/verification", "/annuler",
        f"/pieces/{piece.id}")]  # fmt: skip
    mine += ["/pre-admission", "/pre-admission/nouvelle", f"/pre-admission/{sent[0].id}",
             f"/pre-admission/{sent[0].id}/accuse-de-reception"]  # fmt: skip
    browser = sign_in(ground.account)
    browser.get(mine[0])
    for url in mine:
        with statements() as seen:
            assert browser.get(url).status_code == 200, url
        assert len(seen) <= MOST_STATEMENTS, (url, seen)


def test_what_was_typed_survives_the_end_of_the_session(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit)
    page, browser = f"/pre-admission/{file.id}/etapes/identite", sign_in(ground.account)
    browser.get(page)
    with db.transaction(db.system("tests")) as current:
        current.execute(update(WebSession).values(expires_at=db.now() - timedelta(minutes=1)))
    answer = browser.post(page, data=IDENTITY)
    assert answer.status_code == 303
    assert answer.location.startswith("/connexion")
    again = sign_in(ground.account).get(page)
    assert "4 rue des Lilas" in again.text
    assert "06 39 98 00 01" in again.text
    with db.transaction(db.system("tests")) as current:
        assert "identity" not in queries.answers_of(file.id), "shown again, and saved only when it is posted"


def test_a_new_file_typed_as_the_session_ended_can_be_sent_after_signing_in_again(
    ground: Ground, sign_in, in_ten_days
) -> None:
    page, browser = "/pre-admission/nouvelle", sign_in(ground.account)
    typed = {"unit_id": str(ground.hospital.unit.id), "stay_kind": "maternity", **in_ten_days}
    with db.transaction(db.system("tests")) as current:
        current.execute(update(WebSession).values(expires_at=db.now() - timedelta(minutes=1)))
    browser.post(page, data=typed | {"once": str(uuid4())})
    again = sign_in(ground.account)
    shown = again.get(page)
    assert f'value="{in_ten_days["planned_on-year"]}"' in shown.text
    assert again.post(page, data=typed | {"once": once(shown.text)}).location.endswith("/etapes/situation")


def test_a_file_sent_twice_is_one_file_and_one_receipt(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.whole_draft(ground.patient, ground.hospital.unit)
    browser, page = sign_in(ground.account), f"/pre-admission/{file.id}/verification"
    key = once(browser.get(page).text)
    first, again = (browser.post(page, data={"once": key}) for _ in range(2))
    assert first.location == again.location == f"/pre-admission/{file.id}/accuse-de-reception"
    late = browser.post(page, data={"once": str(uuid4())})
    assert late.location == f"/pre-admission/{file.id}", "another tab, later: sent back to the file"
    assert events(file) == ["submitted"]


def test_a_draft_opened_twice_is_one_draft(ground: Ground, sign_in, in_ten_days) -> None:
    browser = sign_in(ground.account)
    data = {"once": str(uuid4()), "unit_id": str(ground.hospital.unit.id), "stay_kind": "day_case", **in_ten_days}
    first, again = (browser.post("/pre-admission/nouvelle", data=data) for _ in range(2))
    assert first.location == again.location
    with db.transaction(db.system("tests")) as current:
        assert current.scalar(select(func.count()).select_from(Preadmission)) == 1


def events(file: Preadmission) -> list[str]:
    """The states the file entered after its draft."""
    with db.transaction(db.system("tests")):
        return [row.to_state for row in reversed(queries.history(file.id))][1:]


@pytest.mark.parametrize(
    ("field", "value"),
    [("unit_id", ""), ("unit_id", "nonsense"), ("unit_id", "2e5b261d-a65e-4b0a-b812-2aa2e3892360"),
     ("stay_kind", "holiday"), ("planned_on-year", "2020"), ("planned_on-day", "99"), ("planned_on-month", "<script>")],
)  # fmt: skip
def test_a_strange_stay_is_refused(ground: Ground, sign_in, in_ten_days, field: str, value: str) -> None:
    stay = {"once": str(uuid4()), "unit_id": str(ground.hospital.unit.id), "stay_kind": "inpatient", **in_ten_days}
    answer = sign_in(ground.account).post("/pre-admission/nouvelle", data=stay | {field: value})
    assert answer.status_code == 422
    with db.transaction(db.system("tests")) as current:
        assert current.scalar(select(func.count()).select_from(Preadmission)) == 0


def test_a_hospital_that_closed_the_service_takes_no_file(ground: Ground, sign_in, in_ten_days) -> None:
    with db.transaction(db.system("tests")):
        closed = hospitals.hospital("990000033", "Hôpital fermé", open_services=("billing",))
    stay = {"once": str(uuid4()), "unit_id": str(closed.unit.id), "stay_kind": "inpatient", **in_ten_days}
    assert sign_in(ground.account).post("/pre-admission/nouvelle", data=stay).status_code == 422


@pytest.mark.parametrize(
    ("step", "answers", "words"),
    [
        ("identite", IDENTITY | {"phone": "call me"}, "telephone number"),
        ("identite", IDENTITY | {"email": "nowhere"}, "e-mail address"),
        ("identite", IDENTITY | {"street": ""}, "postal address"),
        ("prise-en-charge", COVERAGE | {"nir": "279035121518900"}, "does not exist"),
        ("prise-en-charge", COVERAGE | {"amc_kind": "private"}, "name of your mutuelle"),
        ("prise-en-charge", {}, "health insurance"),
        ("personne-a-prevenir", RELATIVE | {"link": ""}, "to you"),
    ],
)
def test_a_wrong_answer_is_told_and_not_saved(
    ground: Ground, sign_in, step: str, answers: dict[str, str], words: str
) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit)
    answer = sign_in(ground.account).post(f"/pre-admission/{file.id}/etapes/{step}?lang=en", data=answers)
    assert answer.status_code == 422
    assert words in answer.text
    with db.transaction(db.system("tests")):
        assert not queries.answers_of(file.id)


def test_a_corsican_number_is_right(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit)
    number = "180032A00400103"
    answers = COVERAGE | {"nir": number}
    assert (
        sign_in(ground.account).post(f"/pre-admission/{file.id}/etapes/prise-en-charge", data=answers).status_code
        == 303
    )


def test_what_is_typed_is_shown_as_text(ground: Ground, sign_in) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    with db.transaction(db.system("tests")):
        file = factory.preadmission(
            ground.patient,
            ground.hospital.unit,
            "submitted",
            answers=[Identity(street=nasty, used_name=nasty), Relative(name=nasty, link="friend", phone="0639980099")],
        )
    for browser, url in (
        (sign_in(ground.account), f"/pre-admission/{file.id}"),
        (sign_in(ground.clerk), f"/admin/pre-admissions/{file.id}"),
        (sign_in(ground.clerk), "/admin/pre-admissions"),
    ):
        assert nasty not in browser.get(url).text


def test_answers_do_not_change_once_sent(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "submitted")
        piece = factory.pieces_of(file)["identity"]
    browser = sign_in(ground.account)
    for step in ("sejour", "etapes/identite", "etapes/prise-en-charge", f"pieces/{piece.id}"):
        answer = browser.post(f"/pre-admission/{file.id}/{step}", data=IDENTITY | {"once": str(uuid4())})
        assert answer.location == f"/pre-admission/{file.id}"
    with db.transaction(db.system("tests")):
        identity = queries.answers_of(file.id)["identity"]
        assert identity.phone == "+33639980001"


def test_a_patient_cancels_and_the_desk_can_no_longer_accept(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "in_review")
        factory.settle(file)
    sign_in(ground.account).post(f"/pre-admission/{file.id}/annuler")
    with db.transaction(ground.as_clerk), pytest.raises(TransitionRefused):
        actions.validate(queries.one_at(frozenset({ground.hospital.establishment.id}), file.id))
    assert events(file)[-1] == "cancelled_by_patient"
