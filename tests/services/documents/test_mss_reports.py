"""Receipts and bounces say what became of a mail, in all the spellings seen, and a forged word proves nothing."""

from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.documents import mss
from services.documents.mss import Bounce, Cause, Delivered, MailKind, Outcome, Receipt, ReceiptError

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "testdata" / "eml"
needs_examples = pytest.mark.skipif(not EXAMPLES.exists(), reason=f"the example mails are not there: {EXAMPLES}")
ORIGINAL = (
    b"From: Dr A <a@medecin.mssante.fr>\r\nTo: box@ch-nord.mssante.fr\r\nMessage-ID: <42@medecin.mssante.fr>\r\n"
    b"Disposition-Notification-To: a@medecin.mssante.fr\r\n"
    b"Subject: XDM/1.0/DDM+CR d'imagerie medicale VIAL Paul\r\n\r\nBonjour \xc3\xa9\r\n"
)


def answer(**changes: Any) -> mss.Answer:
    said: dict[str, Any] = {
        "message_id": "<r1@ch-nord.mssante.fr>",
        "box": "box@ch-nord.mssante.fr",
        "label": "Cardiologie",
        "sent_at": datetime(2026, 11, 22, 9, tzinfo=UTC),
        "product": "P-1",
        "software": "Parvis",
    }
    return mss.Answer(**said | changes)


def report(*fields: str, kind: str = "disposition-notification", before: str = "", after: bytes = b"") -> bytes:
    """A report in the words of another operator."""
    head = f"From: box@ch-nord.mssante.fr\r\nTo: a@medecin.mssante.fr\r\nMessage-ID: <r@x>\r\n{before}"
    head += f'Content-Type: multipart/report; report-type={kind}; boundary="b"\r\n\r\n'
    body = f"--b\r\nContent-Type: text/plain\r\n\r\nvoici\r\n--b\r\nContent-Type: message/{kind}\r\n\r\n"
    return (head + body + "\r\n".join(fields)).encode() + b"\r\n" + after + b"\r\n--b--\r\n"


# --- receipts, written --------------------------------------------------------------------------


def test_a_receipt_has_the_three_parts_and_the_whole_original() -> None:
    raw = mss.receipt_for(ORIGINAL, answer())
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "disposition-notification"
    assert [part.get_content_type() for part in mail.iter_parts()] == [  # type: ignore[attr-defined]  # EmailMessage
        "text/plain",
        "message/disposition-notification",
        "message/rfc822",
    ]
    assert ORIGINAL in raw  # byte for byte
    assert (mail["To"], mail["Subject"]) == ("a@medecin.mssante.fr", "XDM/1.0/DDM+CR d'imagerie medicale VIAL Paul")
    assert (mail["In-Reply-To"], mail["X-MSS-NIL"]) == ("<42@medecin.mssante.fr>", "P-1")
    assert b"Disposition: automatic-action/MDN-sent-automatically; processed\r\n" in raw
    assert b"Original-Recipient: rfc822;box@ch-nord.mssante.fr\r\n" in raw


def test_a_receipt_of_what_was_not_taken_says_why() -> None:
    raw = mss.receipt_for(ORIGINAL, answer(error_code="902"))
    assert b"Disposition: automatic-action/MDN-sent-automatically; processed/error\r\n" in raw
    assert b"Error: 902^Identifiant patient inconnu^applicationErrorCondition| E^Error^errorSeverity\r\n" in raw
    subject = BytesParser(policy=policy.default).parsebytes(raw)["Subject"]
    assert subject == "[KO Intégration système !][902] XDM/1.0/DDM+CR d'imagerie medicale VIAL Paul"


@pytest.mark.parametrize("code", sorted(mss.ERRORS))
def test_every_error_that_we_write_reads_back(code: str) -> None:
    read = mss.read_mail(mss.receipt_for(ORIGINAL, answer(error_code=code)))
    assert read.kind is MailKind.RECEIPT
    assert read.receipt is not None
    assert read.receipt.outcome is Outcome.FAILED
    assert read.receipt.error is not None
    assert read.receipt.error.code == code
    assert read.subject.refused_code == code


def test_receipts_of_processing_and_of_reading_read_back() -> None:
    taken = Receipt(
        Outcome.PROCESSED,
        "<42@medecin.mssante.fr>",
        "box@ch-nord.mssante.fr",
        software="ch-nord.mssante.fr; Parvis",
    )
    assert mss.read_mail(mss.receipt_for(ORIGINAL, answer())).receipt == taken
    read = mss.read_mail(mss.receipt_for(ORIGINAL, answer(was_read=True)))
    assert read.receipt is not None
    assert (read.receipt.outcome, read.receipt.is_automatic) == (Outcome.DISPLAYED, False)


def test_a_receipt_is_never_answered_by_a_receipt() -> None:
    read = mss.read_mail(mss.receipt_for(ORIGINAL, answer()))
    assert not read.is_answerable
    assert not read.receipt_to
    assert not read.attachments


