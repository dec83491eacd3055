"""A page taken to pieces and put together again so that nothing on it can be done.

Pure: no Flask, no database. Scripts, forms, frames and hidden fields are left out; every control is disabled; a link
stays when it leads to another screen that may be seen; pictures and styles stay when they are the portal's own. What
is not known is left out.
"""

from collections.abc import Callable, Sequence
from html import escape
from html.parser import HTMLParser

Leads = Callable[[str], str]
"""Given the `href` of a link, where it leads for the agent; "" for nowhere."""

_LEFT_OUT = frozenset(("script", "iframe", "object", "embed", "noscript", "template", "audio", "video", "base",
                        "dialog", "style"))  # fmt: skip
_VOID = frozenset(("embed", "base"))
_CONTROLS = frozenset(("button", "input", "select", "textarea", "fieldset"))
_OF_FORMS = frozenset(("action", "formaction", "formmethod", "formtarget", "method", "enctype", "name", "form", "ping"))
_SKIP_LINK = "govuk-skip-link"
_OURS = ("/static/", "/theme/", "/logo/")
_ADDRESSES = frozenset(
    ("href", "src", "srcset", "poster", "background", "data", "cite", "longdesc", "manifest", "xlink:href")
)

Attributes = Sequence[tuple[str, str | None]]


def reframe(page: str, banner: str, leads: Leads) -> str:
    """The page with our banner above it; only the link that skips to the content comes before."""
    parser = _Frame(banner, leads)
    parser.feed(page)
    parser.close()
    parser.put_banner()
    return "".join(parser.out)


class _Frame(HTMLParser):
    def __init__(self, banner: str, leads: Leads) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._banner, self._leads = banner, leads
        self._left_out = 0
        self._in_body = self._in_skip_link = False

    def put_banner(self) -> None:
        """Once."""
        self.out.append(self._banner)
        self._banner = ""

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag in _LEFT_OUT:
            self._left_out += tag not in _VOID
        if self._left_out or tag in _LEFT_OUT or self._is_out_of_place(tag, dict(attrs)):
            return
        if self._in_body and self._banner and not self._in_skip_link:
            self._in_skip_link = tag == "a" and _SKIP_LINK in (dict(attrs).get("class") or "")
            if not self._in_skip_link:
                self.put_banner()
        kept = "".join(self._attribute(name, value) for name, value in self._kept(tag, attrs))
        self.out.append(f"<{'div' if tag == 'form' else tag}{kept}>")
        self._in_body = self._in_body or tag == "body"

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        if tag not in _LEFT_OUT:
            self.handle_starttag(tag, attrs)
            if self.out and self.out[-1].startswith(f"<{tag}") and self.out[-1].endswith(">"):
                self.out[-1] = f"{self.out[-1][:-1]}/>"

    def handle_endtag(self, tag: str) -> None:
        if tag in _LEFT_OUT:
            self._left_out = max(0, self._left_out - (tag not in _VOID))
        elif not self._left_out:
            self.out.append(f"</{'div' if tag == 'form' else tag}>")
            if self._in_skip_link and tag == "a" and self._banner:
                self.put_banner()

    def handle_data(self, data: str) -> None:
        self._put(data)

    def handle_entityref(self, name: str) -> None:
        self._put(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._put(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self._put(f"<!{decl}>")

    def _put(self, text: str) -> None:
        if not self._left_out:
            self.out.append(text)

    @staticmethod
    def _is_out_of_place(tag: str, given: dict[str, str | None]) -> bool:
        if tag == "input":
            return (given.get("type") or "").lower() == "hidden"
        if tag == "meta":
            return "http-equiv" in given
        if tag == "link":
            return not _is_ours(given.get("href"))
        return tag in ("img", "source") and not _is_ours(given.get("src"))

    def _kept(self, tag: str, attrs: Attributes) -> Attributes:
        kept: list[tuple[str, str | None]] = []
        for name, value in attrs:
            if name == "href" and tag in ("a", "area"):
                to = value if (value or "").startswith("#") else self._leads(value or "")
                kept.append(("href", to) if to else ("aria-disabled", "true"))
            elif self._stays(tag, name, value):
                kept.append((name, value))
        if tag in _CONTROLS:
            kept.append(("disabled", None))
        return kept

    @staticmethod
    def _stays(tag: str, name: str, value: str | None) -> bool:
        if name.startswith("on") or name in ("nonce", "disabled", "download", "target", "autofocus"):
            return False
        if name in _OF_FORMS:
            return tag == "meta" and name == "name"
        if name == "data-module" or name == "style":
            return False
        return name not in _ADDRESSES or _is_ours(value)

    @staticmethod
    def _attribute(name: str, value: str | None) -> str:
        return f" {name}" if value is None else f' {name}="{escape(value)}"'


def _is_ours(address: str | None) -> bool:
    return (address or "").startswith(_OURS)
