"""A mail that leaves obeys the rules of the secure space to the letter, and nothing typed can change what it says."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.documents import mss
from services.documents.mss import subjects

PAUL = mss.Traits("VIAL", "Paul", date(1978, 11, 26))
NUMBER = "279035121518989"
PAIR = mss.Pair(
    package=b"PK\x03\x04 a package",
    copies=(mss.Copy("20150802_CR d'anesthesie_VIAL_Paul.pdf", b"%PDF-1.4 a copy"),),
    type_codes=("34112-3", "PRESC-BIO"),
    label="CR d'examens biologiques",
    traits=PAUL,
    number=NUMBER,
    has_ins=True,
)
ONE = replace(PAIR, type_codes=("11502-2",))
CITIZEN = f"{NUMBER}@patient.mssante.fr"


def outgoing(**changes: Any) -> mss.Outgoing:
    said: dict[str, Any] = {
        "message_id": "<0001@ch-nord.mssante.fr>",
        "sender": mss.Sender("cardiologie@ch-nord.mssante.fr", "Cardiologie, hôpital d’Écully"),
        "recipients": ("adam.hoda@medecin.mssante.fr",),
        "sent_at": datetime(2026, 11, 22, 8, tzinfo=UTC),
        "product": "REF-PRODUIT-0001",
        "text": "Cher confrère,\nvoici l’été.",
        "subject": "Rendez-vous",
    }
    return mss.Outgoing(**said | changes)


def judged(raw: bytes) -> EmailMessage:
    """The mail as the standard library reads it, which is not how it was written."""
    return cast(EmailMessage, BytesParser(policy=policy.default).parsebytes(raw))


# --- subjects and names -------------------------------------------------------------------------


def test_one_document_is_named_by_its_type_and_its_patient() -> None:
    assert subjects.written("CR d'examens biologiques", 1, PAUL) == (
        "XDM/1.0/DDM+CR d'examens biologiques VIAL Paul 26/11/1978"
    )


def test_several_documents_are_counted() -> None:
    assert subjects.written("CR d'examens biologiques", 2, PAUL) == "XDM/1.0/DDM+2 documents VIAL Paul 26/11/1978"


def test_a_label_is_cut_to_forty_characters_without_accents() -> None:
    label = "Lettre de liaison à la sortie d'un établissement de soins"
    assert (
        subjects.written(label, 1, PAUL) == "XDM/1.0/DDM+Lettre de liaison a la sortie d'un etabl VIAL Paul 26/11/1978"
    )


@pytest.mark.parametrize(
    ("birth_name", "first_name", "written"),
    [
        ("d'été", "Zoé-Anaïs", "D'ETE Zoe-Anais"),
        ("Œuvrard–Ça", "Léo", "OEUVRARD-CA Leo"),
        ("Đặng", "Nguyễn Ánh", "DANG Nguyen Anh"),
        ("Łódź", "Søren", "LODZ Soren"),
        ("Müller ß", "Björn", "MULLER SS Bjorn"),
        ("N’Diaye", "Aïssatou", "N'DIAYE Aissatou"),
    ],
)
def test_names_are_in_capitals_and_plain_letters(birth_name: str, first_name: str, written: str) -> None:
    assert subjects.written("x", 1, mss.Traits(birth_name, first_name)) == f"XDM/1.0/DDM+x {written}"


def test_a_correction_says_so_before_all() -> None:
    raw = mss.compose(outgoing(pair=ONE, replaces=True, in_reply_to="<a@b>"))
    assert judged(raw)["subject"] == ("[Annule et remplace] XDM/1.0/DDM+CR d'examens biologiques VIAL Paul 26/11/1978")


def test_a_copy_is_named_by_the_day_of_the_act_the_type_and_the_patient() -> None:
    assert subjects.pdf_name("CR d'anesthésie", PAUL, date(2015, 8, 2)) == "20150802_CR d'anesthesie_VIAL_Paul.pdf"
    assert subjects.pdf_name("x", PAUL, date(2015, 8, 2), "A12") == "20150802_x_VIAL_Paul_A12.pdf"


@given(st.text(), st.text(), st.text(), st.text())
def test_a_name_is_one_that_every_file_system_takes(label: str, name: str, first: str, number: str) -> None:
    written = subjects.pdf_name(label, mss.Traits(name, first), date(2015, 8, 2), number)
    assert written.isascii()
    assert written.isprintable()
    assert not set(written) & set('\\/:*?"<>|')
    assert len(written) < 350


@given(st.text(), st.text(), st.text())
def test_any_subject_that_is_written_is_plain_and_reads_back(label: str, name: str, first: str) -> None:
    written = subjects.written(label, 1, mss.Traits(name, first))
    assert written.isascii()
    assert written.isprintable()
    assert subjects.read(written).has_package


# --- headers ------------------------------------------------------------------------------------


def test_a_mail_with_documents_carries_what_software_needs() -> None:
    mail = judged(mss.compose(outgoing(pair=PAIR)))
    assert mail["X-MSS-CODECDA"] == "34112-3,PRESC-BIO"
    assert mail["X-MSS-INS"] == "O"
    assert mail["X-MSS-NIL"] == "REF-PRODUIT-0001"
    assert mail["Message-ID"] == "<0001@ch-nord.mssante.fr>"
    assert mail["From"].addresses[0].display_name == "Cardiologie, hôpital d’Écully"
    assert mail["From"].addresses[0].addr_spec == "cardiologie@ch-nord.mssante.fr"
    assert mail["Date"].datetime == datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_a_mail_without_documents_carries_no_code_of_documents() -> None:
    mail = judged(mss.compose(outgoing()))
    assert mail["X-MSS-CODECDA"] is None
    assert mail["X-MSS-INS"] == "N"
    assert mail["X-MSS-NIL"] == "REF-PRODUIT-0001"
    assert mail.get_content_type() == "text/plain"


def test_a_patient_without_qualified_traits_is_said_to_have_no_ins() -> None:
    assert judged(mss.compose(outgoing(pair=replace(PAIR, has_ins=False))))["X-MSS-INS"] == "N"


def test_a_thread_is_held_together() -> None:
    mail = judged(mss.compose(outgoing(in_reply_to="<b@x>", references=("<a@x>", "<b@x>"))))
    assert (mail["In-Reply-To"], mail["References"]) == ("<b@x>", "<a@x> <b@x>")
    assert judged(mss.compose(outgoing(in_reply_to="<b@x>")))["References"] == "<b@x>"


def test_a_very_long_thread_is_not_encoded_or_cut() -> None:
    before = tuple(f"<{'x' * 200}{number}@operateur.mssante.fr>" for number in range(60))
    mail = judged(mss.compose(outgoing(in_reply_to=before[-1], references=before)))
    assert mail["References"].split() == list(before)


def test_a_receipt_is_asked_for_and_an_answer_goes_where_it_should() -> None:
    mail = judged(mss.compose(outgoing(receipt_to="a@ch.mssante.fr", reply_to="b@ch.mssante.fr")))
    assert mail["Disposition-Notification-To"] == "a@ch.mssante.fr"
    assert mail["Reply-To"] == "b@ch.mssante.fr"


def test_what_no_person_wrote_says_so() -> None:
    assert judged(mss.compose(outgoing(is_automatic=True)))["Auto-Submitted"] == "auto-generated"
    assert judged(mss.compose(outgoing()))["Auto-Submitted"] is None


def test_a_mail_closes_the_thread_with_a_citizen() -> None:
    mail = outgoing(recipients=(CITIZEN,), qualified_ins=NUMBER, closes=True)
    assert judged(mss.compose(mail))["X-MSS-MES"] == "FIN"
    closing = judged(mss.compose(mss.closing(outgoing(recipients=(CITIZEN,), qualified_ins=NUMBER, pair=PAIR))))
    assert (closing["Subject"], closing["X-MSS-MES"], closing["X-MSS-CODECDA"]) == ("[FIN]", "FIN", None)


# --- parts --------------------------------------------------------------------------------------


def test_the_package_and_its_copies_are_joined_as_they_are() -> None:
    text, package, copy = judged(mss.compose(outgoing(pair=PAIR))).iter_parts()
    assert (text.get_content_type(), text.get_content_charset()) == ("text/plain", "utf-8")
    assert text.get_content().replace("\r\n", "\n") == "Cher confrère,\nvoici l’été."
    assert (package.get_filename(), package.get_content()) == ("IHE_XDM.ZIP", b"PK\x03\x04 a package")
    assert (copy.get_filename(), copy.get_content()) == ("20150802_CR d'anesthesie_VIAL_Paul.pdf", b"%PDF-1.4 a copy")
    assert copy.get_content_type() == "application/pdf"


def test_a_mail_about_nobody_carries_plain_files() -> None:
    mail = judged(mss.compose(outgoing(files=(mss.Copy("planning.pdf", b"%PDF-1.4 a"),))))
    text, file = mail.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert (file.get_filename(), file.get_content()) == ("planning.pdf", b"%PDF-1.4 a")
    assert (mail["X-MSS-CODECDA"], mail["X-MSS-INS"], mail["Subject"]) == (None, "N", "Rendez-vous")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Résumé d’été.pdf", "Resume d'ete.pdf"),
        ("a/b\r\n:c.pdf", "a b c.pdf"),
        ("漢.pdf", "document.pdf"),
        ("", "document"),
    ],
)
def test_a_plain_file_has_a_name_that_every_system_takes(name: str, written: str) -> None:
    mail = judged(mss.compose(outgoing(files=(mss.Copy(name, b"%PDF"),))))
    assert [part.get_filename() for part in mail.iter_attachments()] == [written]


def test_the_same_mail_is_the_same_bytes() -> None:
    assert mss.compose(outgoing(pair=PAIR)) == mss.compose(outgoing(pair=PAIR))


def test_no_line_is_longer_than_relays_take() -> None:
    raw = mss.compose(outgoing(pair=PAIR, sender=mss.Sender("a@b.fr", "Pôle é" * 40), text="é" * 5000))
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()


def test_the_size_of_the_files_is_known_before_they_are_written() -> None:
    mail = outgoing(pair=replace(PAIR, package=bytes(1_000_000)))
    assert 0 <= len(mss.compose(mail)) - mss.size_of(mail) < 3000


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},  # nothing says that the INS is qualified
        {"qualified_ins": "187027800100130"},  # another person's
        {"qualified_ins": NUMBER, "pair": replace(PAIR, number="187027800100130")},
        {"qualified_ins": NUMBER, "recipients": ("jean.dupont@patient.mssante.fr",)},
        {"qualified_ins": NUMBER, "recipients": (CITIZEN, "187027800100130@patient.mssante.fr")},
    ],
)
def test_a_citizen_is_written_to_from_a_qualified_number_alone(changes: dict[str, Any]) -> None:
    with pytest.raises(mss.CitizenNotQualified):
        mss.compose(outgoing(**{"recipients": (CITIZEN,)} | changes))


def test_a_citizen_with_a_qualified_number_is_written_to() -> None:
    mail = mss.compose(outgoing(recipients=(CITIZEN,), qualified_ins=NUMBER, pair=PAIR))
    assert judged(mail)["To"] == CITIZEN


def test_the_address_of_a_citizen_comes_from_the_number() -> None:
    assert mss.of_citizen(NUMBER) == CITIZEN
    assert mss.of_citizen("190012A00100156") == "190012a00100156@patient.mssante.fr"
    assert mss.citizen_number("190012A00100156@Patient.MSSante.fr") == "190012A00100156"
    assert mss.citizen_number("a@medecin.mssante.fr") == ""
    with pytest.raises(mss.BadAddress):
        mss.of_citizen("27903512151898")


def test_a_citizen_gets_no_mail_that_the_box_cannot_hold() -> None:
    large = replace(PAIR, package=bytes(19_000_000))
    with pytest.raises(mss.MailTooLarge) as fact:
        mss.compose(outgoing(recipients=(CITIZEN,), qualified_ins=NUMBER, pair=large))
    assert fact.value.size > fact.value.limit == mss.CITIZEN_LIMIT == 25_000_000
    assert len(mss.compose(outgoing(pair=large))) > mss.CITIZEN_LIMIT  # what others hold is their operator's to say


BREAKS = ["a\r\nBcc: x@y.fr", "a\nb", "a\rb", "a\x00b", "a\x0bb", "a\u2028b", "a\x85b"]


@pytest.mark.parametrize("hostile", BREAKS)
@pytest.mark.parametrize("field", ["subject", "message_id", "in_reply_to", "product", "reply_to", "receipt_to"])
def test_no_value_can_say_a_second_header(field: str, hostile: str) -> None:
    with pytest.raises(mss.CannotSend):
        mss.compose(outgoing(**{field: hostile}))


@pytest.mark.parametrize("hostile", BREAKS)
def test_no_label_address_code_or_name_can_say_a_second_header(hostile: str) -> None:
    for changes in (
        {"sender": mss.Sender("a@b.fr", hostile)},
        {"sender": mss.Sender(hostile, "A")},
        {"recipients": (hostile,)},
        {"references": (f"<{hostile}@x>",)},
        {"pair": replace(PAIR, type_codes=(hostile,))},
        {"pair": replace(PAIR, copies=(mss.Copy(hostile, b""),))},
    ):
        with pytest.raises(mss.CannotSend):
            mss.compose(outgoing(**changes))


@pytest.mark.parametrize("address", ["", "a", "a@", "@b", "a b@c.fr", "a@b, c@d.fr", "<a@b.fr>", "é@b.fr", "a@-b.fr"])
def test_what_is_no_address_is_not_written_to(address: str) -> None:
    with pytest.raises(mss.BadAddress):
        mss.compose(outgoing(recipients=(address,)))


def test_a_mail_needs_a_label_a_recipient_and_a_moment() -> None:
    with pytest.raises(mss.BadHeader):
        mss.compose(outgoing(sender=mss.Sender("a@b.fr", " ")))
    with pytest.raises(mss.BadHeader):
        mss.compose(outgoing(recipients=()))
    with pytest.raises(ValueError, match="offset"):
        mss.compose(outgoing(sent_at=datetime(2026, 1, 1)))


@given(st.text(), st.text(), st.text())
def test_whatever_is_typed_is_refused_or_says_only_what_was_typed(subject: str, label: str, text: str) -> None:
    try:
        raw = mss.compose(outgoing(subject=subject, sender=mss.Sender("a@b.fr", label), text=text))
    except mss.CannotSend:
        return
    head, _, _ = raw.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].decode() for line in re.split(rb"\r\n(?![ \t])", head)]
    assert len(names) == len(set(names))
    expected = {"From", "To", "Subject", "Date", "Message-ID", "X-MSS-INS", "X-MSS-NIL", "MIME-Version"}
    assert set(names) - {"Subject"} == (expected | {"Content-Type", "Content-Transfer-Encoding"}) - {"Subject"}
    read = mss.read_mail(raw)
    assert read.recipients == ("adam.hoda@medecin.mssante.fr",)
    assert read.sender == "a@b.fr"
