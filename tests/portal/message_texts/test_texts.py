"""A hospital says a message in its own words; whatever it wrote, the message leaves."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError

from auth.models import Account
from portal import db, notifications
from portal.message_texts import actions, checking, kinds, queries, writing
from portal.message_texts.actions import ChangedMeanwhile, NotChangeable, NothingToUndo
from portal.message_texts.checking import Unsafe
from portal.message_texts.kinds import Kind, Mail
from portal.message_texts.models import MessageText
from portal.message_texts.writing import Words
from portal.notifications import Notification
from tests.factories import hospitals, people
from tests.ground import audited, prepared, rows

MAIL, TEXT = "appointments.confirmed", "appointments.reminder_text"
EXAMPLES = {"reference": "A1", "when": "lundi 5", "answer_link": "https://p.test/x", "place": "Nord"}
OURS = Words("Votre venue est notée", "Bonjour,\n\nRéférence {reference}.\n\nLe {when}.")


def kind(code: str = MAIL) -> Kind:
    found = kinds.of(code)
    assert found is not None
    return found


@pytest.fixture
def places(app: Flask) -> Iterator[tuple[UUID, UUID, Account]]:
    """North, south, and an administrator of the north."""
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord").establishment
        south = hospitals.hospital("990000025", "Hôpital du Sud").establishment
        administrator = people.agent(north.id, "administration", name="Adam")
        found = (north.id, south.id, administrator)
    with app.app_context():
        yield found


def changed(place: UUID, words: Words = OURS, code: str = MAIL, language: str = "fr", seen: int = 0) -> None:
    with prepared():
        actions.change(place, kind(code), language, words, EXAMPLES, seen)


def mail(**values: str) -> Mail:
    return Mail("Ours", ("Our words.",), "/rendez-vous/1", code=MAIL, values={**EXAMPLES, **values})


def sent(place: UUID | None, message: Mail, locale: str = "fr") -> Words:
    with prepared():
        return writing.written(message, locale, place)


def test_the_hospitals_words_are_sent_with_the_link(places: tuple[UUID, UUID, Account]) -> None:
    north, south, _admin = places
    changed(north)
    told = sent(north, mail())
    assert told.subject == "Votre venue est notée"
    assert told.body == f"Bonjour,\n\nRéférence A1.\n\nLe lundi 5.\n\n{writing.address('/rendez-vous/1')}"
    assert sent(south, mail()).subject == "Ours"
    assert sent(None, mail()).subject == "Ours"
    assert sent(north, mail(), "en").subject == "Ours", "another language keeps the portal's words"


def test_the_link_stands_where_it_was_put(places: tuple[UUID, UUID, Account]) -> None:
    north = places[0]
    changed(north, Words("S", "Voir {link} puis {reference}."))
    assert sent(north, mail()).body == f"Voir {writing.address('/rendez-vous/1')} puis A1."


def test_the_link_is_there_even_when_another_address_begins_as_it_does(places: tuple[UUID, UUID, Account]) -> None:
    link = writing.address("/rendez-vous/1")
    changed(places[0], Words("S", "Dites si vous venez : {answer_link}"))
    assert sent(places[0], mail(answer_link=f"{link}/venir")).body.endswith(f"\n\n{link}")


def test_a_subject_without_its_value_gives_way_to_the_portals(places: tuple[UUID, UUID, Account]) -> None:
    changed(places[0], Words("Votre venue {when}", "Bonjour"))
    assert sent(places[0], mail()).subject == "Votre venue lundi 5"
    assert sent(places[0], mail(when="")).subject == "Ours"


def test_what_a_person_did_not_want_told_is_left_out(places: tuple[UUID, UUID, Account]) -> None:
    changed(places[0])
    assert "Le" not in sent(places[0], mail(when="")).body


@pytest.mark.parametrize("body", ["{gone} is a placeholder of another time", "Le {when}."])
def test_a_text_that_cannot_be_used_never_stops_a_message(places: tuple[UUID, UUID, Account], body: str) -> None:
    north = places[0]
    with prepared():
        db.session.add(MessageText(establishment_id=north, kind=MAIL, language="fr", version=1, subject="S", body=body))
    assert sent(north, mail(when="")).subject == "Ours"


def test_a_message_is_kept_as_it_will_leave(places: tuple[UUID, UUID, Account]) -> None:
    north = places[0]
    changed(north)
    with prepared():
        notifications.tell(mail(), recipient="a@exemple.test", locale="fr", establishment_id=north)
    found = rows(Notification)[-1]
    assert (found.subject, found.locale) == ("Votre venue est notée", "fr")


# -- what may be written -------------------------------------------------------------------------------------------


def faults(words: Words, code: str = MAIL) -> list[str]:
    try:
        checking.check(kind(code), checking.tidy(words), EXAMPLES)
    except Unsafe as unsafe:
        return [f"{each.code}{' ' + each.detail if each.detail else ''}" for each in unsafe.faults]
    return []


@pytest.mark.parametrize(
    ("subject", "body", "expected"),
    [
        ("S", "Bonjour", []),
        ("", "Bonjour", ["empty"]),
        ("S", "", ["empty"]),
        ("S", "Bonjour {nom}", ["unknown nom"]),
        ("S {link}", "Bonjour", ["unknown link"]),
        ("S", "Bonjour {", ["brace"]),
        ("S", "Voyez https://ailleurs.test", ["address https://ailleurs.test"]),
        ("S", "Voyez www.ailleurs.test", ["address www.ailleurs.test"]),
        ("S", "Votre chimiothérapie", ["health chimiothérapie"]),
        ("Service de CANCÉROLOGIE", "Bonjour", ["health CANCÉROLOGIE"]),
        ("S", "Le VIH, en hiver", ["health VIH"]),
        ("S", "Cet hiver, votre dossier suit son cours.", []),
        ("S" * 121, "Bonjour", ["long 120"]),
        ("S", "Bon\x07jour", ["sign"]),
        ("S", "Bon\u202ejour", ["sign"]),
        ("S\u202f!", "Voici\u00a0: l’heure", []),
        ("موعدكم", "مرحبا\u200f", []),
    ],
)
def test_what_may_be_written_in_a_mail(app: Flask, subject: str, body: str, expected: list[str]) -> None:
    with app.app_context():
        assert faults(Words(subject, body)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Voyez impots-gouv.com/dossier", ["address impots-gouv.com/dossier"]),
        ("Voyez (Exemple.FR).", ["address Exemple.FR"]),
        ("Voyez раураl.соm", ["address раураl.соm"]),
        ("Voyez exemple。fr", ["address exemple。fr"]),
        ("Voyez {reference}.com", ["address {reference}.com"]),
        ("Voyez moi@exemple.fr@ailleurs.fr", ["address moi@exemple.fr@ailleurs.fr"]),
        ("Voyez {link}.ailleurs.fr", ["address {link}.ailleurs.fr", "glued link"]),
        ("Voyez {link}@ailleurs", ["glued link"]),
        ("Voyez {answer_link}x", ["glued answer_link"]),
        ("Voyez x{link}", ["glued link"]),
        ("Voyez exem\u200bple", ["sign"]),
        ("Voyez exem\u00adple", ["sign"]),
        ("Écrivez à secretariat@hopital.example, à 9.30 ou 10.45. Voir {link}.", []),
        ("Voir ({link}), puis « {answer_link} » !", []),
        ("مرحبا: {link}، شكرا", []),
    ],
)
def test_readers_follow_no_other_link(app: Flask, body: str, expected: list[str]) -> None:
    assert faults(Words("S", body)) == expected


def test_a_text_message_keeps_to_three(app: Flask) -> None:
    with app.app_context():
        assert faults(Words("", "Rappel: {when} {link}"), TEXT) == []
        assert faults(Words("", "é" * 400 + " {link}"), TEXT) == []
        assert faults(Words("", "é" * 500 + " {link}"), TEXT) == ["parts 4"]
        assert faults(Words("", "م" * 220 + " {link}"), TEXT) == ["parts 4"]


def test_a_code_may_not_be_forgotten(app: Flask) -> None:
    with app.app_context():
        assert faults(Words("S", "Venez !"), "preadmission.invitation") == ["missing code"]


# -- versions ------------------------------------------------------------------------------------------------------


def test_each_change_is_a_version_that_can_be_taken_back(places: tuple[UUID, UUID, Account]) -> None:
    north = places[0]
    changed(north)
    changed(north, Words("Deux", "Deux."), seen=1)
    with prepared():
        actions.undo(north, kind(), "fr", 2)
    assert sent(north, mail()).subject == OURS.subject
    with prepared():
        actions.restore(north, kind(), "fr", 3)
    assert sent(north, mail()).subject == "Ours"
    with prepared():
        actions.undo(north, kind(), "fr", 4)
    assert sent(north, mail()).subject == OURS.subject
    with prepared():
        assert [each.version for each in queries.history(north, MAIL, "fr")] == [5, 4, 3, 2, 1]
        assert list(queries.own(north)) == [(MAIL, "fr")]
    written = [each for each in audited() if each.startswith("message_text")]
    assert written == [
        "message_text.changed", "message_text.changed", "message_text.undone", "message_text.restored",
        "message_text.undone",
    ]  # fmt: skip


def test_the_first_change_taken_back_gives_the_portals_words(places: tuple[UUID, UUID, Account]) -> None:
    changed(places[0])
    with prepared():
        actions.undo(places[0], kind(), "fr", 1)
    assert sent(places[0], mail()).subject == "Ours"
    with prepared(), pytest.raises(NothingToUndo):
        actions.undo(places[1], kind(), "fr", 0)


def test_the_same_words_again_are_no_version(places: tuple[UUID, UUID, Account]) -> None:
    changed(places[0])
    changed(places[0], Words(OURS.subject + " ", OURS.body + "\r\n"), seen=1)
    assert len(rows(MessageText)) == 1


def test_nobody_overwrites_a_colleague_unaware(places: tuple[UUID, UUID, Account]) -> None:
    changed(places[0])
    with prepared(), pytest.raises(ChangedMeanwhile):
        actions.change(places[0], kind(), "fr", Words("Autre", "Autre."), EXAMPLES, 0)


def test_what_is_about_an_account_is_the_same_everywhere(places: tuple[UUID, UUID, Account]) -> None:
    with prepared(), pytest.raises(NotChangeable):
        actions.change(places[0], kind("account.new_device"), "fr", OURS, {}, 0)


# -- who may -------------------------------------------------------------------------------------------------------


def test_an_administrator_writes_for_their_hospital_alone(places: tuple[UUID, UUID, Account]) -> None:
    north, south, administrator = places
    with prepared():
        actor = people.as_agent(administrator, north, "administration")
    with db.transaction(actor):
        actions.change(north, kind(), "fr", OURS, EXAMPLES, 0)
    with pytest.raises(DatabaseError), db.transaction(actor):
        actions.change(south, kind(), "fr", OURS, EXAMPLES, 0)
    with pytest.raises(DatabaseError, match="permission denied"), db.transaction(actor) as current:
        current.execute(update(MessageText).values(body="X"))


def test_an_agent_of_another_right_writes_nothing(places: tuple[UUID, UUID, Account]) -> None:
    with prepared():
        actor = people.as_agent(people.agent(places[0], "care", name="Cora"), places[0], "care")
    with pytest.raises(DatabaseError), db.transaction(actor):
        actions.change(places[0], kind(), "fr", OURS, EXAMPLES, 0)


def test_whoever_sends_reads_them(places: tuple[UUID, UUID, Account]) -> None:
    changed(places[0])
    with db.transaction(db.system("anything")) as current:
        assert current.scalar(select(MessageText.kind)) == MAIL
