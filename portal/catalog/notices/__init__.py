"""Notices on every page: a word to visitors, a warning, an announced maintenance, an urgent closure."""

from portal.catalog.notices.models import LEVELS, SiteNotice
from portal.catalog.notices.queries import forget, shown

__all__ = ["LEVELS", "SiteNotice", "forget", "shown"]
