"""What holds for every test: nothing of the person's own installation is read or written."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = PROJECT_ROOT.parent / "shared" / "data"
KEPT = "BLITZ_TEST_PG_URL"

for name in list(os.environ):
    if (name.startswith("BLITZ_") and name != KEPT) or name.startswith(("WEB_HOST", "WEB_PORT", "LOG_LEVEL")):
        del os.environ[name]


def pytest_xdist_auto_num_workers() -> int:
    """Two workers for each core: half of the tests wait for windows to pass, for other programs or for a browser."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold slow tests: one that began last would keep a single worker busy at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def _a_home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Programs started by a test find no `.env`, and put database, key and logs into a temporary folder."""
    os.environ["BLITZ_HOME"] = str(tmp_path_factory.mktemp("home"))
    yield
    del os.environ["BLITZ_HOME"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder for this test alone."""
    monkeypatch.setenv("BLITZ_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Leave logging as it was found, for tests that configure it in this process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Find a file of real market data, or skip and say so."""

    def find(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"needs the shared market data, and {name} is not there")
        return path

    return find
