"""What the front desk of the demonstration shows: links to other services, a maintenance to come, legal pages."""

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from portal import db
from portal.catalog import actions as catalog
from portal.catalog.actions import LinkSheet, Sheet
from portal.catalog.legal import actions as legal
from portal.catalog.legal.content import Accessibility, Legal, PersonalData
from portal.catalog.notices import actions as notices
from portal.catalog.notices.actions import Draft

if TYPE_CHECKING:
    from tests.factories.demonstration import World

_SINCE = date(2026, 1, 1)
_TEXTS = {
    "mon-espace-sante": {
        "fr": {"title": "Mon espace santé", "lead": "Votre carnet de santé national : documents, vaccins, messagerie.",
               "uses": "Lire les comptes rendus que l’hôpital y dépose\nÉcrire à votre médecin\nSuivre vos vaccins"},
        "en": {"title": "Mon espace santé", "lead": "Your national health record: documents, vaccines, messages."},
        "es": {"title": "Mon espace santé", "lead": "Su historial nacional de salud: documentos, vacunas, mensajes."},
        "ar": {"title": "Mon espace santé", "lead": "ملفك الصحي الوطني: الوثائق واللقاحات والرسائل."},
    },
    "ameli": {
        "fr": {"title": "ameli", "lead": "Vos droits, vos remboursements, l’attestation à joindre à votre dossier."},
        "en": {"title": "ameli", "lead": "Your cover and refunds, and the certificate that a stay asks for."},
    },
    "soins-non-programmes": {
        "fr": {"title": "Besoin d’un médecin sans attendre", "lead": "Le service d’accès aux soins, quand votre médecin"
               " n’est pas disponible.", "scope": "Toute l’Essonne, jour et nuit"},
        "en": {"title": "A doctor without delay", "lead": "When your own doctor is not available."},
    },
    "viatrajectoire": {
        "fr": {"title": "ViaTrajectoire", "lead": "Demander une place en rééducation, en EHPAD ou à domicile."},
        "en": {"title": "ViaTrajectoire", "lead": "Ask for a place in rehabilitation or in a nursing home."},
    },
    "ortif": {
        "fr": {"title": "ORTIF", "lead": "La télé-expertise de la région, avec les images."},
        "en": {"title": "ORTIF", "lead": "Remote advice from specialists of the region, with images."},
    },
}  # fmt: skip
_LINKS = (
    ("mon-espace-sante", "https://www.monespacesante.fr/", "patient", "national", "heart-pulse"),
    ("ameli", "https://www.ameli.fr/", "patient", "national", "shield-check"),
    ("soins-non-programmes", "https://www.sante.fr/", "everybody", "regional", "phone"),
    ("viatrajectoire", "https://trajectoire.sante-ra.fr/", "everybody", "regional", "folder-open"),
    ("ortif", "https://telesante.exemple.test/", "professional", "regional", "camera"),
)


def demonstrate(world: "World") -> None:
    """Links for the group, words of one hospital, a night of maintenance, what the law asks for."""
    north, south = world.north.establishment, world.south.establishment
    catalog.allow_host(None, "telesante.exemple.test", "La plateforme régionale de télé-expertise")
    for rank, (code, url, audience, reach, icon) in enumerate(_LINKS):
        sheet = LinkSheet(code, url, audience, reach, icon, _SINCE, None, _TEXTS[code], 10 + rank)
        catalog.add_link(None, sheet)
    words = {"fr": {"scope": "Cardiologie, ophtalmologie et chirurgie ambulatoire"}}
    catalog.change_service(north.id, "appointments", Sheet(_SINCE, None, words, 0))
    _announce(south.id)
    _publish(north.id, south.id)


def _announce(south: UUID) -> None:
    night = db.now().replace(hour=21, minute=0, second=0, microsecond=0) + timedelta(days=6)
    notices.announce(
        None,
        Draft(
            "maintenance",
            {"fr": {"title": "Maintenance prévue", "text": "Les paiements et les rendez-vous en ligne seront arrêtés."},
             "en": {"title": "Planned maintenance", "text": "Online payments and appointments will stop."}},
            db.now() - timedelta(hours=1), night + timedelta(hours=4), night, night + timedelta(hours=4),
        ),
    )  # fmt: skip
    over = {"fr": {"title": "Parking du Moulin fermé", "text": "Garez-vous quai Nord."}}
    notices.announce(south, Draft("info", over, db.now() - timedelta(days=30), db.now() - timedelta(days=20)))


def _publish(north: UUID, south: UUID) -> None:
    statement = Accessibility(
        874, date(2026, 9, 15), "Atelier Accès (démonstration)", technologies="HTML\nCSS\nJavaScript\nWAI-ARIA",
        non_compliances="Critère 13.3 : certains comptes rendus PDF anciens ne sont pas balisés",
        environments="Firefox et NVDA\nSafari et VoiceOver", pages="Accueil\nRendez-vous\nPré-admission\nFactures",
        exempt="Images médicales", email="accessibilite@ch-arceau.exemple.test", phone="01 99 00 10 10",
        scheme="Schéma pluriannuel 2026-2028 : un audit par an, les agents formés, les documents balisés.",
    )  # fmt: skip
    legal.publish("accessibility", None, Accessibility(auditor="", non_compliances="Aucun audit"))
    legal.publish("accessibility", None, statement)
    for year, title, state in (
        (2026, "Audit RGAA du portail", "done"),
        (2026, "Former dix agents aux documents accessibles", "under_way"),
        (2027, "Reprendre les modèles de comptes rendus", "planned"),
    ):
        legal.advance(legal.plan(year, title), state)
    host = Legal("Mme Solène Aubry, directrice", "", "Centre hospitalier du Val d’Arceau",
                 "12 avenue des Tilleuls, 91990 Arceau", "01 99 00 10 00", "certificat de démonstration",
                 "securite@ch-arceau.exemple.test")  # fmt: skip
    legal.publish("legal", None, host)
    for place, name in ((north, "Centre hospitalier du Val d’Arceau"), (south, "Hôpital des Deux-Rives")):
        officer = PersonalData(name, "M. Idris Caron", "dpo@ch-arceau.exemple.test")
        legal.publish("personal-data", place, officer)
    legal.report("/factures", "Avec mon lecteur d’écran, je n’entends pas le montant à payer.", "lea@exemple.test")
    legal.report("/rendez-vous", "Les jours sont trop petits sur mon téléphone.")
