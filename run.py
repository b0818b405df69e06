"""Start Blitz: `python3 run.py [command]` on any machine that has Python 3.11 or newer.

Runs the command right here when the packages of requirements.txt are already importable. Otherwise it
makes `.venv` beside this file, once, and runs the command in there. Uses only the standard library, and
nothing newer than Python 3.6 before the version check below. Never touches the machine's own packages.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the one place that meets an older Python
    sys.exit("Blitz needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info[:2]))

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
SETUP_LOG = VENV / "setup.log"
RUNTIME = ROOT / "requirements.txt"
DEVELOPMENT = ROOT / "requirements-dev.txt"  # holds everything of requirements.txt as well
NETWORK_SIGNS = re.compile(
    r"resolv|connect|timed? ?out|network|unreachable|getaddrinfo|dns error|error sending request|proxy"
    r"|no matching distribution|not found in the package registry|temporary failure",
    re.IGNORECASE,
)


class SetupProblem(Exception):
    """Setting up failed; the text is the one sentence the person gets to read."""


def main() -> int:
    """Run the command here, or set up `.venv` and run it there."""
    requirements = DEVELOPMENT if sys.argv[1:2] == ["test"] else RUNTIME
    try:
        if not runs_here(requirements):
            set_up(requirements)
            return run_in_venv()
    except SetupProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up was interrupted; the same command starts it again.", file=sys.stderr)
        return 130
    from blitz.cli import main as run_command

    return run_command(sys.argv[1:])


def runs_here(requirements: Path) -> bool:
    """Say whether this very interpreter has what the command needs."""
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    return (inside and is_set_up(requirements)) or has_every_pin(requirements)


def has_every_pin(requirements: Path) -> bool:
    """Compare what is installed with the pinned versions. Lines for some platforms only are not compared."""
    for name, version in re.findall(r"^([\w.-]+)(?:\[[\w,.-]+\])?==([^\s;]+) \\$", read(requirements), re.MULTILINE):
        try:
            if importlib.metadata.version(name) != version:
                return False
        except importlib.metadata.PackageNotFoundError:
            return False
    return True


def stamp_of(requirements: Path) -> Path:
    """The file that is written last, once everything in `requirements` is installed."""
    return VENV / f"{requirements.stem}.sha256"


def is_set_up(requirements: Path) -> bool:
    """Say whether `.venv` is complete and made from this very requirements file."""
    stamp = stamp_of(requirements)
    return VENV_PYTHON.exists() and stamp.is_file() and stamp.read_text() == fingerprint(requirements)


def fingerprint(requirements: Path) -> str:
    """Name the content of a requirements file."""
    return hashlib.sha256(read(requirements).encode()).hexdigest()


def read(requirements: Path) -> str:
    """Read a requirements file, or say that the copy of Blitz is incomplete."""
    try:
        return requirements.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupProblem(f"This copy of Blitz is incomplete: {requirements.name}: {error.strerror}.") from error


def set_up(requirements: Path) -> None:
    """Make `.venv` fit `requirements`. Two starts at once take turns; the second finds the work done."""
    if is_set_up(requirements):
        return
    with only_one_at_a_time():
        if is_set_up(requirements):
            return
        print(f"Setting up Blitz in {VENV} (once; about a minute) ...", file=sys.stderr, flush=True)
        try:
            install(requirements)
        except OSError as error:
            raise SetupProblem(f"Blitz cannot set itself up in {VENV}: {error.strerror or error}.") from error
        print("Ready.", file=sys.stderr, flush=True)


def install(requirements: Path) -> None:
    """Fill `.venv`, with uv when it is there and with pip otherwise; stamp it last."""
    begun, complete = SETUP_LOG.exists(), any(stamp_of(each).exists() for each in (RUNTIME, DEVELOPMENT))
    for stamp in (stamp_of(RUNTIME), stamp_of(DEVELOPMENT)):
        stamp.unlink(missing_ok=True)
    if (begun and not complete) or not VENV_PYTHON.exists():  # interrupted half-way, or its Python is gone
        shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir(exist_ok=True)
    uv = shutil.which("uv")
    if uv:
        try:
            install_with_uv(uv, requirements)
        except SetupProblem:
            if not can_make_venv():
                raise
            print("uv could not do it; trying pip ...", file=sys.stderr, flush=True)
            shutil.rmtree(VENV)
            VENV.mkdir()
            install_with_pip(requirements)
    else:
        install_with_pip(requirements)
    for done in {requirements, RUNTIME}:
        stamp_of(done).write_text(fingerprint(done))


def install_with_uv(uv: str, requirements: Path) -> None:
    """Install exactly the pinned packages with uv."""
    if not VENV_PYTHON.exists():
        run_installer([uv, "venv", "--quiet", "--allow-existing", "--python", own_python(), str(VENV)])
    target = ["--python", str(VENV_PYTHON), "--require-hashes"]
    run_installer([uv, "pip", "install", "--quiet", *target, "-r", str(requirements)])


def install_with_pip(requirements: Path) -> None:
    """Install exactly the pinned packages with the pip that comes with Python."""
    if not VENV_PYTHON.exists():
        if not can_make_venv():
            raise SetupProblem(
                "This Python cannot make virtual environments: install python3-venv (Debian and Ubuntu: "
                "`sudo apt install python3-venv`) or uv, then run the same command again."
            )
        run_installer([own_python(), "-m", "venv", str(VENV)])
    pip = [str(VENV_PYTHON), "-m", "pip", "install", "--quiet", "--no-input", "--retries", "2"]
    run_installer([*pip, "--disable-pip-version-check", "--require-hashes", "-r", str(requirements)])


def can_make_venv() -> bool:
    """Debian ships Python without these two; they come with its package python3-venv."""
    return bool(importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"))


def own_python() -> str:
    """The machine's own Python, even when this start runs inside some virtual environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


def run_installer(command: list[str]) -> None:
    """Run one step of the set-up quietly; what it said is kept in `.venv/setup.log`."""
    with SETUP_LOG.open("a+", encoding="utf-8", errors="replace") as log:
        before = log.tell()
        # close_fds: the lock lives as long as the installer, even when this process is killed.
        done = subprocess.run(command, check=False, cwd=ROOT, stdout=log, stderr=log, close_fds=False)
        log.seek(before)
        said = log.read()
    if done.returncode == 0:
        return
    if NETWORK_SIGNS.search(said):
        raise SetupProblem(
            "Blitz could not download its packages: check the network connection (and proxy), then run the same "
            f"command again; details are in {SETUP_LOG}."
        )
    raise SetupProblem(f"Blitz could not install its packages; the reason is at the end of {SETUP_LOG}.")


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Hold a lock on this file while setting up; it vanishes with the process, however that ends."""
    with Path(__file__).open("rb") as this_file:
        os.set_inheritable(this_file.fileno(), True)
        take_turn(this_file)
        yield


def take_turn(file: IO[bytes]) -> None:
    """Lock `file`, telling the person when that means waiting."""
    try:
        import fcntl
    except ImportError:  # Windows: there, two first starts at once are not guarded
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another start is setting up Blitz; waiting for it ...", file=sys.stderr, flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)


def run_in_venv() -> int:
    """Go on as the same command inside `.venv`."""
    command = [str(VENV_PYTHON), str(ROOT / "run.py"), *sys.argv[1:]]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    if os.name != "nt":  # exec on Windows gives the console back too early
        os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted
    return subprocess.run(command, check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
