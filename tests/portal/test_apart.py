"""Hostile bytes are opened in a process apart: what it does to itself, it does alone."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from portal import apart, files_apart
from portal.apart import CannotStart, GaveUp
from portal.file_sniffing import FileDamaged, FileLocked, FileRefused, FileTypeLies, ImageTooLarge, Kind, TooManyPages
from portal.files_apart import CannotCopy
from tests.portal.test_file_copies import photo
from tests.portal.test_file_sniffing import pdf, png_of_declared_size


def reader(tmp_path: Path, body: str) -> Path:
    """A module whose `answer` does this."""
    path = tmp_path / "reader_of_a_test.py"
    path.write_text("import os, resource, signal, sys, time\ndef answer(data, *more):\n    " + body)
    return path


class TestAProcessApart:
    def test_answers_with_what_the_module_makes_of_the_bytes(self, tmp_path: Path) -> None:
        path = reader(tmp_path, "return data[::-1] + more[0].encode()")
        assert apart.run(path, b"abc" * 100_000, ["é"]) == b"cba" * 100_000 + "é".encode()

    @pytest.mark.parametrize("body", [
        "return bytes(2**31)",
        "raise RecursionError",
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "os._exit(3)",
        "return b'x' * 2_000",
    ], ids=["eats", "breaks", "crashes", "ends", "talks"])  # fmt: skip
    def test_that_falls_falls_alone(self, tmp_path: Path, body: str) -> None:
        with pytest.raises(GaveUp):
            apart.run(reader(tmp_path, body), b"x" * 1_000_000, most=1_000)

    @pytest.mark.parametrize("body", ["\n    while True: pass", "time.sleep(60)"], ids=["turns", "sleeps"])
    def test_is_ended_when_it_takes_too_long(self, tmp_path: Path, body: str) -> None:
        began = time.monotonic()
        with pytest.raises(GaveUp):
            apart.run(reader(tmp_path, body), b"", seconds=1)
        assert time.monotonic() - began < 30, "it would have slept a minute"

    @pytest.mark.parametrize("body", [
        "time.sleep(60)",
        "return bytes(9_000_000)",
    ], ids=["sleeps", "talks"])  # fmt: skip
    def test_is_gone_when_it_was_given_up(self, tmp_path: Path, body: str) -> None:
        path = reader(tmp_path, f"os.symlink(str(os.getpid()), more[0])\n    {body}")
        number = tmp_path / "number"
        with pytest.raises(GaveUp):
            apart.run(path, b"", [str(number)], seconds=1, most=1_000)
        for _each in range(100):
            if not Path("/proc", os.readlink(number)).exists():
                return
            time.sleep(0.05)
        pytest.fail("it is still there")

    def test_comes_from_a_clean_one_that_is_started_again_when_it_is_gone(self, tmp_path: Path) -> None:
        path = reader(tmp_path, "return str(os.getppid()).encode()")
        first = int(apart.run(path, b""))
        assert int(apart.run(path, b"")) == first
        os.kill(first, signal.SIGKILL)
        assert int(apart.run(path, b"")) != first

    def test_serves_many_at_once(self, tmp_path: Path) -> None:
        path = reader(tmp_path, "time.sleep(0.01); return data[::-1]")
        with ThreadPoolExecutor(8) as several:
            made = list(several.map(lambda number: apart.run(path, b"%d" % number), range(100, 140)))
        assert made == [str(number)[::-1].encode() for number in range(100, 140)]

    def test_whose_module_does_not_load_is_no_fault_of_the_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "broken.py"
        path.write_text("import nothing_of_that_name\n")
        with pytest.raises(CannotStart):
            apart.run(path, b"")
        assert apart.run(reader(tmp_path, "return data"), b"still here") == b"still here"

    def test_knows_none_of_our_secrets(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORTAL_SECRET_KEY", "the-secret")
        path = reader(tmp_path, "return repr(os.environ).encode() + open('/proc/self/environ', 'rb').read()")
        assert b"the-secret" not in apart.run(path, b"")

    def test_is_given_no_file_or_line_of_ours(self, tmp_path: Path) -> None:
        read, write = os.pipe()
        try:
            os.set_inheritable(write, False)
            open_ones = apart.run(reader(tmp_path, "return repr(os.listdir('/proc/self/fd')).encode()"), b"")
        finally:
            os.close(read)
            os.close(write)
        assert open_ones.count(b",") < 5, "three standard ones, the answer's, and the folder that is listed"

    def test_writes_no_file(self, tmp_path: Path) -> None:
        path = reader(tmp_path, f"open({str(tmp_path / 'kept')!r}, 'w').write('x' * 9)")
        with pytest.raises(GaveUp):
            apart.run(path, b"")
        assert (tmp_path / "kept").read_text() == ""

    def test_that_prints_says_nothing_by_it(self, tmp_path: Path) -> None:
        assert apart.run(reader(tmp_path, "print('a decoder warns'); return b'the answer'"), b"") == b"the answer"


@pytest.mark.parametrize("answer", [b"", b"no json\n", b"[1]\n", b"\xff\xfe\n"])
def test_an_answer_of_another_shape_is_not_believed(answer: bytes) -> None:
    with pytest.raises(GaveUp):
        apart.heard(answer)


class TestAReceivedFile:
    def test_is_opened_and_its_sheets_are_counted(self) -> None:
        assert files_apart.sheets_of(Kind.PDF, pdf(3)) == 3
        assert files_apart.sheets_of(Kind.JPEG, photo()) == 1

    @pytest.mark.parametrize(("kind", "whole", "why"), [
        (Kind.PDF, pdf(2)[:-30], FileDamaged()),
        (Kind.PDF, b"%PDF-1.7 rubbish", FileDamaged()),
        (Kind.PDF, pdf(501), TooManyPages(501, 500)),
        (Kind.PNG, png_of_declared_size(20_000, 20_000), ImageTooLarge()),
        (Kind.DOCX, b"PK\x03\x04 rubbish", FileDamaged()),
    ], ids=["cut", "rubbish", "long", "poster", "office"])  # fmt: skip
    def test_is_refused_with_the_facts_that_its_message_needs(self, kind: Kind, whole: bytes, why: FileRefused) -> None:
        with pytest.raises(type(why)) as refused:
            files_apart.sheets_of(kind, whole)
        assert vars(refused.value) == vars(why)

    def test_is_refused_by_a_password(self) -> None:
        with pytest.raises(FileLocked):
            files_apart.sheets_of(Kind.PDF, pdf(encryption=pikepdf.Encryption(user="x", owner="y")))

    @pytest.mark.parametrize(("name", "facts"), [("FileTypeLies", ["docx", "xdm"]), ("SystemExit", []), ("os", None),
                                                 ("TooManyPages", ["one", 2, 3])])  # fmt: skip
    def test_is_refused_by_a_class_of_ours_whatever_is_answered(self, name: str, facts: object) -> None:
        refusal = files_apart._refusal(name, facts)
        assert isinstance(refusal, FileRefused)
        if isinstance(refusal, FileTypeLies):
            assert (refusal.claimed, refusal.actual) == ("docx", "xdm")

    @pytest.mark.parametrize("kind", ["PNG", "JPEG"])
    def test_of_fifty_million_pixels_is_opened_and_copied_within_the_limits(self, kind: str) -> None:
        made = BytesIO()
        Image.new("RGB", (8_000, 6_200), "white").save(made, kind)
        assert files_apart.sheets_of(Kind(kind.lower()), made.getvalue()) == 1
        copy = files_apart.copy_of(made.getvalue(), f"image/{kind.lower()}")
        assert max(Image.open(BytesIO(copy.data)).size) == 2_400


class TestACopy:
    def test_is_made_turned_and_written_on(self) -> None:
        copy = files_apart.copy_of(photo((300, 200)), "image/jpeg")
        turned = files_apart.picture(copy.data, rotation=90, watermark="CH du Nord")
        assert Image.open(BytesIO(turned)).size == (200, 300)

    def test_of_a_pdf_is_turned_or_one_sheet_of_it_drawn(self) -> None:
        copy = files_apart.copy_of(pdf(2), "application/pdf")
        assert files_apart.turned(copy.data, 90).startswith(b"%PDF-")
        assert Image.open(BytesIO(files_apart.picture(copy.data, sheet=2))).format == "JPEG"

    def test_of_a_logo_is_small(self) -> None:
        _drawn, width, height = files_apart.emblem(photo((300, 200)), (60, 60))
        assert (width, height) == (60, 40)

    def test_of_rubbish_is_refused(self) -> None:
        with pytest.raises(CannotCopy):
            files_apart.copy_of(b"rubbish", "image/png")
        with pytest.raises(CannotCopy):
            files_apart.emblem(b"rubbish", (60, 60))
        with pytest.raises(CannotCopy):
            files_apart.picture(b"rubbish", sheet=1)
        with pytest.raises(CannotCopy):
            files_apart.turned(b"rubbish", 90)


def test_the_files_of_the_portal_load_no_parser_of_documents() -> None:
    """What is not there cannot be attacked, and takes no memory."""
    code = "import sys, portal.files_shown; print({'pikepdf', 'PIL', 'pypdfium2', 'pi_heif'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
