"""The text of a file is read within limits, whatever the file holds."""

import io
import string

import pikepdf
import pytest
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st

from portal.apart import GaveUp
from portal.file_opening import check_office
from portal.file_sniffing import FileDamaged, FileLocked, FileTypeLies, Kind, MacrosRefused, sniff
from services.communities.library.reading import acronyms, bounded, excerpts, folding
from tests.services.communities.library import office

_BILLION = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x><t>&b;</t></x>'


def pdf(*pages: str) -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=12)
    for text in pages:
        made.add_page()
        made.multi_cell(0, 8, text)
    return bytes(made.output())


class TestAFileGivesItsText:
    def test_a_pdf_page_after_page(self) -> None:
        read = bounded.read(pdf("Conduite à tenir", "Deuxième feuille"), "pdf")
        assert read.pages == 2
        assert "Conduite à tenir" in read.content
        assert "Deuxième feuille" in read.content

    def test_a_word_document_and_its_titles(self) -> None:
        read = bounded.read(office.docx("Peser chaque semaine.", heading="Dénutrition"), "docx")
        assert read.headings == "Dénutrition"
        assert read.content.split("\n")[:2] == ["Dénutrition", "Peser chaque semaine."]

    def test_a_sheet_without_its_figures(self) -> None:
        assert bounded.read(office.xlsx("Créatinine", "Clairance"), "xlsx").content.split() == [
            "Créatinine",
            "Clairance",
        ]

    def test_a_figure_of_a_sheet_that_may_be_the_number_of_somebody(self) -> None:
        cells = '<row><c><v>185057800608436</v></c><c><v>42</v></c><c t="str"><f>A1</f><v>1850578006084</v></c></row>'
        sheet = f'<worksheet xmlns="{office._S}"><sheetData>{cells}</sheetData></worksheet>'
        parts = {"[Content_Types].xml": office.types("xlsx"), "xl/worksheets/sheet1.xml": sheet}
        assert bounded.read(office.zipped(parts), "xlsx").content.split() == ["185057800608436", "1850578006084"]

    def test_what_was_written_in_the_margin(self) -> None:
        margin = f'<w:comments xmlns:w="{office._W}"><w:p><w:r><w:t>Vu avec elle</w:t></w:r></w:p></w:comments>'
        assert "Vu avec elle" in bounded.read(office.docx("x", more={"word/comments.xml": margin}), "docx").content

    def test_slides_in_their_order(self) -> None:
        slides = [f"feuille {number}" for number in range(1, 12)]
        read = bounded.read(office.pptx(*slides), "pptx")
        assert [line for line in read.content.replace("\f", "\n").split("\n") if line] == slides
        assert read.pages == 11

    @pytest.mark.parametrize("kind", ["odt", "ods", "odp"])
    def test_an_open_document(self, kind: str) -> None:
        read = bounded.read(office.odf(kind, "L’œdème aigu", heading="Urgences"), kind)
        assert read.headings == "Urgences"
        assert "L’œdème aigu" in read.content

    @pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-8-sig"])
    def test_plain_text_in_any_usual_letters(self, encoding: str) -> None:
        assert bounded.read("Évaluation gériatrique".encode(encoding), "txt").content == "Évaluation gériatrique"

    def test_a_scan_has_none_and_it_is_known(self) -> None:
        blank = FPDF()
        blank.add_page()
        assert bounded.read(bytes(blank.output()), "pdf").is_empty


class TestAHostileFileOnlyHarmsItsReader:
    def test_entities_are_never_expanded(self) -> None:
        with pytest.raises(GaveUp):
            bounded.read(office.docx(body=_BILLION), "docx")

    def test_entities_hidden_by_another_encoding_are_not_either(self) -> None:
        made = office.zipped({"word/document.xml": _BILLION.encode("utf-16")})
        with pytest.raises(GaveUp):
            bounded.read(made, "docx")

    def test_a_part_that_unpacks_without_end_is_left(self) -> None:
        with pytest.raises(GaveUp):
            bounded.read(office.docx(body="<w>" + " " * 40_000_000 + "</w>"), "docx")

    def test_elements_without_end_are_left(self) -> None:
        with pytest.raises(GaveUp):
            bounded.read(office.docx(body="<a>" * 5000 + "</a>" * 5000), "docx")

    @given(data=st.binary(max_size=200))
    def test_rubbish_is_no_office_file(self, data: bytes) -> None:
        with pytest.raises(FileDamaged):
            check_office(data, Kind.DOCX)

    @pytest.mark.parametrize("kind", ["docx", "odt", "pdf"])
    def test_rubbish_is_left(self, kind: str) -> None:
        with pytest.raises(GaveUp):
            bounded.read(b"PK\x03\x04 rubbish", kind)

    def test_a_pdf_that_is_locked_is_left(self) -> None:
        made = io.BytesIO()
        with pikepdf.open(io.BytesIO(pdf("secret"))) as opened:
            opened.save(made, encryption=pikepdf.Encryption(user="a", owner="b"))
        with pytest.raises(GaveUp):
            bounded.read(made.getvalue(), "pdf")


