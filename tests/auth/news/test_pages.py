"""Practitioners and agents read what is new, choose how they are told, and prove a professional box."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from auth.models import Account
from auth.news import boxes
from auth.news.models import News, NewsBox, NewsChoice, NewsHours
from portal import db
from portal.gateways.mail.twin import MailTwin
from tests.auth.news.conftest import Ground
from tests.english import in_english as in_english
from tests.factories import news as made
from tests.factories import people
from tests.ground import audited, prepared, rows

SignIn = Callable[[object], FlaskClient]
CHOICES = "/mon-compte/nouvelles"
WANTED = {
    "messages_mail": "daily", "referrals_mail": "at_once", "callbacks_mail": "never", "appointments_mail": "never",
    "communities_mail": "hourly", "quiet_from": "19", "quiet_until": "8", "daily_at": "12", "weekends": "y",
    "time_zone": "Indian/Reunion",
}  # fmt: skip


@pytest.fixture
def doctor(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.doctor)


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


# -- what is new ---------------------------------------------------------------------------------------------------


def test_news_of_one_page_are_one_line_and_all_may_be_marked_read(ground: Ground, doctor: FlaskClient) -> None:
    with prepared():
        for _each in range(3):
            made.news(ground.doctor, path="/pro/echanges/1")
        made.news(ground.doctor, "callbacks", "/pro/lignes-directes", urgent=True)
        made.news(ground.other, path="/pro/echanges/9")
    page = doctor.get("/nouvelles").text
    assert "3 new messages" in page
    assert page.index("1 request to call back") < page.index("3 new messages"), "urgent first"
    assert "/pro/echanges/9" not in page
    assert doctor.post("/nouvelles/tout-lu").status_code == 303
    assert "Nothing new" in doctor.get("/nouvelles").text
    assert [line.account_id for line in rows(News) if line.read_at is None] == [ground.other]


def test_the_home_shows_five_and_leads_to_the_others(
    ground: Ground, doctor: FlaskClient, statements: Callable[[], Any]
) -> None:
    with prepared():
        for number in range(7):
            made.news(ground.doctor, path=f"/pro/echanges/{number}")
    with statements() as seen:
        page = doctor.get("/pro").text
    assert page.count("1 new message") == 5
    assert "See all that is new" in page
    assert len([each for each in seen if "FROM news" in each]) == 1


def test_an_agent_reads_theirs_where_what_waits_is_shown(ground: Ground, agent: FlaskClient) -> None:
    with prepared():
        made.news(ground.agent, path="/admin/documents")
    assert "1 new message" in agent.get("/admin/en-attente").text


@pytest.mark.parametrize("path", ["/nouvelles", CHOICES, f"{CHOICES}/boite"])
def test_a_patient_has_none_of_this(ground: Ground, sign_in: SignIn, path: str) -> None:
    with prepared():
        own, _patient = people.patient_with_account()
    assert sign_in(own).get(path).status_code == 404


# -- choosing ------------------------------------------------------------------------------------------------------


def test_a_practitioner_chooses_each_kind_and_their_hours(ground: Ground, doctor: FlaskClient) -> None:
    assert "How often" in doctor.get(CHOICES).text
    assert doctor.post(CHOICES, data=WANTED).status_code == 303
    chosen = {(row.kind, row.channel): row.rhythm for row in rows(NewsChoice)}
    assert chosen["messages", "mail"] == "daily"
    assert chosen["callbacks", "mail"] == "never"
    (hours,) = rows(NewsHours)
    assert (hours.quiet_from, hours.quiet_until, hours.weekends, hours.time_zone) == (19, 8, True, "Indian/Reunion")
    assert doctor.post(CHOICES, data=WANTED | {"messages_mail": "hourly"}).status_code == 303
    page = doctor.get(CHOICES).text
    assert '<option selected value="hourly">' in page
    assert audited().count("news_choice.changed") == 2


def test_what_must_be_heard_of_may_not_be_silenced(ground: Ground, doctor: FlaskClient) -> None:
    answer = doctor.post(CHOICES, data=WANTED | {"messages_mail": "never"})
    assert answer.status_code == 422
    assert rows(NewsChoice) == []


def test_with_a_box_one_of_both_ways_is_enough(ground: Ground, doctor: FlaskClient) -> None:
    with prepared():
        made.box(ground.doctor)
    both = WANTED | {name.replace("_mail", "_mssante"): "never" for name in WANTED if name.endswith("_mail")}
    silent = both | {"messages_mail": "never"}
    answer = doctor.post(CHOICES, data=silent)
    assert answer.status_code == 422
    assert "Choose one way at least" in answer.text
    assert doctor.post(CHOICES, data=silent | {"messages_mssante": "daily"}).status_code == 303


def test_once_a_day_is_not_in_quiet_hours(ground: Ground, doctor: FlaskClient) -> None:
    answer = doctor.post(CHOICES, data=WANTED | {"daily_at": "21"})
    assert answer.status_code == 422
    assert "Choose an hour outside those" in answer.text


@pytest.mark.parametrize(
    "wrong", [{"messages_mail": "yearly"}, {"quiet_from": "25"}, {"quiet_from": "x"}, {"time_zone": "Mars/Olympus"},
              {"daily_at": ""}]
)  # fmt: skip
def test_what_no_form_offers_is_refused(ground: Ground, doctor: FlaskClient, wrong: dict[str, str]) -> None:
    assert doctor.post(CHOICES, data=WANTED | wrong).status_code == 422


def test_an_agent_silences_the_morning_s_summary(ground: Ground, agent: FlaskClient) -> None:
    hours = {name: WANTED[name] for name in ("quiet_from", "quiet_until", "daily_at", "time_zone")}
    wanted = hours | {
        "messages_mail": "never", "referrals_mail": "never", "callbacks_mail": "never", "communities_mail": "never",
        "digests_mail": "never",
    }  # fmt: skip
    assert agent.post(CHOICES, data=wanted).status_code == 303
    assert {(row.kind, row.rhythm) for row in rows(NewsChoice)} >= {("digests", "never")}
    refused = agent.post(CHOICES, data=wanted | {"digests_mail": "hourly"})
    assert refused.status_code == 422


def test_the_account_leads_there(ground: Ground, doctor: FlaskClient, agent: FlaskClient) -> None:
    for browser in (doctor, agent):
        assert CHOICES in browser.get("/mon-compte").text


# -- a professional box --------------------------------------------------------------------------------------------


@pytest.fixture
def to_box(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr(boxes, "_send", [lambda *mail: sent.append(mail)])
    monkeypatch.setattr(boxes, "_known", [lambda rpps: [f"{rpps}@annuaire.exemple.test"]])
    return sent


def _link(sent: list[tuple[str, ...]]) -> str:
    (line,) = (each for each in sent[-1][2].split() if "/boite/" in each)
    return line.removeprefix("http://127.0.0.1")


def test_a_typed_box_is_proven_by_the_link_that_was_sent_to_it(
    ground: Ground, doctor: FlaskClient, work_jobs: Callable[[], None], to_box: list[tuple[str, ...]]
) -> None:
    assert doctor.post(f"{CHOICES}/boite", data={"address": "Paul.Leroy@medecin.mssante.fr"}).status_code == 303
    assert "Open the link that we sent" in doctor.get(CHOICES).text
    assert "messages_mssante" not in doctor.get(CHOICES).text
    work_jobs()
    assert to_box[0][0] == "paul.leroy@medecin.mssante.fr"
    assert doctor.get(_link(to_box)).status_code == 200
    assert rows(NewsBox)[0].verified_at is None, "looking proves nothing"
    assert doctor.post(_link(to_box)).status_code == 303
    assert rows(NewsBox)[0].verified_at is not None
    assert "messages_mssante" in doctor.get(CHOICES).text
    assert {"news_box.chosen", "news_box.verified"} <= set(audited())


def test_a_box_of_the_directory_needs_no_proof(
    ground: Ground, doctor: FlaskClient, to_box: list[tuple[str, ...]]
) -> None:
    known = "10000000017@annuaire.exemple.test"
    assert known in doctor.get(f"{CHOICES}/boite").text
    assert doctor.post(f"{CHOICES}/boite", data={"address": known}).status_code == 303
    assert rows(NewsBox)[0].verified_at is not None


@pytest.mark.parametrize(
    "address", ["paul@exemple.test", "279035121518989@patient.mssante.fr", "", "a@b@medecin.mssante.fr", "x" * 300,
                "10000000025@annuaire.exemple.test", "paul@medecin.mssante.fr\nBcc: z@medecin.mssante.fr"]
)  # fmt: skip
def test_another_address_is_no_box(
    ground: Ground, doctor: FlaskClient, to_box: list[tuple[str, ...]], address: str
) -> None:
    assert doctor.post(f"{CHOICES}/boite", data={"address": address}).status_code == 422
    assert rows(NewsBox) == []


def test_the_link_proves_its_own_person_s_box_alone_once_and_for_two_days(
    ground: Ground, doctor: FlaskClient, sign_in: SignIn, work_jobs: Callable[[], None],
    to_box: list[tuple[str, ...]],
) -> None:  # fmt: skip
    doctor.post(f"{CHOICES}/boite", data={"address": "paul.leroy@medecin.mssante.fr"})
    work_jobs()
    link = _link(to_box)
    sign_in(ground.other).post(link)
    assert rows(NewsBox)[0].verified_at is None
    with prepared():
        db.session.execute(text("update news_box set asked_at = asked_at - interval '3 days'"))
    doctor.post(link)
    assert rows(NewsBox)[0].verified_at is None


def test_two_links_in_two_minutes_are_one_too_many(
    ground: Ground, doctor: FlaskClient, to_box: list[tuple[str, ...]]
) -> None:
    doctor.post(f"{CHOICES}/boite", data={"address": "paul.leroy@medecin.mssante.fr"})
    again = doctor.post(f"{CHOICES}/boite", data={"address": "autre@medecin.mssante.fr"})
    assert again.status_code == 422
    assert "Wait two minutes" in again.text


def test_without_a_box_of_the_hospital_the_page_says_so(
    ground: Ground, doctor: FlaskClient, work_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "_send", [])
    doctor.post(f"{CHOICES}/boite", data={"address": "paul.leroy@medecin.mssante.fr"})
    work_jobs()
    assert "No hospital of the group can write to it yet" in doctor.get(CHOICES).text


def test_a_removed_box_leaves_plain_mail(ground: Ground, doctor: FlaskClient) -> None:
    with prepared():
        made.box(ground.doctor)
    assert doctor.post(f"{CHOICES}/boite/retirer").status_code == 303
    assert rows(NewsBox) == []
    assert doctor.post(f"{CHOICES}/boite/retirer").status_code == 303


def test_whoever_has_no_address_is_told_so(ground: Ground, doctor: FlaskClient, mails: MailTwin) -> None:
    with prepared():
        db.session.get_one(Account, ground.doctor).email = ""
    assert "you are told here only" in doctor.get(CHOICES).text
