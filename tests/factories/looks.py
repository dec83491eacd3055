"""The fictional hospitals wear a logo and name their data protection officer."""

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from admin import actions_hospitals
from portal import establishments
from portal.db import session
from portal.establishments import Establishment
from portal.files_apart import emblem

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def demonstrate(world: "World") -> None:
    """Two logos, two addresses."""
    for where in (world.north, world.south):
        hospital = session.get_one(Establishment, where.establishment.id)
        drawn = logo(hospital.brand_colour)
        actions_hospitals.wear_logo(hospital, *emblem(drawn, actions_hospitals.LOGO_BOX))
        establishments.change_setting(hospital.id, "data_protection_email", hospital.email.replace("accueil", "dpd"))


def logo(colour: str) -> bytes:
    """Three arches on nothing: a PNG."""
    picture = Image.new("RGBA", (640, 320), (255, 255, 255, 0))
    pen = ImageDraw.Draw(picture)
    for number, (left, top) in enumerate(((20, 140), (220, 40), (420, 140))):
        pen.rounded_rectangle((left, top, left + 180, 400), radius=90, fill=colour if number == 1 else f"{colour}b0")
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
