"""Office files made by hand, honest and hostile: a zip with the parts that matter."""

import io
import zipfile
from html import escape

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MAIN = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
    "docm": "application/vnd.ms-word.document.macroEnabled.main+xml",
}
_ODF = {
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
}
_ODF_ROOT = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body>'
)


def zipped(parts: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def types(kind: str) -> str:
    return f'<?xml version="1.0"?><Types><Override PartName="/x" ContentType="{_MAIN[kind]}"/></Types>'


def docx(*paragraphs: str, heading: str = "", more: dict[str, str | bytes] | None = None, body: str = "") -> bytes:
    titled = f'<w:p><w:pPr><w:pStyle w:val="Titre1"/></w:pPr><w:r><w:t>{escape(heading)}</w:t></w:r></w:p>'
    lines = "".join(f"<w:p><w:r><w:t>{escape(each)}</w:t></w:r></w:p>" for each in paragraphs)
    document = f'<w:document xmlns:w="{_W}"><w:body>{titled if heading else ""}{lines}</w:body></w:document>'
    return zipped({"[Content_Types].xml": types("docx"), "word/document.xml": body or document, **(more or {})})


def xlsx(*cells: str) -> bytes:
    shared = "".join(f"<si><t>{escape(each)}</t></si>" for each in cells)
    sheet = '<row><c t="s"><v>0</v></c><c><v>42</v></c></row>'
    return zipped(
        {
            "[Content_Types].xml": types("xlsx"),
            "xl/sharedStrings.xml": f'<sst xmlns="{_S}">{shared}</sst>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_S}"><sheetData>{sheet}</sheetData></worksheet>',
        }
    )


def pptx(*slides: str) -> bytes:
    made = {
        f"ppt/slides/slide{number}.xml": f'<p:sld xmlns:p="{_P}" xmlns:a="{_A}"><a:p><a:r>'
        f"<a:t>{escape(text)}</a:t></a:r></a:p></p:sld>"
        for number, text in enumerate(slides, 1)
    }
    return zipped({"[Content_Types].xml": types("pptx"), **made})


def odf(kind: str, *paragraphs: str, heading: str = "", manifest: str = "<manifest/>") -> bytes:
    lines = "".join(f"<text:p>{escape(each)}</text:p>" for each in paragraphs)
    titled = f'<text:h text:outline-level="1">{escape(heading)}</text:h>' if heading else ""
    content = f"{_ODF_ROOT}<office:text>{titled}{lines}</office:text></office:body></office:document-content>"
    return zipped({"mimetype": _ODF[kind], "content.xml": content, "META-INF/manifest.xml": manifest})