def test_a_receipt_goes_to_the_sender_when_the_mail_does_not_say() -> None:
    raw = ORIGINAL.replace(b"Disposition-Notification-To", b"X-Other")
    assert mss.read_mail(mss.receipt_for(raw, answer())).recipients == ("a@medecin.mssante.fr",)


def test_a_mail_of_nobody_has_no_receipt() -> None:
    with pytest.raises(mss.BadAddress):
        mss.receipt_for(b"Subject: x\r\n\r\ny", answer())


def test_a_hostile_original_cannot_add_a_header_to_its_receipt() -> None:
    hostile = ORIGINAL.replace(b"XDM/1.0/DDM+CR d'imagerie", b"=?utf-8?q?a=0D=0ABcc:_x@y.fr?=")
    read = mss.read_mail(mss.receipt_for(hostile, answer()))
    assert read.recipients == ("a@medecin.mssante.fr",)
    assert read.subject.shown == "a Bcc: x@y.fr medicale VIAL Paul"


def test_the_same_receipt_is_the_same_bytes() -> None:
    assert mss.receipt_for(ORIGINAL, answer()) == mss.receipt_for(ORIGINAL, answer())


# --- receipts, read -----------------------------------------------------------------------------


@needs_examples
def test_the_example_receipt_is_read() -> None:
    read = mss.read_mail((EXAMPLES / "07_mdn_ok.eml").read_bytes())
    assert read.kind is MailKind.RECEIPT
    assert read.receipt == Receipt(
        Outcome.PROCESSED,
        "<out-42@chu-test.mssante.fr>",
        "servicey_auto@chb.mssante.fr",
        software="pfi.chb.mssante.fr; PFI etablissement B",
    )


UNKNOWN = ReceiptError("902", "Identifiant patient inconnu")


@pytest.mark.parametrize(
    ("fields", "outcome", "error"),
    [
        (["Disposition: automatic-action/MDN-sent-automatically; processed"], Outcome.PROCESSED, None),
        (["Disposition: manual-action/MDN-sent-manually; displayed"], Outcome.DISPLAYED, None),
        (["disposition: MANUAL-ACTION/mdn-sent-manually;Deleted"], Outcome.DELETED, None),
        (["Disposition: automatic-action/MDN-sent-automatically; failed"], Outcome.FAILED, None),
        (["Disposition: automatic-action/MDN-sent-automatically; processed/error"], Outcome.FAILED, None),
        (
            [
                "Disposition: automatic-action/MDN-sent-automatically; processed/error",
                "Error: 902^Identifiant patient inconnu^applicationErrorCondition| E^Error^errorSeverity",
            ],
            Outcome.FAILED,
            UNKNOWN,
        ),
        (
            ["Disposition: automatic-action/MDN-sent-automatically; processed/Error: 902^Identifiant patient inconnu"],
            Outcome.FAILED,
            UNKNOWN,
        ),
        (
            ["Disposition: automatic-action/MDN-sent-automatically;", " processed/error:", " boîte pleine"],
            Outcome.FAILED,
            ReceiptError("", "boîte pleine"),
        ),
    ],
)
def test_a_receipt_is_read_in_every_spelling(fields: list[str], outcome: Outcome, error: ReceiptError | None) -> None:
    read = mss.read_mail(
        report("Final-Recipient: rfc822; Box@ch-nord.mssante.fr", "Original-Message-ID: <1@x>", *fields)
    )
    assert read.kind is MailKind.RECEIPT
    assert read.receipt is not None
    assert (read.receipt.outcome, read.receipt.error) == (outcome, error)
    assert (read.receipt.recipient, read.receipt.original_message_id) == ("box@ch-nord.mssante.fr", "<1@x>")


def test_a_receipt_that_names_no_mail_is_placed_by_its_thread() -> None:
    raw = report("Disposition: manual-action/MDN-sent-manually; displayed", before="In-Reply-To: <9@x>\r\n")
    receipt = mss.read_mail(raw).receipt
    assert receipt is not None
    assert receipt.original_message_id == "<9@x>"


def test_a_report_that_says_nothing_is_automatic_and_no_receipt() -> None:
    read = mss.read_mail(report("Disposition: ?"))
    assert (read.kind, read.receipt) == (MailKind.AUTOMATIC, None)


# --- bounces ------------------------------------------------------------------------------------


def bounced(status: str, said: str, action: str = "failed") -> mss.Mail:
    fields = ["Reporting-MTA: dns; mx.x", "", "Final-Recipient: rfc822; b@y.mssante.fr", f"Action: {action}"]
    fields += [f"Status: {status}", f"Diagnostic-Code: smtp; {said}"]
    after = b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: x\r\nMessage-ID: <42@x>\r\n"
    return mss.read_mail(report(*fields, kind="delivery-status", before="Return-Path: <>\r\n", after=after))


