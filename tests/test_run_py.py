"""run.py: sets itself up once, and never twice.

Each test gets a copy of run.py beside a stand-in for the package that prints where it runs. A stand-in for uv makes
a real but empty environment and writes down how it was called, so that all but one test need no pip.
"""

import ast
import base64
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import pytest

from tests.conftest import PROJECT_ROOT

COMMAND = """
import json, sys

def main(arguments):
    print(json.dumps({"prefix": sys.prefix, "arguments": arguments}))
    return 7 if arguments == ["fail"] else 0
"""
UV = """
import json, os, sys, time, venv
from pathlib import Path

with open(os.environ["UV_CALLS"], "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if os.environ.get("UV_FAILS"):
    sys.exit(os.environ["UV_FAILS"])
if sys.argv[1] == "venv":
    venv.EnvBuilder(symlinks=True).create(sys.argv[-1])
time.sleep(float(os.environ.get("UV_SECONDS", "0")))
"""
WITHOUT_VENV = "import sys\nsys.modules['ensurepip'] = None\n"


class Project:
    """A copy of run.py with everything it meets."""

    def __init__(self, root: Path) -> None:
        self.root = root / "project"
        self.venv = self.root / ".venv"
        self.calls = root / "calls"
        self.bin = root / "bin"
        self.environment = {
            "PATH": str(self.bin), "UV_CALLS": str(self.calls), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": str(root), "HOME": str(root),
        }  # fmt: skip
        (self.root / "blitz").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(PROJECT_ROOT / "run.py", self.root)
        (self.root / "blitz" / "cli.py").write_text(COMMAND)
        self.require("not-installed-anywhere==1.0")

    def require(self, pin: str, name: str = "requirements.txt") -> None:
        (self.root / name).write_text(f"{pin} \\\n    --hash=sha256:{'0' * 64}\n")

    def install_uv(self) -> None:
        uv = self.bin / "uv"
        uv.write_text(f"#!{sys.executable}\n{UV}")
        uv.chmod(0o755)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(self.root / "run.py"), *arguments],
            env=self.environment | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def installs(self) -> list[str]:
        """The requirements files that uv was told to install, in order."""
        calls = [json.loads(line) for line in self.calls.read_text().splitlines()] if self.calls.exists() else []
        return [Path(call[-1]).name for call in calls if call[0] == "pip"]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_with_the_packages_already_there_it_runs_right_here(project):
    project.require(f"pytest=={importlib.metadata.version('pytest')}")

    code, out, err = project.run("doctor", "--verbose")

    assert (code, err) == (0, "")
    assert json.loads(out) == {"prefix": sys.prefix, "arguments": ["doctor", "--verbose"]}
    assert not project.venv.exists()


def test_the_first_start_sets_up_an_environment_and_runs_in_it(project):
    project.install_uv()

    code, out, err = project.run("fail")

    assert code == 7
    assert json.loads(out) == {"prefix": str(project.venv), "arguments": ["fail"]}
    assert err.startswith("Setting up Blitz in ")
    assert project.installs() == ["requirements.txt"]


def test_later_starts_set_up_nothing_and_say_nothing(project):
    project.install_uv()
    project.run()

    code, out, err = project.run()

    assert (code, err) == (0, "")
    assert json.loads(out)["prefix"] == str(project.venv)
    assert project.installs() == ["requirements.txt"]


def test_changed_requirements_are_installed_at_the_next_start(project):
    project.install_uv()
    project.run()
    project.require("not-installed-anywhere==2.0")

    project.run()

    assert project.installs() == ["requirements.txt", "requirements.txt"]


def test_the_tests_need_more_and_what_they_need_serves_the_rest_too(project):
    project.install_uv()
    project.require("not-installed-anywhere==1.0", "requirements-dev.txt")

    project.run("test", "-k", "ladder")
    project.run("serve")

    assert project.installs() == ["requirements-dev.txt"]


def test_a_set_up_that_was_interrupted_starts_afresh(project):
    project.install_uv()
    project.run()
    (project.venv / "requirements.sha256").unlink()
    (project.venv / "half-installed").touch()

    code, _, _ = project.run()

    assert code == 0
    assert not (project.venv / "half-installed").exists()
    assert project.installs() == ["requirements.txt", "requirements.txt"]


def test_an_environment_made_by_the_person_is_added_to_and_not_wiped(project):
    project.install_uv()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(project.venv)], check=True)
    (project.venv / "mine").touch()

    code, out, _ = project.run()

    assert code == 0
    assert json.loads(out)["prefix"] == str(project.venv)
    assert (project.venv / "mine").exists()


def test_an_environment_whose_python_is_gone_is_made_again(project):
    project.install_uv()
    project.run()
    (project.venv / "bin" / "python").unlink()

    code, out, _ = project.run()

    assert code == 0
    assert json.loads(out)["prefix"] == str(project.venv)


def test_two_starts_at_once_set_up_once(project):
    project.install_uv()

    first, second = (project.start(UV_SECONDS="0.7") for _ in range(2))
    said = [process.communicate(timeout=60) for process in (first, second)]

    assert [first.returncode, second.returncode] == [0, 0]
    assert all(json.loads(out)["prefix"] == str(project.venv) for out, _ in said)
    assert project.installs() == ["requirements.txt"]
    assert any("Another start is setting up Blitz" in err for _, err in said)


