"""The server of the demonstration and of this suite: anywhere, as anybody, closed to the others, after any crash."""

import os
import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone in a closed folder, under a name with spaces, accents and signs, too long for a socket."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    yield closed / "Hôpital d'essai & co (copie) 100%" / ("un dossier au nom long " * 3).strip() / "cluster"
    shutil.rmtree(closed)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(folder)
    made.start()
    yield made
    made.stop()
    shutil.rmtree(made._home, ignore_errors=True)
    shutil.rmtree(made._socket, ignore_errors=True)


def asked(server: EmbeddedPostgres, statement: str = "select 1") -> object:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]  # psycopg asks for literal text
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


class TestARunningServer:
    def test_answers_from_a_closed_folder_with_a_difficult_name(self, server: EmbeddedPostgres) -> None:
        assert asked(server) == 1

    def test_leaves_the_folders_above_it_closed(self, server: EmbeddedPostgres, folder: Path) -> None:
        closed = folder.parents[2]
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert closed.stat().st_uid == os.geteuid()

    def test_listens_on_no_network(self, server: EmbeddedPostgres) -> None:
        assert asked(server, "show listen_addresses") == ""

    def test_is_closed_to_other_users_and_to_whoever_has_no_password(self, server: EmbeddedPostgres) -> None:
        assert stat.S_IMODE(server._socket.stat().st_mode) == 0o700
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url(password="wrong"))

    def test_has_a_socket_whose_path_is_short_enough(self, server: EmbeddedPostgres) -> None:
        (socket,) = [path for path in server._socket.iterdir() if path.name.startswith(".s.") and path.is_socket()]
        assert len(os.fsencode(socket)) <= 107

    def test_does_not_run_as_root(self, server: EmbeddedPostgres) -> None:
        assert server._process is not None
        assert Path(f"/proc/{server._process.pid}").stat().st_uid != 0

    def test_speaks_utf8_and_sorts_alike_everywhere(self, server: EmbeddedPostgres) -> None:
        assert asked(server, "select lower('ÉLÉONORE')") == "éléonore"
        assert asked(server, "select pg_encoding_to_char(encoding) from pg_database limit 1") == "UTF8"


class TestAfterACrash:
    """In this order: each leaves the server running for the next one."""

    def test_of_its_supervisor_the_former_server_is_replaced(self, server: EmbeddedPostgres) -> None:
        asked(server, "create table if not exists kept (n int)")
        former, server._process = server._process, None  # as a supervisor that was killed: nobody stops the server
        assert former is not None
        server.start()
        former.wait(10)
        assert asked(server, "select count(*) from kept") == 0

    def test_of_the_server_itself_it_starts_again_with_what_was_committed(self, server: EmbeddedPostgres) -> None:
        asked(server, "insert into kept values (1)")
        assert server._process is not None
        server._process.send_signal(signal.SIGQUIT)  # at once, as a crash would; its children end too
        server._process.wait(10)
        server.start()
        assert asked(server, "select count(*) from kept") == 1

    def test_a_stale_pid_of_another_program_is_left_alone(self, server: EmbeddedPostgres) -> None:
        server.stop()
        (server._data / "postmaster.pid").write_text(f"{os.getpid()}\n")
        server._stop_leftover()
        (server._data / "postmaster.pid").unlink()
        server.start()
        assert asked(server) == 1

    def test_stopping_twice_harms_nothing(self, server: EmbeddedPostgres) -> None:
        server.stop()
        server.stop()
        server.start()
        assert asked(server) == 1


def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres) -> None:
    server.stop()
    control, aside = server._data / "global" / "pg_control", server._data / "aside"
    control.rename(aside)
    with pytest.raises(EmbeddedPostgresError, match="pg_control"):
        server.start()
    aside.rename(control)
    server.start()
    assert asked(server) == 1
