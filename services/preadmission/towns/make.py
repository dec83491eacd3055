"""Writes `towns.csv` again, from `communes.json` of the package @etalab/decoupage-administratif.

python -m services.preadmission.towns.make path/to/communes.json
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from services.preadmission.towns import LIST


def lines(communes: list[dict[str, object]]) -> list[str]:
    """Today's communes only: those that have merged into another one have its name."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in communes:
        if each["type"] == "commune-actuelle":
            for postcode in each.get("codesPostaux") or ():  # type: ignore[attr-defined]  # as the package writes them
                found[postcode].add(str(each["nom"]))
    return [";".join((postcode, *sorted(found[postcode]))) for postcode in sorted(found)]


if __name__ == "__main__":
    LIST.write_text("\n".join(lines(json.loads(Path(sys.argv[1]).read_text("utf-8")))) + "\n", "utf-8")
