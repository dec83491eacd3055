"""files.upload: megabytes a second of a photograph received (hashed, encrypted, written, flushed, sniffed, scanned by
the twin, registered), against hashing, encrypting, writing and flushing the same bytes alone."""

import os
import secrets
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from PIL import Image

from portal import db, files
from portal.file_crypto import CHUNK_SIZE
from tests.bench.harness import application, ground, interleaved, report, seconds, size
from tests.factories import people

NAMES = ("files.upload",)
MEGABYTES = 5
A_ROUND = 4
_READ = 64 * 1024


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        photo = _photo(size(MEGABYTES))
        folder = Path(place.settings.storage_url.removeprefix("file:"))
        with app.app_context():
            with db.transaction(db.system("bench")):
                actor = people.as_patient(*people.patient_with_account())

            def receive() -> None:
                for _ in range(A_ROUND):
                    with db.transaction(actor):
                        arriving = files.from_bytes(photo[at : at + _READ] for at in range(0, len(photo), _READ))
                        files.receive(arriving, "photo.png")

            def seal() -> None:
                for _ in range(A_ROUND):
                    _seal(photo, folder / str(uuid4()))

            megabytes = len(photo) * A_ROUND / 1e6
            ours, limit = interleaved(lambda: megabytes / seconds(receive), lambda: megabytes / seconds(seal))
    report("files.upload", ours, "MB/s", limit, note=f"1 client, PNG of {len(photo) / 1e6:.1f} MB")


def _photo(megabytes: int) -> bytes:
    """Noise: a photograph that no compression makes smaller."""
    side = int((megabytes * 1e6 / 3) ** 0.5)
    made = BytesIO()
    Image.frombytes("RGB", (side, side), secrets.token_bytes(side * side * 3)).save(made, "PNG", compress_level=1)
    return made.getvalue()


def _seal(photo: bytes, path: Path) -> None:
    """What no upload can do without."""
    digest, cipher = sha256(), AESGCM(secrets.token_bytes(32))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as kept:
        for number, at in enumerate(range(0, len(photo), CHUNK_SIZE)):
            chunk = photo[at : at + CHUNK_SIZE]
            digest.update(chunk)
            kept.write(cipher.encrypt(number.to_bytes(12), chunk, None))
        kept.flush()
        os.fsync(kept.fileno())
