"""A stored file opens whole and unchanged, with the right key and as the file it is, or does not open."""

import hashlib
import io
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.file_crypto import (
    CHUNK_SIZE,
    HEADER_SIZE,
    Encrypter,
    FileKeyMissing,
    FileKeys,
    FileKeysInvalid,
    FileTampered,
    NotAnEncryptedFile,
    decrypt,
    key_id_of,
    rewrap,
)

SEALED_CHUNK = CHUNK_SIZE + 16
OLD = {"k2025": b"\x01" * 32}
NEW = {"k2026": b"\x02" * 32}
KEYS = FileKeys.of(OLD)

# Every way a file can sit on the boundaries of its chunks.
SIZES = [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE, 3 * CHUNK_SIZE + 7]


def content(size: int) -> bytes:
    """Different in every chunk, so that two chunks exchanged would show."""
    return b"".join(number.to_bytes(8, "big") for number in range(size // 8 + 1))[:size]


def encrypted(plain: bytes, keys: FileKeys = KEYS, context: bytes = b"") -> bytes:
    sink = io.BytesIO()
    encrypter = Encrypter(sink.write, keys, context)
    encrypter.write(plain)
    encrypter.finish()
    return sink.getvalue()


def opened(sealed: bytes, keys: FileKeys = KEYS, context: bytes = b"") -> bytes:
    return b"".join(decrypt(io.BytesIO(sealed), keys, context))


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back_as_it_was(size: int) -> None:
    assert opened(encrypted(content(size))) == content(size)


@pytest.mark.parametrize("size", SIZES)
def test_size_and_fingerprint_are_those_of_the_plaintext(size: int) -> None:
    encrypter = Encrypter(lambda _: None, KEYS)
    encrypter.write(content(size))
    assert encrypter.finish() == (size, hashlib.sha256(content(size)).digest())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, CHUNK_SIZE + 100), max_size=8))
def test_the_pieces_in_which_it_arrives_do_not_matter(sizes: list[int]) -> None:
    plain = content(sum(sizes))
    sink, position = io.BytesIO(), 0
    encrypter = Encrypter(sink.write, KEYS)
    for size in sizes:
        assert encrypter.write(plain[position : position + size]) == size
        position += size
    encrypter.finish()
    assert opened(sink.getvalue()) == plain


class Dripping:
    """A source that gives fewer bytes than asked, as sockets do."""

    def __init__(self, data: bytes) -> None:
        self.stream = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        return self.stream.read(min(size, 70_001))


def test_a_source_that_drips_is_read_to_its_end() -> None:
    plain = content(2 * CHUNK_SIZE + 5)
    assert b"".join(decrypt(Dripping(encrypted(plain)), KEYS)) == plain


def test_writing_streams_instead_of_filling_memory() -> None:
    written: list[int] = []
    encrypter = Encrypter(lambda data: written.append(len(data)), KEYS)
    encrypter.write(bytes(3 * CHUNK_SIZE))
    assert written == [HEADER_SIZE, SEALED_CHUNK, SEALED_CHUNK]


def test_reading_streams_instead_of_filling_memory() -> None:
    source = io.BytesIO(encrypted(content(8 * CHUNK_SIZE)))
    next(decrypt(source, KEYS))
    assert source.tell() <= HEADER_SIZE + 2 * SEALED_CHUNK


def test_nothing_of_the_plaintext_can_be_seen() -> None:
    assert b"Jeanne Martin" not in encrypted(b"Jeanne Martin" * 1000)


def test_the_same_file_twice_gives_two_different_ones() -> None:
    assert encrypted(b"a letter")[HEADER_SIZE:] != encrypted(b"a letter")[HEADER_SIZE:]


def test_the_encrypter_is_used_once() -> None:
    encrypter = Encrypter(lambda _: None, KEYS)
    encrypter.finish()
    with pytest.raises(ValueError, match="after finish"):
        encrypter.write(b"more")
    with pytest.raises(ValueError, match="twice"):
        encrypter.finish()


# --- what an attacker, a bad disk or a stopped process can do -----------------------------------


def boundaries(sealed: bytes) -> Iterator[int]:
    yield from range(HEADER_SIZE, len(sealed), SEALED_CHUNK)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_cut_at_any_chunk_is_refused(size: int) -> None:
    sealed = encrypted(content(size))
    for boundary in boundaries(sealed):
        for cut in {boundary, boundary + 1, boundary + 15, boundary + 16, boundary + 17, len(sealed) - 1}:
            if cut < len(sealed):
                with pytest.raises(FileTampered):
                    opened(sealed[:cut])


