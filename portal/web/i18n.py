"""Languages: `?lang=`, then the account, a cookie, Accept-Language; French otherwise."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, current_app, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations

from portal.web.security import cookie_name
from portal.web.unit_of_work import who

LANGUAGES = {"fr": "Français", "en": "English", "es": "Español", "ar": "العربية"}
RIGHT_TO_LEFT = frozenset({"ar"})
_CATALOGUES = Path(__file__).parents[2] / "translations"
_COOKIE = "parvis_lang"
_YEAR_S = 31_536_000


@dataclass(frozen=True)
class Language:
    """One entry of the language switch, in its own language."""

    code: str
    label: str
    href: str
    current: bool


def register(app: Flask) -> None:
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "fr")
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Europe/Paris")
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", str(_CATALOGUES))
    Babel(app, locale_selector=choose)
    _hasten(app)
    app.context_processor(_in_templates)
    app.after_request(_remember)


def _hasten(app: Flask) -> None:
    """Let a page find its catalogue once, not once a word: a fifth of a page's time went there."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # added by Jinja's i18n extension
        gettext=lambda text: _catalogue().ugettext(text),
        ngettext=lambda one, many, count: _catalogue().ungettext(one, many, count),
        newstyle=True,
        pgettext=lambda context, text: _catalogue().upgettext(context, text),
        npgettext=lambda context, one, many, count: _catalogue().unpgettext(context, one, many, count),
    )


def _catalogue() -> Any:
    locale = get_locale()
    if g.get("catalogue_locale") is not locale:
        g.catalogue_locale, g.catalogue = locale, get_translations()
    return g.catalogue


def choose() -> str:
    """The language of this request; a job or a command speaks the default one unless it forces another."""
    if not has_request_context():
        return "fr"
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    who()  # reads the account, and its language, when nothing has yet
    if g.get("account_locale") in LANGUAGES:
        return str(g.account_locale)
    return remembered() or _preferred()


def remembered() -> str:
    """The language that this browser chose, "" when it chose none."""
    asked = request.cookies.get(cookie_name(_COOKIE), "")
    return asked if asked in LANGUAGES else ""


def _preferred() -> str:
    """The browser's first language that we speak. Werkzeug's own choice gives English to "fr-BE, en;q=0.5"."""
    tags = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0)
    return next((tag for tag in tags if tag in LANGUAGES), "fr")


def _remember(response: Response) -> Response:
    if request.args.get("lang") in LANGUAGES:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(
            cookie_name(_COOKIE), request.args["lang"], max_age=_YEAR_S, samesite="Lax", httponly=True, secure=secure
        )
    return response


def _in_templates() -> dict[str, object]:
    """`page_…` is for the frame of pages: a view that shows something in another language gives it as `locale`."""
    code = str(get_locale() or "fr")
    return {
        "locale": code,
        "page_language": code,
        "text_direction": "rtl" if code in RIGHT_TO_LEFT else "ltr",
        "page_languages": [Language(each, label, _switch(each), each == code) for each, label in LANGUAGES.items()],
    }


def stands_at(path: str) -> None:
    """Let this page's language switch lead to `path`: its own address holds secrets, or serves only once."""
    g.stands_at = path


def _switch(code: str) -> str:
    """This page in another language."""
    if path := g.get("stands_at"):
        return f"{path}?{urlencode({'lang': code})}"
    arguments = [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]
    return f"{request.path}?{urlencode([*arguments, ('lang', code)])}"
