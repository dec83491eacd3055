"""An administrator reads every message that the portal sends, sees it as it is read, and changes their hospital's."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.message_texts import kinds, writing
from portal.message_texts.models import MessageText
from portal.notifications import Notification
from tests.admin.conftest import Group
from tests.english import in_english as in_english
from tests.ground import audited, prepared, rows
from tests.pages import parsed
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
LIST = "/admin/textes"
PAGE = f"{LIST}/990000017/appointments.confirmed/fr"
TYPED = {"seen": "0", "subject": "Votre venue est notée", "body": "Bonjour,\n\nRéférence {reference}."}


@pytest.fixture
def browser(group: Group, sign_in: SignIn) -> FlaskClient:
    return sign_in(group.administrator)


def change(values: dict[str, str] | None = None) -> dict[str, str]:
    return TYPED | (values or {})


class TestTheList:
    def test_holds_every_message_that_the_portal_sends(self, browser: FlaskClient) -> None:
        page = browser.get(LIST).text
        for kind in kinds.every():
            assert f"/{kind.code}/" in page
        assert "Your appointment is confirmed" in page
        assert "Questionnaires" in page

    def test_says_which_are_in_the_hospitals_words(self, browser: FlaskClient) -> None:
        browser.post(PAGE, data=change())
        assert "Your words: fr" in browser.get(LIST).text

    def test_keeps_the_readers_own_choice_of_language(self, browser: FlaskClient) -> None:
        for address in (LIST, PAGE):
            assert "/admin/textes" in parsed(browser.get(address).text).xpath("//header//a[@hreflang='ar']/@href")[0]

    def test_is_in_the_readers_language_but_for_what_leaves_in_french_only_and_says_so(
        self, browser: FlaskClient
    ) -> None:
        page = parsed(browser.get(LIST).text)
        only = {f"/{each.code}/fr" for each in kinds.every() if each.only}
        links = page.xpath("//table//a[contains(@href, '/admin/textes/990000017/')]")
        assert {each.get("href").partition("/990000017")[2] for each in links if each.get("lang") == "fr"} == only
        assert page.text_content().count("Sent in French only") == len(only)
        with browser.application.test_request_context():
            french = {writing.defaults(each, "fr").subject for each in kinds.every() if not each.only} - {""}
        assert not {each.text_content().strip() for each in links if each.get("lang") is None} & french

    def test_takes_few_statements(self, app: Flask, browser: FlaskClient) -> None:
        browser.get(LIST)
        with executed(app) as statements:
            browser.get(LIST)
        assert len(statements) <= 12, statements

    def test_a_director_of_several_hospitals_chooses(self, group: Group, sign_in: SignIn) -> None:
        page = sign_in(group.director).get(f"{LIST}?etablissement=990000025").text
        assert "/admin/textes/990000025/appointments.confirmed/fr" in page


class TestAMessage:
    def test_is_shown_with_fictional_data(self, browser: FlaskClient) -> None:
        page = browser.get(PAGE).text
        assert "R7K2M9" in page
        assert "{reference}" in page
        assert "/rendez-vous" in page

    def test_is_previewed_without_being_saved(self, browser: FlaskClient) -> None:
        answer = browser.post(PAGE, data=change({"preview": "1"}))
        assert answer.status_code == 200
        assert "Référence R7K2M9." in answer.text
        assert rows(MessageText) == []

    def test_is_saved_and_seen_by_the_next_reader(self, browser: FlaskClient) -> None:
        assert browser.post(PAGE, data=change()).status_code == 303
        assert "Votre venue est notée" in browser.get(PAGE).text
        assert audited().count("message_text.changed") == 1

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"body": "Bonjour {nom}"}, "{nom} does not exist here"),
            ({"subject": ""}, "Write something"),
            ({"body": "Votre cancer"}, "may tell of somebody’s health"),
            ({"body": "Voir https://ailleurs.test"}, "reads as the address of a site"),
            ({"body": "Bonjour {"}, "A brace stands alone"),
        ],
    )
    @pytest.mark.parametrize("button", [{}, {"preview": "1"}], ids=["save", "preview"])
    def test_says_what_may_not_be_written(
        self, browser: FlaskClient, typed: dict[str, str], said: str, button: dict[str, str]
    ) -> None:
        answer = browser.post(PAGE, data=change(typed | button))
        assert answer.status_code == 422
        assert said in answer.text
        assert rows(MessageText) == []

    def test_escapes_what_was_typed(self, browser: FlaskClient) -> None:
        answer = browser.post(PAGE, data=change({"body": "<script>alert(1)</script> {reference}", "preview": "1"}))
        assert "<script>alert(1)" not in answer.text
        assert "&lt;script&gt;alert(1)" in answer.text

    def test_a_colleagues_change_is_not_overwritten_unaware(self, browser: FlaskClient) -> None:
        browser.post(PAGE, data=change())
        answer = browser.post(PAGE, data=change({"body": "Autre chose."}))
        assert answer.status_code == 409
        assert "Autre chose." in answer.text
        assert browser.post(PAGE, data=change({"body": "Autre chose.", "seen": "1"})).status_code == 303

    def test_goes_back_and_forth(self, browser: FlaskClient) -> None:
        browser.post(PAGE, data=change())
        assert browser.post(f"{PAGE}/origine", data={"seen": "1"}).status_code == 303
        assert "Référence {reference}." not in browser.get(PAGE).text.partition("Versions")[0]
        assert browser.post(f"{PAGE}/annuler", data={"seen": "2"}).status_code == 303
        page = browser.get(PAGE).text
        assert "Version 3" in page
        assert "Votre venue est notée" in page
        assert browser.post(f"{PAGE}/annuler", data={"seen": "1"}, follow_redirects=True).text.count("meanwhile") == 1

    def test_is_sent_to_oneself_with_fictional_data(self, browser: FlaskClient) -> None:
        browser.post(PAGE, data=change())
        assert browser.post(f"{PAGE}/essai").status_code == 303
        told = rows(Notification)[-1]
        assert "Votre venue est notée" in told.subject
        assert "R7K2M9" in told.body
        assert "message_text.tried" in audited()

    def test_that_can_no_longer_be_sent_is_said_to_be_so(self, group: Group, browser: FlaskClient) -> None:
        with prepared():
            db.session.add(
                MessageText(
                    establishment_id=group.north.id, kind="appointments.confirmed", language="fr", version=1,
                    subject="S", body="{gone}",
                )
            )  # fmt: skip
        assert "Nothing can be shown" in browser.get(PAGE).text
        answer = browser.post(f"{PAGE}/essai", follow_redirects=True)
        assert "cannot be sent any more" in answer.text
        assert rows(Notification) == []

    def test_takes_few_statements(self, app: Flask, browser: FlaskClient) -> None:
        browser.post(PAGE, data=change())
        browser.get(PAGE)
        with executed(app) as statements:
            browser.get(PAGE)
        assert len(statements) <= 12, statements


class TestATextMessage:
    def test_is_named_after_what_it_says(self, browser: FlaskClient) -> None:
        assert "Text message: appointment on" in browser.get(self.PAGE).text

    def test_is_typed_in_the_direction_of_its_language(self, browser: FlaskClient) -> None:
        page = browser.get(self.PAGE.replace("/fr", "/ar")).text
        assert re.search(r'<textarea[^>]*dir="rtl"', page)

    PAGE = f"{LIST}/990000017/appointments.reminder_text/fr"

    def test_says_how_many_messages_it_takes(self, browser: FlaskClient) -> None:
        assert "1 text message" in browser.get(self.PAGE).text
        longer = {"seen": "0", "body": "x" * 300 + " {link}", "preview": "1"}
        assert "3 text messages" in browser.post(self.PAGE, data=longer).text
        arabic = browser.post(self.PAGE, data={"seen": "0", "body": "تذكير {link}", "preview": "1"}).text
        assert "70 a message instead of 160" in arabic

    def test_keeps_to_three(self, browser: FlaskClient) -> None:
        answer = browser.post(self.PAGE, data={"seen": "0", "body": "x" * 600})
        assert answer.status_code == 422
        assert "keep to three" in answer.text


class TestWhoMay:
    def test_what_is_the_same_everywhere_has_no_form(self, browser: FlaskClient) -> None:
        page = f"{LIST}/990000017/account.new_device/fr"
        assert "same everywhere" in browser.get(page).text
        assert browser.post(page, data=change()).status_code == 404
        assert browser.post(f"{page}/origine", data={"seen": "0"}).status_code == 404

    @pytest.mark.parametrize(
        "path", ["990000025/appointments.confirmed/fr", "990000017/nothing.of_this/fr", "990000017/documents.new/xx"]
    )
    def test_another_hospital_or_nothing_known_is_not_found(self, browser: FlaskClient, path: str) -> None:
        assert browser.get(f"{LIST}/{path}").status_code == 404

    def test_a_message_of_one_language_has_no_other(self, browser: FlaskClient) -> None:
        assert browser.get(f"{LIST}/990000017/preadmission.invitation/fr").status_code == 200
        assert browser.get(f"{LIST}/990000017/preadmission.invitation/en").status_code == 404

    def test_other_agents_stay_out(self, group: Group, sign_in: SignIn) -> None:
        assert sign_in(group.clerk).get(LIST).status_code == 403
        assert sign_in(group.auditor).post(PAGE, data=TYPED).status_code == 403


def test_the_words_reach_the_patient(group: Group, browser: FlaskClient) -> None:
    """From the form to what leaves."""
    from portal import notifications
    from services.questionnaires import mails

    page = f"{LIST}/990000017/questionnaires.waits/fr"
    browser.post(page, data={"seen": "0", "subject": "À vous", "body": "Répondez ici : {link}"})
    with prepared():
        for place in (group.north.id, group.south.id):
            notifications.tell(mails.WAITS, recipient="p@exemple.test", locale="fr", establishment_id=place)
    assert [each.subject == "À vous" for each in rows(Notification)] == [True, False]