def test_a_file_whose_writer_stopped_half_way_is_refused() -> None:
    sink = io.BytesIO()
    Encrypter(sink.write, KEYS).write(content(3 * CHUNK_SIZE))
    with pytest.raises(FileTampered):
        opened(sink.getvalue())


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda a, b, c: [b, a, c], id="reordered"),
        pytest.param(lambda a, b, c: [a, c], id="one left out"),
        pytest.param(lambda a, b, c: [a, a, b, c], id="one repeated"),
        pytest.param(lambda a, b, c: [a, b], id="end left out"),
        pytest.param(lambda a, b, c: [c], id="only the end"),
        pytest.param(lambda a, b, c: [a, b, c, c], id="end repeated"),
        pytest.param(lambda a, b, c: [a, b, c, b"x"], id="something added"),
    ],
)
def test_chunks_cannot_be_moved(damage: Callable[[bytes, bytes, bytes], list[bytes]]) -> None:
    sealed = encrypted(content(3 * CHUNK_SIZE))
    chunks = [sealed[at : at + SEALED_CHUNK] for at in boundaries(sealed)]
    with pytest.raises(FileTampered):
        opened(sealed[:HEADER_SIZE] + b"".join(damage(chunks[0], chunks[1], chunks[2])))


def test_a_chunk_of_another_file_is_refused() -> None:
    mine, other = encrypted(content(2 * CHUNK_SIZE)), encrypted(content(2 * CHUNK_SIZE))
    with pytest.raises(FileTampered):
        opened(mine[: HEADER_SIZE + SEALED_CHUNK] + other[HEADER_SIZE + SEALED_CHUNK :])


def test_a_whole_file_in_the_place_of_another_is_refused() -> None:
    with pytest.raises(FileTampered):
        opened(encrypted(b"the other's", context=b"file 2"), context=b"file 1")
    assert opened(encrypted(b"mine", context=b"file 1"), context=b"file 1") == b"mine"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_one_flipped_bit_anywhere_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(encrypted(b"Compte rendu d'hospitalisation"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((FileTampered, NotAnEncryptedFile, FileKeyMissing)):
        opened(bytes(sealed))


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_file_of_ours_are_refused(data: bytes) -> None:
    with pytest.raises(NotAnEncryptedFile):
        opened(data)


def test_a_header_problem_shows_before_the_first_byte_is_sent() -> None:
    with pytest.raises(NotAnEncryptedFile):
        decrypt(io.BytesIO(b"%PDF-1.7"), KEYS)


# --- keys ---------------------------------------------------------------------------------------


def test_another_key_under_the_same_name_opens_nothing() -> None:
    imposter = FileKeys.of({"k2025": b"\x09" * 32})
    with pytest.raises(FileTampered):
        opened(encrypted(b"a letter"), imposter)


def test_a_key_that_was_dropped_is_named() -> None:
    with pytest.raises(FileKeyMissing) as fact:
        opened(encrypted(b"a letter"), FileKeys.of(NEW))
    assert fact.value.key_id == "k2025"


def test_rotation_opens_old_files_and_seals_new_ones_with_the_new_key() -> None:
    both = FileKeys.of(NEW | OLD)
    assert opened(encrypted(b"old", KEYS), both) == b"old"
    assert key_id_of(encrypted(b"new", both)[:HEADER_SIZE]) == "k2026"


def test_after_rewrapping_the_old_key_is_no_longer_needed() -> None:
    sealed = encrypted(content(CHUNK_SIZE + 1))
    header = rewrap(sealed[:HEADER_SIZE], FileKeys.of(NEW | OLD))
    assert len(header) == HEADER_SIZE
    assert opened(header + sealed[HEADER_SIZE:], FileKeys.of(NEW)) == content(CHUNK_SIZE + 1)


@pytest.mark.parametrize(
    "ring",
    [
        {},
        {"": b"k" * 32},
        {"k1": b"short"},
        {"k1": b"k" * 33},
        {"a name too long to fit": b"k" * 32},
        {"clé": b"k" * 32},
    ],
)
def test_keys_that_cannot_be_used_are_refused(ring: dict[str, bytes]) -> None:
    with pytest.raises(FileKeysInvalid):
        FileKeys.of(ring)


def test_keys_never_show_in_a_traceback() -> None:
    with pytest.raises(FileKeysInvalid) as fact:
        FileKeys.of({"k2025": b"not 32 bytes"})
    assert "not 32 bytes'" not in str(fact.value)
    assert "\\x01" not in repr(KEYS)
