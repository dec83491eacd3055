"""The limit of a page: a bare Flask view that renders a constant Jinja page of the same size."""

import os

from flask import Flask, render_template_string

app = Flask("bare")
_PAGE = "<!doctype html><html lang=fr><title>{{ title }}</title><main>{{ body }}</main>"
_BODY = "x" * int(os.environ.get("BARE_BYTES", "20000"))


@app.get("/")
def page() -> str:
    return render_template_string(_PAGE, title="A page", body=_BODY)
