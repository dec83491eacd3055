"""Writes docs/configuration.md from the settings themselves: `python -m tools.configuration`."""

from pathlib import Path

from portal import config

DOCUMENT = Path(__file__).parents[1] / "docs" / "configuration.md"

_INTRODUCTION = """# Configuration

Every variable of the environment, written by `python -m tools.configuration` from `portal/config.py`: change it there.
`parvis config` prints the same list, `parvis check` looks at what you set.

Each secret may also be given as a file: `PORTAL_X_FILE` holds the path, and the file the value (a final line break is
left out). An empty variable counts as not set. What differs from one hospital to another is not here: it is set in the
back-office, or with `parvis establishment set FINESS KEY VALUE`.

Production (`PORTAL_ENV=production`, the default) refuses to start with a weak secret, without https, with an identity
provider or a payment address on this machine or in the demonstration.
"""
_Variable = tuple[str, str, str, str, bool]
_TABLE = "\n| variable | kind | default | meaning |\n|---|---|---|---|\n"


def text() -> str:
    """The whole document."""
    machine: list[_Variable] = []
    providers: dict[str, list[_Variable]] = {provider: [] for provider in config.PROVIDERS}
    for variable in config.variables():
        # The longest name first: FRANCECONNECT_PLUS begins with FRANCECONNECT.
        owner = next((each for each in sorted(config.PROVIDERS, key=len, reverse=True)
                      if variable[0].startswith(f"PORTAL_{each.upper().replace('-', '_')}_")), None)  # fmt: skip
        (machine if owner is None else providers[owner]).append(variable)
    parts = [_INTRODUCTION, "\n## The machine\n", _TABLE, *map(_row, machine)]
    for provider, variables in providers.items():
        parts += [f"\n## Identity provider `{provider}`\n", _TABLE, *map(_row, variables)]
    return "".join(parts)


def _row(variable: _Variable) -> str:
    name, kind, default, meaning, _secret = variable
    shown = f"`{default}`" if default else ""
    return f"| `{name}` | {_escaped(kind)} | {_escaped(shown)} | {_escaped(meaning)} |\n"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
