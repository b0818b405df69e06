"""What was saved is there after the process was killed, and after a power cut took the end of the log."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from blitz.storage.database import Database
from blitz.storage.journal import BotJournal

ROOT = Path(__file__).parents[2]
LOG_HEADER_BYTES, FRAME_BYTES = 32, 24 + 4096

DIES = """
import os, signal, sys
from blitz.core.orders import leg
from blitz.core.records import Slot, SlotSaved, SlotState
from blitz.storage.database import Database
from blitz.storage.journal import BotJournal

journal = BotJournal(Database.open(sys.argv[1]), 1, "bybit:paper")
for generation in range(20):
    slot = Slot(key=leg(0), symbol="BTC/USDT:USDT", state=SlotState.INTENT, generation=generation)
    journal.save([SlotSaved(slot=slot)], durable=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(db, path, alice):
    """The path of a database whose process was killed with twenty intents in the log."""
    db.close()
    died = subprocess.run([sys.executable, "-c", DIES, str(path)], cwd=ROOT, timeout=60)
    assert died.returncode == -signal.SIGKILL
    return path


def remembered_generations(path):
    database = Database.open(path)
    database.migrate()
    try:
        assert database.check() == []
        return [slot.generation for slot in BotJournal(database, 1, "bybit:paper").load().slots]
    finally:
        database.close()


def test_an_intent_survives_the_killing_of_the_process(killed):
    assert killed.with_name("users.db-wal").stat().st_size > 0
    assert remembered_generations(killed) == [19]


def test_a_log_cut_anywhere_leaves_a_whole_database(killed, tmp_path):
    """Whatever of the log is lost, the rest is a state that was there, and no later cut goes further back."""
    size = killed.with_name("users.db-wal").stat().st_size
    seen = []
    for cut in range(LOG_HEADER_BYTES, size + 1, FRAME_BYTES // 2):
        copy = tmp_path / f"cut{cut}" / "users.db"
        copy.parent.mkdir()
        shutil.copy(killed, copy)
        shutil.copy(killed.with_name("users.db-wal"), copy.with_name("users.db-wal"))
        with copy.with_name("users.db-wal").open("r+b") as log:
            log.truncate(cut)
        seen.append(remembered_generations(copy))

    generations = [each[0] if each else -1 for each in seen]
    assert generations == sorted(generations)
    assert (generations[0], generations[-1]) == (-1, 19)
