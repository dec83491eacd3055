"""The demonstration's operator of secure mail, as a hospital's administrator would set it up.

`python -m tests.factories.mssante` tells both hospitals of a running demonstration where it listens now.
"""

import os
from pathlib import Path

from auth.demo_idp.people import HOSPITAL_FINESS_SITES
from portal import config, db, establishments
from portal.app import create_app
from portal.gateways import mssante
from portal.gateways.mssante.twin.process import PAPERS


def settings(url: str, papers: Path) -> dict[str, str]:
    """A hospital's settings. papers: the folder where the twin writes them."""
    anchors, certificate, key, revocations = (str(papers / name) for name in PAPERS)
    return dict(zip(mssante.SETTINGS, (url, anchors, certificate, key, revocations), strict=True))


def main() -> None:
    """Both hospitals of the group."""
    found = settings(os.environ["MSSANTE_TWIN_URL"], Path(os.environ["MSSANTE_TWIN_PAPERS"]))
    with create_app(config.load()).app_context(), db.transaction(db.system("demonstration")):
        for finess in HOSPITAL_FINESS_SITES:
            for key, value in found.items():
                establishments.change_setting(establishments.by_finess(finess).id, key, value)


if __name__ == "__main__":
    main()
