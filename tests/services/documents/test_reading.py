"""What a page shows of a document: its pages, its text, its results, its images; and nothing in it that acts."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pikepdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from PIL import Image

from auth.models import Account
from portal import db
from portal.audit import AuditEvent
from portal.config import Settings
from portal.db import session
from portal.establishments import EstablishmentSetting
from services.documents import cda
from services.documents.models import Document
from services.documents.reading import stylesheet, viewer
from services.documents.reading.wording import unit
from tests.english import in_english as in_english
from tests.factories import documents
from tests.ground import rows
from tests.services.documents.conftest import Ground
from tests.services.documents.test_cda import EXAMPLES, changed, structured
from tests.services.documents.test_results_and_search import file as file
from tests.services.documents.test_results_and_search import letter as letter

SignIn = Callable[[Account | UUID], FlaskClient]
OFFICIAL = EXAMPLES / "rendering" / "CDA-FO.xsl"
LETTERS = sorted((EXAMPLES / "cda").glob("*.xml"))
needs_examples = pytest.mark.skipif(not LETTERS, reason=f"the official examples are not there: {EXAMPLES}")
needs_stylesheet = pytest.mark.skipif(not OFFICIAL.exists(), reason=f"no official stylesheet: {OFFICIAL}")
NAMES = [each.name for each in LETTERS]


@pytest.fixture
def dominique(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.account)


@pytest.fixture
def install(settings: Settings, tmp_path: Path) -> Iterator[Callable[[str | Path], None]]:
    """The operator installs a stylesheet: its text, or the path of one."""

    def installed(what: str | Path) -> None:
        path = what if isinstance(what, Path) else tmp_path / "made.xsl"
        if isinstance(what, str):
            path.write_text(what)
        stylesheet.configure(settings.model_copy(update={"cda_stylesheet": str(path)}))

    yield installed
    stylesheet.configure(settings)


def sheet_of_style(body: str) -> str:
    """A stylesheet that makes a page with this body."""
    return (
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hl7-org:v3"'
        ' exclude-result-prefixes="h"><xsl:template match="/"><html><head><title>t</title></head>'
        f"<body>{body}</body></html></xsl:template></xsl:stylesheet>"
    )


# -- pages as pictures -------------------------------------------------------------------------------------------------


def test_the_pages_of_a_pdf_are_shown_as_pictures(
    ground: Ground, dominique: FlaskClient, letter: Callable[..., UUID]
) -> None:
    known = letter(body=documents.pdf("Tout va bien."))
    page = dominique.get(f"/documents/{known}")
    assert f"/documents/{known}/pages/1" in page.text
    picture = dominique.get(f"/documents/{known}/pages/1")
    assert picture.status_code == 200
    with Image.open(BytesIO(picture.data)) as image:
        assert image.format == "JPEG"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert picture.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("number", [0, 2, 999_999])
def test_a_page_that_is_not_there_is_not_found(
    dominique: FlaskClient, letter: Callable[..., UUID], number: int
) -> None:
    assert dominique.get(f"/documents/{letter()}/pages/{number}").status_code == 404


def test_nobody_else_sees_the_pages_or_the_text(
    ground: Ground, sign_in: SignIn, letter: Callable[..., UUID], client: FlaskClient
) -> None:
    known = letter(("Motif", "Secret."))
    for part in ("pages/1", "mise-en-page"):
        assert sign_in(ground.other_account).get(f"/documents/{known}/{part}").status_code == 404
        assert sign_in(ground.other_agent).get(f"/admin/documents/{known}/{part}").status_code == 404


def test_each_look_at_a_page_is_written_down(
    ground: Ground, dominique: FlaskClient, letter: Callable[..., UUID]
) -> None:
    known = letter()
    dominique.get(f"/documents/{known}/pages/1")
    looked = [each for each in rows(AuditEvent) if each.action == "document.downloaded"]
    assert [each.object_id for each in looked] == [known]


def test_staff_see_the_pages_too(ground: Ground, sign_in: SignIn, letter: Callable[..., UUID]) -> None:
    known = letter()
    agent = sign_in(ground.agent)
    assert f"/admin/documents/{known}/pages/1" in agent.get(f"/admin/documents/{known}").text
    assert agent.get(f"/admin/documents/{known}/pages/1").mimetype == "image/jpeg"


def _pdf(pages: int = 1, password: str = "") -> bytes:
    made = pikepdf.new()
    for _ in range(pages):
        made.add_blank_page()
    out = BytesIO()
    made.save(out, encryption=pikepdf.Encryption(owner=password, user=password) if password else False)
    return out.getvalue()


def test_of_a_very_long_pdf_the_first_pages_are_shown_and_the_others_told(
    dominique: FlaskClient, letter: Callable[..., UUID], in_english: None
) -> None:
    page = dominique.get(f"/documents/{letter(body=_pdf(40))}").text
    assert page.count("/pages/") == 30
    assert "10 more pages are in the document" in page


@pytest.mark.parametrize("body", [_pdf(password="x"), b"%PDF-1.7 broken"], ids=["locked", "broken"])
def test_a_pdf_that_does_not_open_waits_for_no_patient(ground: Ground, body: bytes) -> None:
    from services.documents import jobs

    with db.transaction(db.system("tests")):
        data = documents.letter(ground.traits, body=body)
        (outcome,) = jobs.take_in_file(ground.here, "command", "lettre.xml", data, production=False)
    assert (outcome.outcome, outcome.reason) == ("quarantined", "body_unreadable")


def test_a_copy_that_cannot_be_made_is_told_and_the_file_can_still_be_downloaded(
    dominique: FlaskClient, letter: Callable[..., UUID], in_english: None
) -> None:
    known = letter()
    with db.transaction(db.system("tests")):
        session.get_one(Document, known).shown_file.shown_state = "failed"
    page = dominique.get(f"/documents/{known}").text
    assert "This document cannot be shown here" in page
    assert f"/documents/{known}/fichier" in page
    assert dominique.get(f"/documents/{known}/pages/1").status_code == 404


def test_before_the_worker_has_passed_the_page_says_so(
    ground: Ground, dominique: FlaskClient, in_english: None
) -> None:
    with db.transaction(db.system("tests")):
        known = documents.received(ground.hospital.establishment, documents.letter(ground.traits)).id
    assert "Its pages are being prepared" in dominique.get(f"/documents/{known}").text


# -- the text ----------------------------------------------------------------------------------------------------------


def _pixel() -> str:
    out = BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


PIXEL = _pixel()


def carrying(data: bytes, value: str) -> bytes:
    """A structured letter of one section, which carries this value (the end of its tag, and what is inside)."""
    media = f'<observationMedia classCode="OBS" moodCode="EVN" ID="i"><value {value}</value></observationMedia>'
    return data.replace(b"</text></section>", f"</text><entry>{media}</entry></section>".encode())


def _with_media(value: str) -> bytes:
    text = '<renderMultiMedia referencedObject="i"><caption>Radio</caption></renderMultiMedia>'
    return carrying(structured(text), value)


def test_a_picture_that_the_letter_carries_is_shown_where_it_refers_to_it() -> None:
    (section,) = cda.narrative(_with_media(f'mediaType="image/png" representation="B64">{PIXEL}'))
    assert str(section.html) == f'<img src="data:image/png;base64,{PIXEL}" alt="Radio">Radio'
    assert not section.has_media


@pytest.mark.parametrize(
    "value",
    [
        f'mediaType="image/png" representation="B64">{base64.b64encode(b"<svg onload=alert(1)>").decode()}',
        'mediaType="image/png" representation="B64">not base64 at all',
        f'mediaType="image/png">{PIXEL}',
        'mediaType="image/svg+xml">&lt;svg/&gt;',
    ],
)
def test_what_is_no_picture_is_not_shown_as_one(value: str) -> None:
    (section,) = cda.narrative(_with_media(value))
    assert "<img" not in section.html
    assert section.has_media


def test_a_letter_cannot_write_the_address_of_a_picture_itself() -> None:
    text = '<renderMultiMedia xmlns:p="urn:parvis" p:picture="https://evil.example/x.png" referencedObject="i"/>'
    assert "evil" not in str(cda.narrative(structured(f"a{text}"))[0].html)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ('<table><tbody><tr align="right"><td>1</td></tr></tbody></table>', '<tr class="cda-right">'),
        (
            '<table><tbody><tr><td align="center" styleCode="Bold">1</td></tr></tbody></table>',
            '<td class="cda-center"><strong>1</strong>',
        ),
        ('<table><tbody><tr><td align="x&quot; onclick=&quot;y">1</td></tr></tbody></table>', "<td>1</td>"),
        ('<list listType="ordered" styleCode="LittleAlpha"><item>a</item></list>', '<ol type="a"><li>a</li></ol>'),
        ('<content styleCode="BoldItalics">a</content>', "<em><strong>a</strong></em>"),
    ],
)  # fmt: skip
def test_more_forms_of_a_letter_are_kept(text: str, html: str) -> None:
    assert html in str(cda.narrative(structured(text))[0].html)


def test_ten_thousand_sections_are_read_in_their_order() -> None:
    many = b"<component><section><title>t</title><text>m</text></section></component>" * 10_000
    data = structured("x").replace(b"</structuredBody>", many + b"</structuredBody>")
    assert len(cda.narrative(data)) == 10_001


def test_a_table_larger_than_a_page_is_told_and_what_follows_is_shown(
    ground: Ground, dominique: FlaskClient, letter: Callable[..., UUID], in_english: None
) -> None:
    table = "<table><tbody>" + "<tr><td>a</td><td>b</td></tr>" * 30_000 + "</tbody></table>"
    known = letter(("Immense", table), ("Conclusion", "Repos."))
    page = dominique.get(f"/documents/{known}").text
    assert "Part of this document is not on this page" in page
    assert "This part is too long for this page" in page
    assert "Repos." in page
    assert len(page) < 200_000


def test_a_letter_of_fifty_megabytes_is_refused_before_it_is_read() -> None:
    started = time.process_time()
    with pytest.raises(cda.CdaTooLarge):
        cda.narrative(b"<" + b"a" * (50 * 1024 * 1024))
    assert time.process_time() - started < 1


def test_the_pdf_that_a_structured_letter_carries_is_its_file(
    ground: Ground, dominique: FlaskClient, file: Callable[[bytes], UUID], in_english: None
) -> None:
    inside = base64.b64encode(documents.pdf("La copie")).decode()
    about = documents.structured(ground.traits, [("Motif", "Toux.")])
    known = file(carrying(about, f'mediaType="application/pdf" representation="B64">{inside}'))
    page = dominique.get(f"/documents/{known}").text
    assert "See the pages of the PDF" in page
    assert dominique.get(f"/documents/{known}/fichier").data.startswith(b"%PDF")
    with db.transaction(ground.as_patient):
        assert session.get_one(Document, known).content.patient_id == ground.patient.id


def test_a_structured_letter_whose_pdf_is_broken_is_read_without_it(
    ground: Ground, dominique: FlaskClient, file: Callable[[bytes], UUID]
) -> None:
    inside = base64.b64encode(b"%PDF-1.7 broken").decode()
    about = documents.structured(ground.traits, [("Motif", "Toux.")])
    known = file(carrying(about, f'representation="B64">{inside}'))
    assert "Toux." in dominique.get(f"/documents/{known}").text


# -- the national layout -----------------------------------------------------------------------------------------------


HOSTILE_STYLE = sheet_of_style(
    "<script>alert(1)</script><meta http-equiv='refresh' content='0;url=https://evil.example'/>"
    "<a href='javascript:alert(1)' onclick='x()'>lien</a><a href='https://evil.example'>dehors</a><a href='#b'>bas</a>"
    "<form action='https://evil.example'><input name='x'/>formulaire</form>"
    "<img src='https://evil.example/x.png' onerror='x()'/><link rel='stylesheet' href='https://evil.example/x.css'/>"
    "<p style='position:fixed; display:none; color: red; background-color: url(https://evil.example)'>mots</p>"
    "<svg onload='x()'><a href='javascript:x()'>svg</a></svg>"
)


def laid_out(data: bytes) -> etree._Element:
    page = stylesheet.laid_out(data)
    assert page is not None
    return etree.fromstring(page, etree.HTMLParser())


def test_what_a_stylesheet_makes_is_cleaned(install: Callable[[str], None]) -> None:
    install(HOSTILE_STYLE)
    page = laid_out(structured("x"))
    tags = {element.tag for element in page.iter()}
    assert tags == {"html", "head", "title", "body", "a", "img", "p", "style"}
    assert {name for element in page.iter() for name in element.attrib} == {"lang", "href", "style"}
    assert page.xpath("//@href") == ["#b"]
    assert page.xpath("//@style") == ["color: red"]
    words = "".join(page.itertext())
    assert all(each in words for each in ("lien", "dehors", "formulaire", "mots"))
    assert "alert" not in words


@pytest.mark.parametrize(
    "body",
    [
        "<xsl:value-of select=\"document('file:///etc/passwd')\"/>",
        "<xsl:value-of select=\"document('/etc/hostname')\"/>",
        "<xsl:value-of select=\"document('../other/secret.xml')/a\"/>",
        "<xsl:value-of select=\"document('https://evil.example/x.xml')\"/>",
        '<xsl:value-of select="document(//h:title)"/>',
    ],
)
def test_a_stylesheet_reads_nothing_outside_its_folder(
    install: Callable[[Any], None], tmp_path: Path, body: str
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret.xml").write_text("<a>secret</a>")
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "made.xsl").write_text(sheet_of_style(body))
    install(folder / "made.xsl")
    page = stylesheet.laid_out(structured("x", title="/etc/passwd"))
    assert page is None or (b"root:" not in page and b"secret" not in page)


def test_a_stylesheet_reads_what_lies_beside_it(install: Callable[[Any], None], tmp_path: Path) -> None:
    (tmp_path / "words.xml").write_text("<a>Bonjour</a>")
    install(sheet_of_style("<p><xsl:value-of select=\"document('words.xml')/a\"/></p>"))
    assert b"Bonjour" in (stylesheet.laid_out(structured("x")) or b"")


_AGAIN = "<xsl:for-each select='//* | //@*'>{}</xsl:for-each>"
ENDLESS = sheet_of_style(
    _AGAIN.format(_AGAIN.format(_AGAIN.format(_AGAIN.format("<xsl:value-of select='count(//*)'/>"))))
)
FRAMED = sheet_of_style("<iframe src='data:application/pdf,x'/>")
NO_PAGE = sheet_of_style("").replace("html", "p")


@pytest.mark.parametrize("what", [ENDLESS, FRAMED, NO_PAGE, "<no-stylesheet/>", "not xml"])
def test_when_the_stylesheet_fails_the_portal_lays_the_letter_out(
    ground: Ground,
    dominique: FlaskClient,
    letter: Callable[..., UUID],
    install: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    monkeypatch.setattr(stylesheet, "_SECONDS", 1)
    known = letter(("Motif", "Toux."))
    install(what)
    answer = dominique.get(f"/documents/{known}/mise-en-page")
    assert answer.status_code == 200
    assert "Toux." in answer.text


def test_the_frame_can_do_nothing_and_only_our_page_shows_it(
    dominique: FlaskClient, letter: Callable[..., UUID], install: Callable[[str], None]
) -> None:
    known = letter(("Motif", "Toux."))
    assert "<iframe" not in (page := dominique.get(f"/documents/{known}")).text
    assert "frame-src 'none'" in page.headers["Content-Security-Policy"]
    install(sheet_of_style("<h1>t</h1><p><xsl:value-of select='//h:title[2]'/></p>"))
    page = dominique.get(f"/documents/{known}")
    assert re.search(rf'<iframe [^>]*sandbox src="/documents/{known}/mise-en-page"', page.text)
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    framed = dominique.get(f"/documents/{known}/mise-en-page").headers
    rules = dict(each.strip().partition(" ")[::2] for each in framed["Content-Security-Policy"].split(";"))
    assert rules["sandbox"] == ""
    assert rules["default-src"] == rules["script-src"] == rules["form-action"] == rules["base-uri"] == "'none'"
    assert rules["frame-ancestors"] == "'self'"
    assert (framed["X-Frame-Options"], framed["X-Content-Type-Options"]) == ("SAMEORIGIN", "nosniff")


@needs_examples
@needs_stylesheet
@pytest.mark.parametrize("name", [each for each in NAMES if not each.startswith(("DOC", "IMG"))])
def test_the_official_stylesheet_lays_the_official_examples_out(install: Callable[[Any], None], name: str) -> None:
    install(OFFICIAL)
    data = (EXAMPLES / "cda" / name).read_bytes()
    if cda.pdf_copy(data):  # it frames the PDF alone: the portal shows its pages, and its own layout of the text
        assert stylesheet.laid_out(data) is None
        return
    page = laid_out(data)
    words = " ".join("".join(page.itertext()).split())
    assert cda.read_header(data).patient.birth_name in words
    assert not page.xpath("//script | //iframe | //form | //@*[starts-with(name(), 'on')]")
    assert all(href.startswith("#") for href in page.xpath("//@href"))


@needs_stylesheet
def test_the_official_stylesheet_lets_no_script_of_a_valid_letter_through(install: Callable[[Any], None]) -> None:
    install(OFFICIAL)
    page = laid_out(
        structured('<linkHtml href="javascript:alert(1)">ici</linkHtml><content styleCode="position:fixed">a</content>')
    )
    text = etree.tostring(page, encoding="unicode")
    assert "javascript" not in text
    assert "position:fixed" not in "".join(page.xpath("//@style"))


# -- results and images ------------------------------------------------------------------------------------------------


@needs_examples
def test_results_stand_beside_the_original(
    ground: Ground,
    dominique: FlaskClient,
    file: Callable[[bytes], UUID],
    count_statements: Callable[[], Any],
    in_english: None,
) -> None:
    biology = (EXAMPLES / "cda" / "BIO-CR-BIO_2024.01_TSH_1.xml").read_bytes()
    known = file(biology)
    earlier = biology.replace(b"1.2.250.1.213.1.1.1.55.2024.9", b"1.2.250.9").replace(b"20140402", b"20130402")
    file(earlier.replace(b'value="1.950"', b'value="4.1"'))
    with count_statements() as statements:
        page = dominique.get(f"/documents/{known}").text
    assert len(statements) <= 16, statements
    for said in ("Thyréostimuline (TSH)", "mIU/L", "0.270 – 4.200", "Low", "7.67 pg/ml"):
        assert said in page, said
    assert re.search(r'aria-label="4\.1 on [^"]*2013; 1\.950 on [^"]*2014"', page)


@needs_examples
def test_the_images_of_a_report_are_one_link_away(
    ground: Ground, dominique: FlaskClient, file: Callable[[bytes], UUID], in_english: None
) -> None:
    known = file((EXAMPLES / "cda" / "IMG_CR_IMG_2024.01_CDA-R2-Niveau-1.xml").read_bytes())
    assert "See the images" not in dominique.get(f"/documents/{known}").text
    with db.transaction(db.system("tests")):
        address = "https://images.exemple.test/etudes?numero={accession}"
        session.add(EstablishmentSetting(establishment_id=ground.here, key=viewer.SETTING, value=address))
    page = dominique.get(f"/documents/{known}").text
    link = 'href="https://images.exemple.test/etudes?numero=105234751" target="_blank" rel="noopener noreferrer"'
    assert link in page


@pytest.mark.parametrize(
    ("template", "good"),
    [
        ("https://images.exemple.test/{study}", True),
        ("http://images.exemple.test/{study}", False),
        ("javascript:alert('{study}')", False),
        ("https://{study}.exemple.test/", False),
        ("https://images.exemple.test/", False),
        ("https://[x/{study}", False),
        ("", False),
    ],
)
def test_a_viewers_address_says_where_to_put_the_number(template: str, good: bool) -> None:
    assert viewer.is_template(template) is good


@pytest.mark.parametrize("number", ["1&x=2", "../../evil", "a b", "{study}", "x" * 65, ""])
def test_a_number_that_means_something_in_an_address_is_not_taken(number: str) -> None:
    order = (
        '<inFulfillmentOf><order xmlns:d="urn:dicom-org:ps3-20"><d:accessionNumber extension="@"/></order>'
        "</inFulfillmentOf>"
    ).replace("@", number.replace("&", "&amp;"))
    data = changed("<documentationOf", order + "<documentationOf")
    assert cda.study(data) is None


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ("m[IU]/L", "mIU/L"),
        ("10*9/L", "10⁹/L"),
        ("ug/L", "µg/L"),
        ("mm[Hg]", "mmHg"),
        ("Cel", "°C"),
        ("{score}", "{score}"),
        ("g/dL", "g/dL"),
        ("", ""),
        ("<script>", "<script>"),
    ],
)
def test_units_are_written_as_people_read_them(app: Flask, in_english: None, code: str, read: str) -> None:
    with app.test_request_context("/?lang=en"):
        assert unit(code) == read


def test_a_plain_text_longer_than_a_page_is_cut_and_said_to_be(
    ground: Ground, dominique: FlaskClient, letter: Callable[..., UUID], in_english: None
) -> None:
    known = letter(body=b"mot " * 300_000, media_type="text/plain")
    page = dominique.get(f"/documents/{known}").text
    assert "Part of this document is not on this page" in page
    assert len(page) < 1_100_000
