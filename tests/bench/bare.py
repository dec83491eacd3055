"""The limit of a page: a bare Flask view that renders a constant Jinja page of the same size."""

import os

from flask import Flask

app = Flask("bare")
_PAGE = app.jinja_env.from_string("<!doctype html><html lang=fr><title>{{ title }}</title><main>{{ body }}</main>")
_BODY = "x" * int(os.environ.get("BARE_BYTES", "20000"))


@app.get("/")
def page() -> str:
    return _PAGE.render(title="A page", body=_BODY)
