"""What was asked of a library, read from the address of the page: whatever is not understood is left out."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from services.communities.library.queries import Shelf
from services.communities.library.search import LAST_PAGE, Asked


def asked(args: Mapping[str, str], shelves: Sequence[Shelf], today: date) -> Asked:
    """The search that this address means. A category stands for those on it too."""
    until = _day(args.get("until", ""))
    return Asked(
        words=args.get("q", "").strip()[:300].replace("\x00", ""),
        kind=args.get("kind", ""),
        file_kind=args.get("file", ""),
        categories=_categories(args.get("category", ""), shelves),
        author_id=_id(args.get("author", "")),
        since=_day(args.get("since", "")),
        until=until + timedelta(days=1) if until else None,
        late=today if args.get("late") == "1" else None,
        by_date=args.get("sort") == "date",
        page=_page(args.get("page", "")),
    )


def _categories(text: str, shelves: Sequence[Shelf]) -> tuple[UUID, ...]:
    chosen = _id(text)
    for shelf in shelves:
        if chosen == shelf.category.id:
            return shelf.ids
        if chosen in shelf.ids and chosen is not None:
            return (chosen,)
    return ()


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1900 <= found.year <= 2999 else None


def _page(text: str) -> int:
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
