"""A mail that comes is read for what it is; a hostile one costs little, shows nothing and is one fact at most."""

import base64
import contextlib
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.documents import mss
from services.documents.mss import MailKind, MailReason, MailUnreadable

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "testdata" / "eml"
needs_examples = pytest.mark.skipif(not EXAMPLES.exists(), reason=f"the example mails are not there: {EXAMPLES}")
ZIP = b"PK\x03\x04 a package"


def mail(body: bytes = b"Bonjour", **headers: str) -> bytes:
    """A mail with these headers; an underscore stands for a hyphen, an empty value for no header."""
    said = {
        "From": "Dr Adam HODA <adam.hoda@medecin.mssante.fr>",
        "To": "cardiologie@ch-nord.mssante.fr",
        "Subject": "Rendez-vous",
        "Message_ID": "<1@medecin.mssante.fr>",
        "Date": "Sun, 22 Nov 2026 08:00:00 +0100",
    } | headers
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in said.items() if value]
    return "".join(lines).encode() + b"\r\n" + body


def of_parts(*parts: bytes, kind: str = "mixed", **headers: str) -> bytes:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return mail(body, Content_Type=f'multipart/{kind}; boundary="b"', **headers)


def part(media_type: str, body: bytes, disposition: str = "") -> bytes:
    head = f"Content-Type: {media_type}\r\n"
    head += f"Content-Disposition: {disposition}\r\n" if disposition else ""
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(body)


def assert_refused(raw: bytes, reason: MailReason) -> None:
    with pytest.raises(MailUnreadable) as fact:
        mss.read_mail(raw)
    assert fact.value.reason is reason


# --- what it says -------------------------------------------------------------------------------


@needs_examples
def test_the_example_mail_is_read_whole() -> None:
    read = mss.read_mail((EXAMPLES / "01_inbound_pro_xdm.eml").read_bytes())
    assert read.kind is MailKind.MESSAGE
    assert (read.message_id, read.sender, read.label) == (
        "<mss-0001@medecin.mssante.fr>",
        "adam.hoda@medecin.mssante.fr",
        "Dr Adam HODA",
    )
    assert read.subject.shown == "Lettre de liaison a la sortie d'un etabl PAT-TROIS DOMINIQUE 28/03/1979"
    assert read.subject.raw.startswith("XDM/1.0/DDM+Lettre")
    assert (read.type_codes, read.has_ins, read.product) == (("11490-0",), True, "REF-PRODUIT-0001")
    assert read.receipt_to == "adam.hoda@medecin.mssante.fr"
    assert read.is_answerable
    [package] = read.packages
    assert package.name == "IHE_XDM.ZIP"
    assert [joined.media_type for joined in read.attachments] == ["application/zip", "application/pdf"]


def test_a_plain_mail_is_read() -> None:
    read = mss.read_mail(mail(b"Bonjour, voici", In_Reply_To="<0@x>", References="<a@x>\r\n <0@x>"))
    assert (read.kind, read.text) == (MailKind.MESSAGE, "Bonjour, voici")
    assert (read.in_reply_to, read.references) == ("<0@x>", ("<a@x>", "<0@x>"))
    assert read.recipients == ("cardiologie@ch-nord.mssante.fr",)
    assert read.sent_at == datetime(2026, 11, 22, 7, tzinfo=UTC)
    assert not read.attachments
    assert not read.receipt_to


def test_what_we_write_reads_back() -> None:
    written = mss.Outgoing(
        message_id="<1@x.fr>",
        sender=mss.Sender("a@x.fr", "Pôle « Cœur »"),
        recipients=("b@y.fr",),
        sent_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        product="P-1",
        text="L’été\n\nest là.",
        subject="Résultats – suite",
        in_reply_to="<0@x.fr>",
        receipt_to="a@x.fr",
        reply_to="c@x.fr",
    )
    read = mss.read_mail(mss.compose(written))
    assert (read.message_id, read.in_reply_to, read.references) == ("<1@x.fr>", "<0@x.fr>", ("<0@x.fr>",))
    assert (read.sender, read.label, read.reply_to) == ("a@x.fr", "Pôle « Cœur »", "c@x.fr")
    assert (read.subject.shown, read.text) == ("Résultats – suite", "L’été\n\nest là.")
    assert (read.sent_at, read.receipt_to, read.product) == (written.sent_at, "a@x.fr", "P-1")