@pytest.mark.parametrize(
    ("status", "said", "cause"),
    [
        ("5.1.1", "550 5.1.1 User unknown", Cause.UNKNOWN_RECIPIENT),
        ("5.1.1", "550 5.1.1 Patient inconnu", Cause.UNKNOWN_RECIPIENT),
        ("5.1.1", "550 5.1.1 La messagerie de ce patient est fermée", Cause.MAILBOX_CLOSED),
        ("5.2.1", "550 mailbox disabled", Cause.MAILBOX_CLOSED),
        ("5.0.0", "550 boîte clôturée par son titulaire", Cause.MAILBOX_CLOSED),
        ("5.1.2", "550 Host not found", Cause.INVALID_ADDRESS),
        ("5.1.3", "501 bad address syntax", Cause.INVALID_ADDRESS),
        ("5.4.4", "Name service error: Host or domain name not found", Cause.INVALID_ADDRESS),
        ("5.3.4", "552 5.3.4 message size exceeds fixed limit", Cause.TOO_LARGE),
        ("5.2.3", "552 message too large", Cause.TOO_LARGE),
        ("5.0.0", "552 message trop volumineux", Cause.TOO_LARGE),
        ("5.2.2", "552 5.2.2 mailbox full", Cause.TEMPORARY),
        ("4.4.1", "connection timed out", Cause.TEMPORARY),
        ("5.7.1", "550 refused by policy", Cause.OTHER),
        ("", "", Cause.OTHER),
    ],
)
def test_a_bounce_says_why_and_of_which_mail(status: str, said: str, cause: Cause) -> None:
    read = bounced(status, said)
    assert read.kind is MailKind.BOUNCE
    [bounce] = read.bounces
    assert (bounce.cause, bounce.recipient, bounce.original_message_id) == (cause, "b@y.mssante.fr", "<42@x>")
    assert said in bounce.said
    assert not read.is_answerable


def test_a_delay_is_temporary_and_a_delivery_is_no_bounce() -> None:
    assert bounced("5.1.1", "x", "delayed").bounces[0].cause is Cause.TEMPORARY
    arrived = bounced("2.0.0", "250 ok", "delivered")
    assert (arrived.kind, arrived.bounces) == (MailKind.DELIVERY, ())
    assert arrived.delivered == (Delivered("b@y.mssante.fr", "<42@x>"),)


def test_a_mail_to_several_bounces_for_each() -> None:
    fields = ["Reporting-MTA: dns; x", "", "Final-Recipient: rfc822; a@y.fr", "Action: failed", "Status: 5.1.1", ""]
    fields += ["Final-Recipient: rfc822; b@y.fr", "Action: failed", "Status: 5.3.4"]
    read = mss.read_mail(report(*fields, kind="delivery-status"))
    assert [(bounce.recipient, bounce.cause) for bounce in read.bounces] == [
        ("a@y.fr", Cause.UNKNOWN_RECIPIENT),
        ("b@y.fr", Cause.TOO_LARGE),
    ]


def words(text: str, subject: str = "Undelivered Mail Returned to Sender", **headers: str) -> bytes:
    said = {"From": "MAILER-DAEMON@operateur.mssante.fr", "Subject": subject, "In-Reply-To": "<42@x>"} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in said.items())
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("I'm sorry.\n<b@y.fr>: host mx said: 550 5.1.1 <b@y.fr>: Recipient address rejected", Cause.UNKNOWN_RECIPIENT),
        ("<b@y.fr>: message size 30000000 exceeds size limit 25000000 of server", Cause.TOO_LARGE),
        ("<b@y.fr>: la boîte du patient est fermée", Cause.MAILBOX_CLOSED),
        ("<b@y.fr>: Aucun patient : adresse introuvable", Cause.UNKNOWN_RECIPIENT),
        ("<b@y.fr>: Host or domain name not found", Cause.INVALID_ADDRESS),
        ("<b@y.fr>: non", Cause.OTHER),
    ],
)
def test_a_bounce_in_words_alone_is_understood(text: str, cause: Cause) -> None:
    read = mss.read_mail(words(text))
    assert read.kind is MailKind.BOUNCE
    [bounce] = read.bounces
    assert (bounce.cause, bounce.recipient, bounce.original_message_id) == (cause, "b@y.fr", "<42@x>")


def test_a_bounce_in_french_with_a_null_sender_is_understood() -> None:
    raw = words("<b@y.fr> utilisateur inconnu", "Non remis : compte rendu", From="a@y.fr", Return_Path="<>")
    assert mss.read_mail(raw).bounces[0].cause is Cause.UNKNOWN_RECIPIENT


def test_a_person_who_writes_of_a_bounce_is_no_bounce() -> None:
    read = mss.read_mail(words("<b@y.fr>: user unknown", From="Dr A <a@medecin.mssante.fr>"))
    assert (read.kind, read.bounces) == (MailKind.MESSAGE, ())


@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_an_operator_says_has_a_cause(status: str, said: str) -> None:
    assert mss.read_mail(words(f"{status} {said}")).bounces[0].cause in set(Cause)
    assert isinstance(mss.bounces.classified(status, said), Cause)


def test_a_bounce_keeps_little_of_what_is_said() -> None:
    assert mss.read_mail(words("x" * 10_000)).bounces == (Bounce(Cause.OTHER, "", "<42@x>", "", "x" * 500),)
