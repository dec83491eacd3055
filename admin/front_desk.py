"""The staff's side of the front desk: services on offer, announcements, legal pages, accessibility, register."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from admin import (
    catalogue_words,
    message_text_words,
    routes_accessibility,
    routes_catalogue,
    routes_catalogue_links,  # noqa: F401 - adds its pages to the services' blueprint
    routes_legal_pages,
    routes_message_texts,
    routes_notices,
    routes_processings,
    service_impacts,
)
from auth.wording import say
from portal import catalog
from portal.catalog import Card, Group


def register(app: Flask) -> None:
    """What the portal offers, and what it says of itself."""
    say(catalogue_words.WORDS)
    say(message_text_words.JOURNAL)
    service_impacts.declare()
    for pages in (routes_catalogue.catalogue_pages, routes_notices.notice_pages, routes_legal_pages.legal_pages):
        app.register_blueprint(pages)
    app.register_blueprint(routes_message_texts.pages)
    for pages in (routes_accessibility.accessibility_pages, routes_processings.processing_pages):
        app.register_blueprint(pages)


def offer() -> None:
    """Its entry of the menu."""
    _offer("catalogue", _l("Services on offer"), "layout-dashboard", "admin_catalogue.overview")
    _offer("notices", _l("Notices"), "bell", "admin_notices.overview")
    _offer("legal-pages", _l("Legal pages"), "file-text", "admin_legal.overview")
    _offer("accessibility-plan", _l("Plan of accessibility"), "accessibility", "admin_accessibility.plan")
    _offer("accessibility-reports", _l("Pages that cannot be used"), "message-square", "admin_accessibility.reports")
    _offer("message-texts", _l("Messages that the portal sends"), "mail", "admin_message_texts.texts")
    _offer("processings", _l("Register of processing"), "clipboard-list", "admin_processings.hospitals")


MENU = Group(_l("Services"), "layout-dashboard")


def _offer(code: str, title: object, icon: str, endpoint: str) -> None:
    catalog.offer(Card(code, title, "", icon, endpoint, "staff", title, endpoint, "administration", MENU))