def test_a_killed_start_does_not_let_the_next_one_into_the_installers_way(project):
    project.install_uv()
    killed = project.start(UV_SECONDS="1")
    while not project.calls.exists():
        time.sleep(0.02)
    killed.kill()
    killed.communicate()

    started = time.monotonic()
    code, _, err = project.run()

    assert code == 0
    assert "waiting" in err
    assert time.monotonic() - started > 0.5


def test_without_network_one_sentence_says_so(project):
    project.install_uv()
    without_venv(project)

    code, out, err = project.run(UV_FAILS="error sending request for url (https://index/simple/flask/)")

    assert (code, out) == (1, "")
    assert "check the network connection" in err
    assert "Traceback" not in err
    assert project.run()[0] == 0, "with the network back, the same command works"


def test_another_failure_names_the_file_with_the_reason(project):
    project.install_uv()
    without_venv(project)

    code, _, err = project.run(UV_FAILS="hash mismatch")

    assert code == 1
    assert "the reason is at the end of" in err
    assert "hash mismatch" in (project.venv / "setup.log").read_text()


def test_a_python_without_venv_says_what_to_install(project):
    without_venv(project)

    code, _, err = project.run()

    assert code == 1
    assert "sudo apt install python3-venv" in err


def test_an_incomplete_copy_is_told_apart_from_a_missing_package(project):
    (project.root / "requirements.txt").unlink()

    code, _, err = project.run()

    assert (code, err) == (1, "This copy of Blitz is incomplete: requirements.txt: No such file or directory.\n")


def test_an_old_python_is_refused_in_one_sentence(project):
    pretend = "import runpy, sys; sys.version_info = (3, 10, 9); runpy.run_path('run.py', run_name='__main__')"

    done = subprocess.run(
        [sys.executable, "-c", pretend], cwd=project.root, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert done.stderr == "Blitz needs Python 3.11 or newer; this is Python 3.10.\n"


def test_run_py_imports_nothing_but_the_standard_library_before_it_is_set_up():
    tree = ast.parse((PROJECT_ROOT / "run.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in imported} - sys.stdlib_module_names == {"blitz"}


def test_with_pip_alone_the_pinned_package_is_really_there(project, tmp_path):
    wheel = make_wheel(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (project.root / "requirements.txt").write_text(f"pinned==1.0 \\\n    --hash=sha256:{digest}\n")
    (project.root / "blitz" / "cli.py").write_text("import pinned\n" + COMMAND)

    code, out, err = project.run("serve")

    assert (code, json.loads(out)["prefix"]) == (0, str(project.venv)), err


def test_with_pip_alone_a_package_that_was_tampered_with_is_refused(project, tmp_path):
    make_wheel(tmp_path)
    project.require("pinned==1.0")

    code, _, err = project.run("serve")

    assert code == 1
    assert "could not install its packages" in err


def without_venv(project):
    """Let Python behave as Debian's does before python3-venv is installed."""
    (project.root / "sitecustomize.py").write_text(WITHOUT_VENV)
    project.environment["PYTHONPATH"] = str(project.root)


def make_wheel(folder: Path) -> Path:
    """Build the smallest installable package."""
    files = {
        "pinned.py": "",
        "pinned-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: pinned\nVersion: 1.0\n",
        "pinned-1.0.dist-info/WHEEL": textwrap.dedent("""\
            Wheel-Version: 1.0
            Generator: by hand
            Root-Is-Purelib: true
            Tag: py3-none-any
            """),
    }
    record = "".join(f"{name},sha256={digest_of(text)},{len(text)}\n" for name, text in files.items())
    path = folder / "pinned-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in (files | {"pinned-1.0.dist-info/RECORD": record}).items():
            wheel.writestr(name, text)
    return path


def digest_of(text: str) -> str:
    """A file's digest as a wheel's RECORD writes it."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


# The pins


PINNED = re.compile(r"^([\w.-]+)(\[[\w,.-]+\])?==", re.MULTILINE)
WANTED = re.compile(r"^([\w.-]+)(\[[\w,.-]+\])")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_whoever_asks_for_a_package_with_an_extra_finds_that_very_one_pinned(name):
    # pip would look for the newest release of it, which has no hash in the file, on the day that there is a newer one.
    pins = PINNED.findall((PROJECT_ROOT / name).read_text(encoding="utf-8"))
    pinned = {package.lower(): extras.lower() for package, extras in pins}
    asked = [
        (package, found[1].lower(), found[2].lower())
        for package in pinned
        for line in installed_requirements(package)
        if (found := WANTED.match(line)) and "extra ==" not in line
    ]
    assert ("apiflask", "pydantic", "[email]") in asked
    assert [each for each in asked if pinned[each[1]] != each[2]] == []


def installed_requirements(package):
    try:
        return importlib.metadata.requires(package) or []
    except importlib.metadata.PackageNotFoundError:  # of another platform
        return []
