"""The browser of the tests refuses what it promises to refuse."""

import pytest
from flask import Response
from werkzeug.test import TestResponse, create_environ, run_wsgi_app
from werkzeug.wrappers import Request

from tests.pages import BadPage, refuse_bad_page

GOOD = (
    '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Vos bills – Parvis</title></head><body>'
    '<!-- <h1>not one</h1> --><h1>Vos <b>bills</b></h1><label for="a">A</label><input id="a" aria-describedby="b">'
    '<p id="b">Help</p><textarea aria-label="C"></textarea><input type="hidden" name="d"><svg><title>E</title></svg>'
    '<script nonce="n">if (1 < 2) "</p>"</script></body></html>'
)
FAULTS = {
    "no heading": ("<h1>Vos <b>bills</b></h1>", "", "0 h1"),
    "two headings": ("<h1>Vos", "<h1>Another</h1><h1>Vos", "2 h1"),
    "no language": (' lang="fr"', "", "no lang"),
    "another title": ("Vos bills", "Bonjour", "does not match"),
    "no title": ("<title>Vos bills – Parvis</title>", "", "does not match"),
    "an id twice": ('<p id="b">', '<p id="b"></p><p id="b">', "used twice"),
    "a field without label": ('for="a"', "", "no label"),
    "a text area without label": (' aria-label="C"', "", "no label"),
    "a help text that is not there": ('id="b"', 'id="z"', "names nothing"),
    "a script without nonce": (' nonce="n"', "", "without nonce"),
    "a script with another nonce": ('nonce="n"', 'nonce="m"', "without nonce"),
    "an inline style": ("<p ", '<p style="color: red" ', "inline style"),
    "nothing at all": (GOOD, "", "0 h1"),
}


def answered(page: str, policy: str = "script-src 'nonce-n'") -> TestResponse:
    environ = create_environ("/page")
    answer = Response(page, headers={"Content-Security-Policy": policy})
    return TestResponse(*run_wsgi_app(answer, environ), request=Request(environ))


def test_a_good_page_passes() -> None:
    refuse_bad_page(answered(GOOD))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_is_refused_for(fault: str) -> None:
    good, bad, reason = FAULTS[fault]
    assert good in GOOD
    with pytest.raises(BadPage, match=reason):
        refuse_bad_page(answered(GOOD.replace(good, bad, 1)))


def test_a_page_without_policy_is_refused() -> None:
    with pytest.raises(BadPage, match="no content security policy"):
        refuse_bad_page(answered(GOOD, policy="default-src 'self'"))