@pytest.mark.parametrize(
    ("subject", "shown", "replaces", "code"),
    [
        ("XDM/1.0/DDM+CR d'imagerie VIAL Paul", "CR d'imagerie VIAL Paul", False, ""),
        ("[Annule et remplace] XDM/1.0/DDM+CR VIAL Paul", "CR VIAL Paul", True, ""),
        ("Re: XDM/1.0/DDM+CR VIAL Paul", "CR VIAL Paul", False, ""),
        ("TR : RE: [Annule et remplace] XDM/1.0/DDM+CR VIAL Paul", "CR VIAL Paul", True, ""),
        ("[KO Intégration système !][902] XDM/1.0/DDM+CR VIAL Paul", "CR VIAL Paul", False, "902"),
        ("Re: rendez-vous", "rendez-vous", False, ""),
        ("XDM/1.0/DDM+", "XDM/1.0/DDM+", False, ""),
        ("", "", False, ""),
    ],
)
def test_a_subject_is_shown_without_the_words_for_software(subject: str, shown: str, replaces: bool, code: str) -> None:
    read = mss.read_mail(mail(Subject=subject)).subject
    assert (read.shown, read.replaces, read.refused_code) == (shown, replaces, code)
    assert read.raw == subject


@pytest.mark.parametrize(
    ("headers", "closes"),
    [({"Subject": "[FIN]"}, True), ({"X_MSS_MES": "FIN"}, True), ({"Subject": "C'est la [FIN]"}, False), ({}, False)],
)
def test_a_mail_may_close_its_thread(headers: dict[str, str], closes: bool) -> None:
    assert mss.read_mail(mail(**headers)).closes is closes


def test_a_citizen_is_known_by_the_number_in_the_address() -> None:
    assert mss.read_mail(mail(From="279035121518989@patient.mssante.fr")).patient_number == "279035121518989"
    assert mss.read_mail(mail(From="190012a00100156@PATIENT.mssante.fr")).patient_number == "190012A00100156"
    assert mss.read_mail(mail(From="279035121518989@patient.mssante.fr.evil.fr")).patient_number == ""


def test_a_mail_without_identifier_is_known_again() -> None:
    first, again = (mss.read_mail(mail(Message_ID="")) for _ in range(2))
    assert first.message_id == again.message_id != mss.read_mail(mail(b"autre", Message_ID="")).message_id


# --- words --------------------------------------------------------------------------------------


def test_the_plain_words_are_taken_before_the_html() -> None:
    raw = of_parts(part("text/plain", b"en clair"), part("text/html", b"<b>en gras</b>"), kind="alternative")
    assert mss.read_mail(raw).text == "en clair"


def test_a_mail_of_html_alone_is_read_as_words() -> None:
    html = (
        "<html><head><title>x</title><style>p{}</style></head><body><p>Bonjour <b>Léa</b>,</p><script>alert(1)</script>"
        '<p>voir <a href="https://ch-nord.fr/a">ici</a><a href="javascript:x()"> et là</a></p></body></html>'
    )
    read = mss.read_mail(mail(base64.encodebytes(html.encode()), Content_Type="text/html; charset=utf-8",
                              Content_Transfer_Encoding="base64"))  # fmt: skip
    assert read.text == "Bonjour Léa,\n\nvoir ici (https://ch-nord.fr/a) et là"


@pytest.mark.parametrize(
    ("charset", "body"),
    [("iso-8859-1", b"\xe9t\xe9"), ("utf-8", "été".encode()), ("windows-1252", b"\xe9t\xe9"), ("", b"\xe9t\xe9"),
     ("punycode", "été".encode()), ("x-unknown", b"\xe9t\xe9"), ("utf-8", b"\xe9t\xe9")],
)  # fmt: skip
def test_words_are_read_in_any_charset(charset: str, body: bytes) -> None:
    assert mss.read_mail(mail(body, Content_Type=f"text/plain; charset={charset}")).text == "été"


def test_signs_that_turn_words_round_are_left_out() -> None:
    assert mss.read_mail(mail("a\u202eb\x07c".encode(), Content_Type="text/plain; charset=utf-8")).text == "abc"
    assert mss.read_mail(mail(Subject="=?utf-8?q?a=E2=80=AEb=0D=0AX?=")).subject.shown == "a b X"


