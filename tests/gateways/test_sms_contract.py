"""What an SMS door promises."""

import io

import pytest

from portal.gateways import Refused, Unavailable, UnsupportedUrl
from portal.gateways.sms import connect
from portal.gateways.sms.console import ConsoleSms


def test_a_text_is_printed_for_the_person_who_tries_the_portal(capsys: pytest.CaptureFixture[str]) -> None:
    door = connect("console:")
    door.check()
    door.send("+33612345678", "Votre code : 123456")
    assert "+33612345678" in (printed := capsys.readouterr().out)
    assert "Votre code : 123456" in printed


@pytest.mark.parametrize(
    ("to", "text", "code"),
    [("0612345678", "x", "to"), ("+33 6 12", "x", "to"), ("+336123456789012345", "x", "to"), ("", "x", "to"),
     ("+33612345678\n", "x", "to"), ("+33612345678", " ", "text"), ("+33612345678", "x" * 481, "text")],
)  # fmt: skip
def test_what_no_operator_would_send_is_refused(to: str, text: str, code: str) -> None:
    stream = io.StringIO()
    with pytest.raises(Refused) as refused:
        ConsoleSms(stream=stream).send(to, text)
    assert refused.value.code == code
    assert stream.getvalue() == ""


def test_it_can_be_told_to_fail() -> None:
    door = ConsoleSms(stream=io.StringIO())
    door.faults.refuses = True
    with pytest.raises(Refused):
        door.send("+33612345678", "x")
    door.faults.down = True
    with pytest.raises(Unavailable):
        door.send("+33612345678", "x")
    with pytest.raises(Unavailable):
        door.check()


def test_a_scheme_of_another_version_is_refused() -> None:
    with pytest.raises(UnsupportedUrl):
        connect("smpp://x")
