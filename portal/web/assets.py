"""Where the built styles, script and fonts are.

`assets/build.mjs` writes files whose name holds a hash of their content, so that browsers may keep
them for ever, and one manifest that says which name stands for which file.
"""

import json
from functools import cache
from pathlib import Path

DIST = Path(__file__).resolve().parents[1] / "static" / "dist"


@cache
def manifest() -> dict[str, str]:
    """What `assets/build.mjs` built: logical name (`ui.css`) to file name (`ui.1a2b3c4d.css`)."""
    names: dict[str, str] = json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))
    return names


def asset(name: str) -> str:
    """The path of a built file, as the browser asks for it. KeyError when nothing of that name was built."""
    return f"/static/dist/{manifest()[name]}"


def stylesheet(direction: str) -> str:
    """The path of the styles for a text direction: `ltr` or `rtl`."""
    return asset("ui.rtl.css" if direction == "rtl" else "ui.css")
