"""What a web process serves in the tests of the edge. Apart: gunicorn imports it, and nothing of the portal with it."""

from collections.abc import Callable, Iterable
from typing import Any

_heard: list[str] = []


def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """What the web process serves here: its answer says what was understood, and `/heard/WORD` all that was.
    A body that is not whole is refused, as the portal does."""
    path, word = environ["PATH_INFO"], environ["PATH_INFO"].rpartition("/")[2]
    if path.startswith("/heard/"):
        said = "\n".join(each for each in _heard if word in each)
    else:
        try:
            length = len(environ["wsgi.input"].read())
        except OSError:  # of gunicorn, for pieces that make no sense
            length = -1
        if length < int(environ.get("CONTENT_LENGTH") or 0):
            start_response("400 Bad Request", [("Content-Length", "0"), ("Connection", "close")])
            return []
        said = f"{environ['REQUEST_METHOD']} {environ.get('HTTP_HOST', '')} {path} {length}"
        _heard.append(said)
    start_response("200 OK", [("Content-Length", str(len(said)))])
    return [said.encode()]
