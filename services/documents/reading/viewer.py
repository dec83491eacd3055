"""Where a hospital shows the images of its reports: its own viewer, which asks who is there by itself."""

from typing import Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from portal import establishments
from services.documents.cda import Study

SETTING: Final = "image_viewer_url"
"""Of an establishment: an https address with `{accession}`, `{study}` or both, such as
`https://images.ch-exemple.fr/etudes?numero={accession}`."""

_ACCESSION, _STUDY = "{accession}", "{study}"


def address(establishment_id: UUID, study: Study) -> str:
    """The viewer's page of these images, "" when the hospital has none or the report does not say enough."""
    template = establishments.setting(establishment_id, SETTING)
    if not is_template(template):
        return ""
    if (_ACCESSION in template and not study.accession) or (_STUDY in template and not study.uid):
        return ""
    said = {_ACCESSION: study.accession, _STUDY: study.uid}
    for name, value in said.items():
        template = template.replace(name, quote(value, safe=""))
    return template


def is_template(template: str) -> bool:
    """Whether it is an address that can be filled in: https, a host that no document decides, a place to fill."""
    try:
        parts = urlsplit(template)
    except ValueError:
        return False
    filled = _ACCESSION in template or _STUDY in template
    return parts.scheme == "https" and bool(parts.hostname) and "{" not in parts.netloc and filled
