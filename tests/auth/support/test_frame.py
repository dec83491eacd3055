"""A page taken to pieces: nothing on it can be done, and no link leads where the agent may not go."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from auth.support import frame
from tests.pages import parsed

BASE = "/admin/assistance/7/ecrans"


def leads(href: str) -> str:
    return f"{BASE}{href}" if href.startswith("/mes-") else ""


def framed(body: str, head: str = "") -> str:
    page = f"<!doctype html><html lang=fr><head>{head}</head><body class=a>{body}</body></html>"
    return frame.reframe(page, "<section>BANNER</section>", leads)


def test_the_banner_is_first_but_for_the_link_that_skips_to_the_content() -> None:
    page = framed("<h1>Bonjour &eacute;t&#233;</h1>")
    assert page.index("BANNER") < page.index("<h1>")
    assert "Bonjour &eacute;t&#233;" in page
    page = framed('<script>x</script>\n<a class="govuk-skip-link" href="#main">Aller</a><header>H</header>')
    assert page.index("Aller</a>") < page.index("BANNER") < page.index("<header>")
    assert all(
        framed(body).count("BANNER") == 1 for body in ("", "words alone", "<script>x()", "<a class=govuk-skip-link")
    )


def test_links_lead_to_screens_or_nowhere() -> None:
    tree = parsed(framed('<a href="/mes-papiers?a=1">A</a><a href="/autre">B</a><a href="#main">C</a>'
                         '<a href="javascript:alert(1)">D</a><a href="https://ailleurs.test/">E</a>'))  # fmt: skip
    assert tree.xpath("//a/@href") == [f"{BASE}/mes-papiers?a=1", "#main"]
    assert len(tree.xpath("//a[@aria-disabled]")) == 3


def test_forms_scripts_and_frames_are_gone() -> None:
    page = framed(
        '<form method=post action="/payer"><input type=hidden name=csrf_token value=SECRET><input name=x>'
        '<button name=go formaction="/x">Payer</button></form><script>evil()</script><iframe src="/x"></iframe>'
        '<img src="/documents/1/fichier"><img src="/static/a.svg" onload="x()"><p onclick="x()" nonce=N>T</p>',
        head='<meta http-equiv="refresh" content="0;url=/x"><link rel=stylesheet href="https://ailleurs.test/a.css">',
    )
    for gone in ("<form", "SECRET", "csrf", "formaction", "/payer", "evil", "iframe", "fichier", "onload", "onclick",
                 "nonce", "ailleurs", "url=/x"):  # fmt: skip
        assert gone not in page, gone
    assert "<button disabled>Payer" in page
    assert 'src="/static/a.svg"' in page


_TAGS = st.sampled_from((
    "a", "p", "form", "input", "button", "script", "iframe", "img", "svg", "use", "object", "base", "link", "meta",
    "style", "math", "textarea", "select", "video", "source", "template", "noscript", "SCRIPT", "dialog",
))  # fmt: skip
_ATTRIBUTES = st.sampled_from((
    'href="/mes-x"', 'href="/out"', "href=javascript:x()", "onclick=x()", 'src="/out"', "action=/out", 'style="a:b"',
    "formaction=/out", 'xlink:href="/out"', "srcset=/out", 'HREF="/out"', "type=hidden", "http-equiv=refresh",
    'content="0;url=/out"', "disabled", 'ping="/out"', "href='/out", "data=/out",
))  # fmt: skip


@st.composite
def _soup(draw: st.DrawFn) -> str:
    parts = []
    for _n in range(draw(st.integers(0, 8))):
        attributes = " ".join(draw(st.lists(_ATTRIBUTES, max_size=3)))
        shape = draw(st.sampled_from(("<{} {}>", "<{} {}/>", "</{}{}>", "<{} {}>x", "<!--<{} {}>-->")))
        parts.append(shape.format(draw(_TAGS), attributes))
    return "".join(parts)


@given(_soup())
@settings(max_examples=200)
def test_whatever_is_on_the_page_nothing_can_be_done(body: str) -> None:
    tree = parsed(framed(body))
    assert tree.xpath("//script | //iframe | //object | //form | //base | //template | //video") == []
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in ("action", "formaction", "ping", "style", "srcset")
            if name.endswith(("href", "src", "data")):
                assert re.match(rf"#|{BASE}/mes-|/static/", value), (name, value)
    controls = tree.xpath("//*[self::button or self::input or self::select or self::textarea][not(@disabled)]")
    assert controls == []
