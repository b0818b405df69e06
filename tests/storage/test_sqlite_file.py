import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from blitz.errors import DatabaseProblem
from blitz.storage.database import Database


def refused(path):
    """The sentence with which a file is refused; the file must be as it was."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(DatabaseProblem) as caught:
        Database.open(path).migrate()
    assert before == (path.read_bytes() if path.is_file() else None)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert str(path) in sentence
    return sentence


@pytest.fixture
def filled(db, path, alice):
    """The path of a database that was closed in good order."""
    db.close()
    return path


def test_a_text_file_is_not_a_database(tmp_path):
    path = tmp_path / "users.db"
    path.write_text("dear diary, " * 1_000)

    assert "not a database" in refused(path)


def test_a_file_cut_in_half_is_damaged(filled):
    content = filled.read_bytes()
    filled.write_bytes(content[: len(content) // 2])

    assert "damaged" in refused(filled) or "cannot be read" in refused(filled)


def test_a_damaged_header_is_told(filled):
    content = bytearray(filled.read_bytes())
    content[16:60] = b"\xff" * 44
    filled.write_bytes(content)

    assert "restore it from a backup" in refused(filled)


def test_a_damaged_page_is_told(filled):
    content = bytearray(filled.read_bytes())
    content[4096 * 2 : 4096 * 3] = b"\xa5" * 4096
    filled.write_bytes(content)

    assert "restore it from a backup" in refused(filled)


def test_a_newer_schema_is_left_alone(filled):
    with closing(sqlite3.connect(filled)) as stranger:
        stranger.execute("UPDATE alembic_version SET version_num = '9999'")
        stranger.commit()

    assert "newer version of Blitz (schema 9999)" in refused(filled)


def test_a_log_that_was_left_behind_is_left_alone_too(db, path, tmp_path):
    """Looking at a file that is refused must not even tidy up after the program that wrote it."""
    with db.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    copy = tmp_path / "users.db"
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    log = Path(f"{copy}-wal").read_bytes()

    assert "schema 9999" in refused(copy)
    assert Path(f"{copy}-wal").read_bytes() == log


def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "users.db"
    with closing(sqlite3.connect(path)) as stranger:
        stranger.execute("CREATE TABLE users (name TEXT)")
        stranger.commit()

    assert "another program" in refused(path)


def test_a_folder_cannot_be_the_database(tmp_path):
    assert "not a file" in refused(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "instance").write_text("in the way")

    assert "cannot be opened" in refused(tmp_path / "instance" / "users.db")


def test_a_folder_that_cannot_be_written_is_told(filled, monkeypatch):
    """Root may write everywhere, so the question is answered for it here."""
    monkeypatch.setattr("os.access", lambda asked, _mode: asked != filled.parent)

    assert "must be writable" in refused(filled)


def test_an_empty_file_becomes_a_database(tmp_path):
    path = tmp_path / "users.db"
    path.touch()

    database = Database.open(path)
    database.migrate()

    assert database.check() == []
    database.close()
