"""The copy itself: one zip with the data as JSON for machines, as PDF for people, and the files as they were sent.

It is written as a stream, so that it can be encrypted while it is made and never lies readable on a disk.
"""

import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any, Protocol, cast
from zoneinfo import ZoneInfo

from flask_babel import format_date, format_datetime, get_locale, get_timezone
from flask_babel import gettext as _

from auth.account.export import Entry, Part, Value
from portal.files import StoredFile
from portal.pdf import Sheet

_READ = Callable[[StoredFile], Iterator[bytes]]
_STAMP = (1980, 1, 1, 0, 0, 0)
"""The zip format's first date: the copy's own date is inside, not in each entry."""


class Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...


class _Stream:
    """What zipfile may only append to: it has no position, so nothing is written twice."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, data: bytes) -> int:
        return self._sink.write(bytes(data))

    def flush(self) -> None:
        pass


def write(sink: Sink, name: str, made_at: datetime, parts: Sequence[Part], read: _READ) -> None:
    """Write the whole zip. name: whose data it is; read: opens one stored file."""
    with zipfile.ZipFile(cast(IO[bytes], _Stream(sink)), "w", zipfile.ZIP_DEFLATED) as archive:
        paths = _paths(parts)
        _put(archive, _("my-data") + ".json", [as_json(name, made_at, parts, paths)])
        _put(archive, _("my-data") + ".pdf", [as_pdf(name, made_at, parts, paths)])
        files = {str(stored.id): stored for part in parts for stored in part.files}
        for file_id, path in paths.items():
            _put(archive, path, read(files[file_id]))


def _put(archive: zipfile.ZipFile, path: str, chunks: Iterator[bytes] | list[bytes]) -> None:
    entry = zipfile.ZipInfo(path, _STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(entry, "w") as inside:
        for chunk in chunks:
            inside.write(chunk)


def _paths(parts: Sequence[Part]) -> dict[str, str]:
    """File id → its path in the zip, once each; two files of one name are numbered."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for part in parts:
        for stored in part.files:
            if str(stored.id) in found:
                continue
            path, number = f"{_('files')}/{part.code}/{stored.name}", 1
            while path in taken:
                number += 1
                path = f"{_('files')}/{part.code}/{number}-{stored.name}"
            taken.add(path)
            found[str(stored.id)] = path
    return found


# -- for machines ------------------------------------------------------------------------------------------------


def as_json(name: str, made_at: datetime, parts: Sequence[Part], paths: dict[str, str]) -> bytes:
    """UTF-8 JSON: dates as ISO 8601, amounts in cents, one key per part."""
    content = {
        "format": "parvis-export-1",
        "person": name,
        "made_at": made_at.isoformat(),
        **{part.code: _plain(part, paths) for part in parts},
    }
    return json.dumps(content, ensure_ascii=False, indent=2).encode()


def _plain(part: Part, paths: dict[str, str]) -> dict[str, Any]:
    entries = [{fact.code: _machine(fact.value) for fact in entry.facts} for entry in part.entries]
    return {"entries": entries, "files": [_file(stored, paths) for stored in part.files]}


def _file(stored: StoredFile, paths: dict[str, str]) -> dict[str, Any]:
    return {
        "path": paths[str(stored.id)],
        "media_type": stored.media_type,
        "bytes": stored.size,
        "sha256": stored.sha256.hex(),
        "received_at": stored.created_at.isoformat(),
    }


def _machine(value: Value) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


# -- for people --------------------------------------------------------------------------------------------------


def as_pdf(name: str, made_at: datetime, parts: Sequence[Part], paths: dict[str, str]) -> bytes:
    """The same data to read and print, A4."""
    sheet = Sheet(_("My data – %(name)s", name=name), _language())
    sheet.heading(_("My data"))
    sheet.say(_("%(name)s, on %(moment)s", name=name, moment=human(made_at)))
    sheet.say(_("This is everything the portal holds about you. The same data is in the JSON file, for machines."))
    for part in parts:
        sheet.heading(str(part.title), 2)
        if not part.entries and not part.files:
            sheet.say(_("Nothing."))
        for entry in part.entries:
            _describe(sheet, entry)
        for stored in part.files:
            sheet.say(_("File: %(path)s", path=paths[str(stored.id)]))
    return sheet.written()


def _describe(sheet: Sheet, entry: Entry) -> None:
    sheet.heading(entry.title, 3)
    for fact in entry.facts:
        if text := str(fact.words) or human(fact.value):
            sheet.say(_("%(label)s: %(value)s", label=str(fact.label), value=text))


def _language() -> str:
    return str(get_locale() or "fr").partition("_")[0]


def human(value: Value) -> str:
    """A value as people read it, in the current language; "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, datetime):
        return str(format_datetime(value.astimezone(get_timezone() or ZoneInfo("Europe/Paris")), "short"))
    if isinstance(value, date):
        return str(format_date(value, "long"))
    return ", ".join(value) if isinstance(value, list) else str(value)