class TestAnOfficeFileIsWhatItSays:
    @pytest.mark.parametrize(
        ("data", "kind"),
        [
            (office.docx("a"), Kind.DOCX),
            (office.xlsx("a"), Kind.XLSX),
            (office.pptx("a"), Kind.PPTX),
            (office.odf("odt", "a"), Kind.ODT),
            (office.odf("ods", "a"), Kind.ODS),
            (office.odf("odp", "a"), Kind.ODP),
        ],
    )
    def test_known_by_its_parts(self, data: bytes, kind: Kind) -> None:
        assert sniff(data[:4096], f"protocole.{kind}") is kind
        check_office(data, kind)

    def test_a_program_in_it_is_refused(self) -> None:
        with pytest.raises(MacrosRefused):
            check_office(office.docx("a", more={"word/vbaProject.bin": b"\xcc\x61"}), Kind.DOCX)

    def test_a_renamed_document_with_macros_is_refused(self) -> None:
        with pytest.raises(MacrosRefused):
            check_office(office.docx("a", more={"[Content_Types].xml": office.types("docm")}), Kind.DOCX)

    @pytest.mark.parametrize(
        "said", ["application/vnd.ms-office.VbaProject", "application/vnd.ms-excel.macrosheet+xml"]
    )
    def test_macros_under_any_name_are_refused(self, said: str) -> None:
        types = office.types("xlsx").replace(
            "</Types>", f'<Override PartName="/xl/a.bin" ContentType="{said}"/></Types>'
        )
        parts = {"[Content_Types].xml": types, "xl/a.bin": b"\xcc\x61"}
        with pytest.raises(MacrosRefused):
            check_office(office.zipped(parts), Kind.XLSX)

    def test_scripts_of_an_open_document_are_refused(self) -> None:
        made = office.zipped({"mimetype": "application/vnd.oasis.opendocument.text", "Basic/Standard/a.xml": "<a/>",
                              "META-INF/manifest.xml": "<m/>"})  # fmt: skip
        with pytest.raises(MacrosRefused):
            check_office(made, Kind.ODT)

    def test_a_password_is_told(self) -> None:
        with pytest.raises(FileLocked):
            sniff(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "protocole.docx")
        with pytest.raises(FileLocked):
            check_office(office.odf("odt", "a", manifest="<m><manifest:encryption-data/></m>"), Kind.ODT)

    def test_one_kind_under_the_name_of_another_is_refused(self) -> None:
        with pytest.raises(FileTypeLies):
            check_office(office.xlsx("a"), Kind.DOCX)

    def test_any_other_archive_is_refused(self) -> None:
        with pytest.raises(FileDamaged):
            check_office(office.zipped({"readme.txt": "a"}), Kind.DOCX)

    def test_a_bomb_is_refused_by_what_it_says_of_itself(self) -> None:
        made = office.zipped({"[Content_Types].xml": office.types("docx"), "a": b"\0" * (301 * 1024 * 1024)})
        with pytest.raises(FileDamaged):
            check_office(made, Kind.DOCX)

    def test_a_program_named_as_a_text_is_refused(self) -> None:
        with pytest.raises(FileTypeLies):
            sniff(b"MZ\x90\x00\x03", "notes.txt")


class TestWordsAreFoundHoweverTheyAreSpelt:
    @pytest.mark.parametrize(
        ("text", "folded"),
        [
            ("L’œdème", ["oedeme"]),
            ("B.P.C.O. stade III", ["bpco", "stade", "iii"]),
            ("hospitalisée, hospitalisées", ["hospitalise", "hospitalises"]),
            ("co-\nordination des soins", ["coordination", "des", "soins"]),
            ("hépatite C", ["hepatite", "c"]),
            ("anti-inflammatoire", ["anti", "inflammatoire"]),
            ("jusqu'à l'arrivée", ["a", "arrive"]),
        ],
    )
    def test_folding(self, text: str, folded: list[str]) -> None:
        assert folding.words(text) == folded

    @given(st.text(max_size=300))
    def test_folded_words_are_plain_whatever_the_text(self, text: str) -> None:
        for word in folding.words(text):
            assert word
            assert set(word) <= set(string.ascii_lowercase + string.digits)

    def test_a_question_keeps_what_tells(self) -> None:
        assert folding.asked("Que faire devant une chute ?") == ["chute"]

    def test_a_question_of_empty_words_keeps_them(self) -> None:
        assert folding.asked("que faire") == ["que", "faire"]

    def test_an_acronym_stands_for_its_meaning_and_the_reverse(self) -> None:
        assert acronyms.groups(["hta", "severe"]) == [["hta", "hypertension arterielle"], ["severe"]]
        assert acronyms.groups(folding.asked("hypertension artérielle")) == [["hypertension arterielle", "hta"]]

    def test_spellings_prefer_accents(self) -> None:
        assert folding.spellings("DENUTRITION puis dénutrition")["denutrition"] == "dénutrition"


class TestAnExcerptShowsWhatWasAsked:
    def test_words_are_marked_whatever_their_accents(self) -> None:
        pieces = excerpts.excerpt("Traiter l’œdème sans attendre.", ["oedem"])
        assert [piece.text for piece in pieces if piece.marked] == ["œdème"]

    def test_the_place_with_most_words_is_chosen(self) -> None:
        text = "La chute. " + "rien " * 200 + "Une chute chez une personne sous anticoagulant." + " rien" * 200
        shown = "".join(piece.text for piece in excerpts.excerpt(text, ["chut", "anticoagul"]))
        assert "sous anticoagulant" in shown

    @given(st.text(max_size=500), st.lists(st.text(string.ascii_lowercase, max_size=8), max_size=4))
    def test_an_excerpt_is_a_part_of_the_text(self, text: str, stems: list[str]) -> None:
        shown = "".join(piece.text for piece in excerpts.excerpt(text, stems)).removeprefix("… ").removesuffix(" …")
        flat = "".join(" " if each.isspace() else each for each in text)
        assert shown in flat or flat in shown
        assert len(shown) <= excerpts.LENGTH + 31
