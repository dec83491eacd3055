"""A hospital's own identity provider: the demonstration's Keycloak.

`python -m tests.factories.hospital_providers` connects both hospitals of a running demonstration to it.
"""

from uuid import UUID

from flask import current_app
from sqlalchemy import select

from auth.demo_idp.audiences import HOSPITAL
from auth.demo_idp.people import HOSPITAL_FINESS_SITES
from auth.demo_idp.server import RunningIdp
from auth.hospital_providers import actions
from auth.hospital_providers.actions import Draft
from auth.hospital_providers.models import HospitalProvider
from portal import config, db, establishments
from portal.app import create_app
from portal.db import session


def draft(idp: RunningIdp, **changes: object) -> Draft:
    """What an administrator would type to use it."""
    given: dict[str, object] = {
        "label": "Mon compte hospitalier",
        "issuer": HOSPITAL.issuer,
        "discovery_url": idp.discovery_url("hospital"),
        "client_id": idp.config.client_id,
        "client_secret": idp.config.client_secret,
        "proof_claim": "acr",
        "proof_values": ("2",),
    }
    return Draft(**{**given, **changes})  # type: ignore[arg-type]  # facts of any field


def hospital_provider(establishment_id: UUID, idp: RunningIdp, **changes: object) -> HospitalProvider:
    """Set it up at this hospital."""
    actions.configure(establishment_id, draft(idp, **changes), current_app.config["SETTINGS"])
    return session.scalars(select(HospitalProvider).where(HospitalProvider.establishment_id == establishment_id)).one()


def main() -> None:
    """Where the demonstration's providers listen now, for both hospitals of the group."""
    settings = config.load()
    national = settings.providers["proconnect"]
    own = Draft(
        label="Mon compte hospitalier",
        issuer=HOSPITAL.issuer,
        discovery_url=national.discovery_url.replace("/proconnect/", "/hospital/"),
        client_id=national.client_id,
        client_secret=national.client_secret.get_secret_value(),
        proof_claim="acr",
        proof_values=("2",),
    )
    with create_app(settings).app_context(), db.transaction(db.system("demonstration")):
        for finess in HOSPITAL_FINESS_SITES:
            actions.configure(establishments.by_finess(finess).id, own, settings)


if __name__ == "__main__":
    main()