def test_a_very_long_text_is_cut() -> None:
    assert len(mss.read_mail(mail(b"a" * 3_000_000)).text) == 200_000


# --- joined files -------------------------------------------------------------------------------


def test_joined_files_come_as_they_were_sent() -> None:
    raw = of_parts(
        part("text/plain", b"voici"),
        part("application/zip", ZIP, 'attachment; filename="IHE_XDM.ZIP"'),
        part("application/pdf", b"%PDF", "attachment; filename*=UTF-8''r%C3%A9sultat.pdf"),
        part("image/jpeg", b"\xff\xd8", 'inline; filename="=?utf-8?q?photo_=C3=A9t=C3=A9=2Ejpg?="'),
        part("text/plain", b"note", 'attachment; filename="note.txt"'),
    )
    read = mss.read_mail(raw)
    assert [(joined.name, joined.data) for joined in read.attachments] == [
        ("IHE_XDM.ZIP", ZIP),
        ("résultat.pdf", b"%PDF"),
        ("photo été.jpg", b"\xff\xd8"),
        ("note.txt", b"note"),
    ]
    assert [joined.name for joined in read.packages] == ["IHE_XDM.ZIP"]
    assert read.text == "voici"


def test_a_package_is_known_by_its_bytes_not_by_its_name() -> None:
    raw = of_parts(part("application/octet-stream", ZIP, "attachment; filename=a.bin"))
    assert mss.read_mail(raw).packages


def test_a_mail_cut_in_the_middle_gives_what_came() -> None:
    raw = of_parts(part("text/plain", b"voici"), part("application/pdf", b"%PDF" * 1000, "attachment; filename=a.pdf"))
    read = mss.read_mail(raw[:-2000])
    assert read.text == "voici"
    assert b"%PDF%PDF".startswith(read.attachments[0].data[:8])


# --- who wrote: a person or software ------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (rejected)"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<a.b>"},
    ],
)
def test_an_automatic_mail_is_never_answered(headers: dict[str, str]) -> None:
    read = mss.read_mail(mail(Disposition_Notification_To="a@b.fr", **headers))
    assert read.kind is MailKind.AUTOMATIC
    assert not read.is_answerable
    assert not read.receipt_to


def test_a_person_is_answered() -> None:
    read = mss.read_mail(mail(Auto_Submitted="no", Disposition_Notification_To="A@b.fr"))
    assert (read.kind, read.is_answerable, read.receipt_to) == (MailKind.MESSAGE, True, "a@b.fr")


def test_documents_that_software_sends_are_taken_and_never_answered() -> None:
    read = mss.read_mail(
        of_parts(part("application/zip", ZIP, "attachment; filename=a.zip"), Auto_Submitted="auto-generated")
    )
    assert read.kind is MailKind.MESSAGE
    assert read.packages
    assert not read.is_answerable


def test_our_own_automatic_mails_and_receipts_start_no_loop() -> None:
    written = mss.Outgoing(
        message_id="<1@x.fr>", sender=mss.Sender("a@x.fr", "A"), recipients=("b@y.fr",), product="P",
        sent_at=datetime(2026, 1, 1, tzinfo=UTC), text="absent", subject="Absence", is_automatic=True,
    )  # fmt: skip
    assert not mss.read_mail(mss.compose(written)).is_answerable


# --- hostile ------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    body = b"text"
    for level in range(depth):
        name = f"b{level}".encode()
        body = b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n--%s\r\n%s\r\n--%s--\r\n' % (
            name,
            name,
            body,
            name,
        )
    return b"From: a@b.fr\r\n" + body


def test_parts_in_parts_have_an_end() -> None:
    assert mss.read_mail(nested(10)).kind is MailKind.MESSAGE
    assert_refused(nested(13), MailReason.TOO_DEEP)
    assert_refused(nested(20_000), MailReason.TOO_DEEP)


def test_parts_have_a_count() -> None:
    assert_refused(of_parts(*[b"\r\nx"] * 200), MailReason.TOO_MANY_PARTS)
    assert_refused(of_parts(*[part("image/png", b"x", "attachment; filename=a")] * 40), MailReason.TOO_MANY_ATTACHMENTS)


def test_headers_have_a_size_and_a_count() -> None:
    assert_refused(b"From: a@b.fr\r\nX: " + b"a" * 200_000, MailReason.HEADERS)
    assert_refused(b"From: a@b.fr\r\n" + b"X: 1\r\n" * 600 + b"\r\nx", MailReason.HEADERS)


