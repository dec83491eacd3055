"""Uploads are encrypted while they arrive: the form parser writes into the encrypting sink, never to a plain file."""

from typing import Any, BinaryIO, cast

from flask import Flask, Request
from werkzeug.datastructures import FileStorage

from portal.files import Arriving


class EncryptingRequest(Request):
    """A request whose uploads never touch the disk in clear."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> Any:
        return Arriving()


def register(app: Flask) -> None:
    app.request_class = EncryptingRequest


def arriving(upload: FileStorage | None) -> Arriving | None:
    """The upload behind a file field; None when no file was chosen."""
    if upload is None or not upload.filename:
        return None
    return cast(Arriving, cast(BinaryIO, upload.stream))
