"""What the front desk shows: the digital services on offer, per establishment, with links to those of others; notices;
legal pages.

Drawers: `cards` (what rooms there are), `models`, `words` (texts in several languages), `links` (which addresses may be
linked to), `impacts` (whom a change touches), `actions`, `queries`; `notices` and `legal` have drawers of their own.
"""

from portal.catalog import legal, notices
from portal.catalog.cards import Card, Group, card, cards, offer, staff_cards
from portal.catalog.models import CatalogChange, LinkHost, PublishedService, ServiceLink
from portal.catalog.queries import open_at, open_codes, open_on, publish

__all__ = [
    "Card", "CatalogChange", "Group", "LinkHost", "PublishedService", "ServiceLink", "card", "cards", "legal",
    "notices", "offer", "open_at", "open_codes", "open_on", "publish", "staff_cards",
]  # fmt: skip
