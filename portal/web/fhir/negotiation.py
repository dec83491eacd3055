"""What a request may look like: JSON in, JSON out, preferences and versions (R4, 3.1.0)."""

import json
import re

from flask import request
from werkzeug.http import parse_options_header

from portal.web.fhir.outcomes import MEDIA, Json, Refused

_ACCEPTED = {MEDIA, "application/json", "text/json", "application/*", "*/*"}
_FORMATS = {"json", MEDIA, "application/json", "text/json"}
_BODIES = {MEDIA, "application/json"}
_MOST_BYTES = 1024 * 1024
_VERSION = re.compile(r'W/"([1-9][0-9]{0,8})"')


def negotiate() -> None:
    """Raises Refused (406) unless JSON is accepted; `_format` decides over the header (R4, 3.1.0.1.11)."""
    wanted = request.args.get("_format", "")
    if wanted:
        accepted = wanted.replace(" ", "+").partition(";")[0].strip().lower() in _FORMATS
    else:
        header = request.headers.get("Accept", "*/*")
        accepted = any(_is_ours(each) for each in header.split(","))
    if not accepted:
        raise Refused.because(406, f"only {MEDIA} is spoken here")


def _is_ours(accepted: str) -> bool:
    kind, options = parse_options_header(accepted)
    if options.get("fhirversion", "4.0") not in ("4.0", "4.0.1") or options.get("q", "1").strip("0.") == "":
        return False
    return kind.lower() in _ACCEPTED


def body(kind: str, most: int = _MOST_BYTES) -> Json:
    """The resource of this type that was sent, of so many bytes at most. Raises Refused (400, 413, 415)."""
    if request.mimetype not in _BODIES:
        raise Refused.because(415, f"send {MEDIA}")
    data = request.stream.read(most + 1) if (request.content_length or 0) <= most else b""
    if (request.content_length or 0) > most or len(data) > most:
        raise Refused.because(413, f"{most // 1_000_000} megabytes at most")
    sent = _parsed(data)
    if sent.get("resourceType") != kind:
        raise Refused.because(400, f"a resource of type {kind} is expected", expression="resourceType")
    return sent


def _parsed(data: bytes) -> Json:
    try:
        sent = json.loads(data.decode(), parse_constant=_refuse_constant)
        if not isinstance(sent, dict):
            raise ValueError
        # What neither UTF-8 nor a column of text takes: half a surrogate pair, a NUL.
        if b"\\u0000" in json.dumps(sent, ensure_ascii=False).encode():
            raise ValueError
    except (ValueError, RecursionError) as error:
        raise Refused.because(400, "the body is not a JSON object", "structure") from error
    return sent


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def preference(name: str) -> str:
    """A directive of the Prefer header (`handling`, `return`), "" when it is not there (RFC 7240)."""
    found = re.findall(rf'(?:^|[,;])\s*{name}\s*=\s*"?([A-Za-z]+)', request.headers.get("Prefer", ""))
    return str(found[0]).lower() if found else ""


def is_strict() -> bool:
    """Whether what is not understood is refused rather than ignored (R4, 3.1.0.1.2 `Prefer: handling`)."""
    return preference("handling") == "strict"


def wants_nothing_back() -> bool:
    return preference("return") == "minimal"


def version_wanted() -> int | None:
    """The version that If-Match names, None when it names none. Raises Refused (400)."""
    header = request.headers.get("If-Match", "").strip()
    if not header:
        return None
    found = _VERSION.fullmatch(header) or re.fullmatch(r'"([1-9][0-9]{0,8})"', header)
    if found is None:
        raise Refused.because(400, 'If-Match is written W/"<version>"')
    return int(found[1])
