"""Uploads are encrypted while they arrive: the form parser writes into the encrypting sink, never to a plain file."""

from typing import Any, BinaryIO, cast

from flask import Flask, Request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from portal import files
from portal.files import Arriving

MAX_BODY_BYTES = 512 * 1024
"""Of a request that carries no file. Werkzeug reads such a form at once: twenty megabytes of "a&a&" fill a process."""
MAX_UPLOAD_BYTES = 4 * files.MAX_BYTES + 1024 * 1024
"""Of a request with files: several photographs of a telephone, each of which has its own limit."""
MAX_FILES = 20
"""In one request: each one is an open file while it arrives."""


class EncryptingRequest(Request):
    """A request whose uploads never touch the disk in clear, and leave nothing when nobody takes them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arriving: list[Arriving] = []

    @property
    def max_content_length(self) -> int | None:
        if self._max_content_length is None and self.mimetype != "multipart/form-data":
            return MAX_BODY_BYTES
        return super().max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> Any:
        if len(self._arriving) == MAX_FILES:
            raise RequestEntityTooLarge
        self._arriving.append(Arriving())
        return self._arriving[-1]

    def close(self) -> None:
        """At the end of the request; a form that broke off half-way never named the files it had begun."""
        super().close()
        for arriving in self._arriving:
            arriving.discard()


def register(app: Flask) -> None:
    app.request_class = EncryptingRequest


def arriving(upload: FileStorage | None) -> Arriving | None:
    """The upload behind a file field; None when no file was chosen, or a text was sent in its place."""
    if not isinstance(upload, FileStorage) or not upload.filename:
        return None
    return cast(Arriving, cast(BinaryIO, upload.stream))
