"""A browser with opinions: every HTML page that passes through a test is checked."""

from collections import Counter
from contextvars import Context
from typing import Any

from flask import session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from lxml import html
from werkzeug.test import TestResponse

from portal import db


class PageClient(FlaskClient):
    """Posts carry a fresh cross-site token by themselves; pages are checked unless `check=False`."""

    def open(self, *args: Any, check: bool = True, **kwargs: Any) -> TestResponse:
        if kwargs.get("method") == "POST" and isinstance(kwargs.get("data"), (dict, type(None))):
            kwargs["data"] = {"csrf_token": self.csrf_token(), **(kwargs.get("data") or {})}
        kwargs.setdefault("headers", {}).setdefault("User-Agent", "Mozilla/5.0 (tests)")
        # A context of its own: two browsers of one test share nothing, as two people do.
        alone = Context()
        response = alone.run(super().open, *args, **kwargs)
        if alone.run(db.is_open):
            raise BadPage(f"{response.request.path}: left a transaction open")
        if (
            check
            and response.mimetype == "text/html"
            and response.status_code != 304
            and kwargs.get("method") != "HEAD"
        ):
            refuse_bad_page(response)
        return response

    def csrf_token(self) -> str:
        """The token a form of this browser would carry."""
        return Context().run(self._draw_token)

    def _draw_token(self) -> str:
        with self.application.test_request_context(), self.session_transaction() as cookie:
            if "csrf_token" in cookie:
                session["csrf_token"] = cookie["csrf_token"]
            token = generate_csrf()
            cookie["csrf_token"] = session["csrf_token"]
        return str(token)


def parsed(page: str) -> Any:
    """A page's elements, without comments (libxml2: every page of the suite passes here, html5lib takes 30 times as
    long)."""
    return html.document_fromstring(page.strip() or "<html></html>", parser=html.HTMLParser(remove_comments=True))


class BadPage(AssertionError):
    """A page breaks a rule that every page keeps."""


def refuse_bad_page(response: TestResponse) -> None:
    """Raise BadPage unless the page has one h1, a title, a language, unique ids, labelled fields, and nonces."""
    tree = parsed(response.text)
    for rule in (_one_heading, _language, _title, _unique_ids, _labels, _errors_are_told):
        if fault := rule(tree):
            raise BadPage(f"{response.request.path}: {fault}")
    if "script-src" not in response.headers.get("Content-Security-Policy", ""):
        raise BadPage(f"{response.request.path}: no content security policy")
    if fault := _scripts(tree, response.headers["Content-Security-Policy"]):
        raise BadPage(f"{response.request.path}: {fault}")


def _one_heading(tree: Any) -> str:
    found = len(tree.findall(".//h1"))
    return "" if found == 1 else f"{found} h1 headings"


def _language(tree: Any) -> str:
    return "" if tree.get("lang") else "no lang on html"


def _title(tree: Any) -> str:
    title = " ".join((tree.findtext(".//title") or "").split())
    heading = " ".join("".join(tree.find(".//h1").itertext()).split())
    core = title.split(" – ")[0].split(" : ", 1)[-1].removeprefix("Error: ")
    return (
        ""
        if title and (core[:25].casefold() in heading.casefold() or heading[:25].casefold() in title.casefold())
        else f"title {title!r} does not match h1 {heading!r}"
    )


def _unique_ids(tree: Any) -> str:
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    twice = {each for each, times in Counter(ids).items() if times > 1}
    return f"ids used twice: {sorted(twice)}" if twice else ""


def _labels(tree: Any) -> str:
    labelled = {label.get("for") for label in tree.iter("label")}
    for tag in ("input", "select", "textarea"):
        for field in tree.iter(tag):
            silent = field.get("type") in ("hidden", "submit", "button")
            if not silent and field.get("id") not in labelled and not field.get("aria-label"):
                return f"a {tag} named {field.get('name')!r} has no label"
    return ""


def _errors_are_told(tree: Any) -> str:
    described = {word for element in tree.iter() for word in (element.get("aria-describedby") or "").split()}
    ids = {element.get("id") for element in tree.iter() if element.get("id")}
    return f"aria-describedby names nothing: {sorted(described - ids)}" if described - ids else ""


def _scripts(tree: Any, policy: str) -> str:
    for script in tree.iter("script"):
        if not script.get("src") and f"nonce-{script.get('nonce')}" not in policy:
            return "an inline script without nonce"
    if any(element.get("style") for element in tree.iter()):
        return "an inline style"
    return ""