def test_a_mail_has_a_size() -> None:
    with pytest.raises(MailUnreadable) as fact:
        mss.read_mail(mail(b"a" * 2000), max_bytes=1000)
    assert fact.value.reason is MailReason.TOO_LARGE


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"hello", b"\x00\xff" * 500, b"MSH|^~\\&|A|B"])
def test_what_is_no_mail_is_refused(raw: bytes) -> None:
    assert_refused(raw, MailReason.NOT_A_MAIL)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "multipart/mixed"},
        {"Content_Type": 'multipart/mixed; boundary=""'},
        {"Content_Type": 'multipart/mixed; boundary="' + "(" * 5000},
        {"Content_Type": "text/plain; charset*0*=x'y; charset*1=z"},
        {"Content_Type": "text/plain; " + ";".join(f"a*{n}=b" for n in range(2000))},
        {"Content_Transfer_Encoding": "base64"},
        {"Content_Transfer_Encoding": "quoted-printable"},
        {"Content_Transfer_Encoding": "x-uuencode"},
        {"From": "(" * 5000 + "a@b.fr"},
        {"From": "=?utf-8?b?////?= <a@b.fr>"},
        {"From": "=?punycode?q?x?= <a@b.fr>"},
        {"Date": "Sun, 99 Foo 99999 99:99:99 +9999"},
        {"Date": "Mon, 1 Jan 0001 00:00:00 +2359"},
        {"Subject": "=?utf-8?q?" + "=C3" * 4000 + "?="},
        {"References": "<" * 10_000},
        {"X_MSS_CODECDA": ",".join("x" * 100 for _ in range(1000))},
        {"Disposition_Notification_To": "<<<>>>, ,,"},
    ],
)
def test_malformed_headers_never_stop_a_mail(headers: dict[str, str]) -> None:
    assert mss.read_mail(mail(**headers)).message_id == "<1@medecin.mssante.fr>"


def test_a_large_mail_costs_a_few_times_its_size_and_little_time() -> None:
    raw = of_parts(part("application/zip", ZIP + bytes(18_000_000), "attachment; filename=a.zip"))
    tracemalloc.start()
    begun = time.process_time()
    read = mss.read_mail(raw)
    spent = time.process_time() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(read.packages[0].data) == 18_000_000 + len(ZIP)
    assert peak < 4 * len(raw)
    assert spent < 10


@pytest.mark.parametrize("filling", [b"\n", b"--b\r", b"--b", b"\r\n\r\n", b"a: b\r\n", b"=", b"<" * 10, b"--b\r\n--b"])
def test_no_filling_makes_a_mail_slow(filling: bytes) -> None:
    raw = of_parts(b"\r\n" + filling * (2_000_000 // len(filling)))
    begun = time.process_time()
    with contextlib.suppress(MailUnreadable):
        mss.read_mail(raw)
    assert time.process_time() - begun < 10


@settings(max_examples=150)
@given(st.binary(max_size=2000))
def test_whatever_the_bytes_there_is_a_mail_or_one_fact(data: bytes) -> None:
    for raw in (data, mail(data), b"From: a@b.fr\r\n" + data, mail(data, Content_Type="text/html")):
        with contextlib.suppress(MailUnreadable):
            assert mss.read_mail(raw).message_id


WHOLE = of_parts(
    part("text/html", b"<p>voici</p>"),
    part("application/zip", ZIP, "attachment; filename*=UTF-8''%C3%A9.zip"),
    part("message/disposition-notification", b"Disposition: automatic-action/MDN-sent-automatically; processed"),
    part("message/delivery-status", b"Reporting-MTA: dns; x\r\n\r\nAction: failed\r\nStatus: 5.1.1"),
    Subject="=?utf-8?q?XDM/1=2E0/DDM+=C3=A9t=C3=A9?=",
    Content_Language="fr",
)


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 30), st.binary(max_size=12))
def test_a_mail_changed_anywhere_is_a_mail_or_one_fact(at: int, length: int, other: bytes) -> None:
    try:
        read = mss.read_mail(WHOLE[:at] + other + WHOLE[at + length :])
    except MailUnreadable:
        return
    assert read.message_id
    assert read.text == read.text.replace("\x00", "")
