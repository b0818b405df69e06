"""The folder of a demo that is left running: made here, known by a file of its own, and never anybody's server."""

import json
from dataclasses import dataclass
from pathlib import Path

from blitz.demo.stage import DemoProblem

NAME = "demo.json"


@dataclass(frozen=True, slots=True)
class DemoHome:
    """A folder that holds a demo and nothing else."""

    path: Path
    is_new: bool
    """Whether nothing was traded in it yet."""

    @classmethod
    def claim(cls, path: Path) -> "DemoHome":
        """Take a new or empty folder, or one of an earlier demo. Raises `DemoProblem`, and then nothing was touched."""
        try:
            path = path.expanduser().resolve()
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not any(path.iterdir()):
                cls._note(path, is_set_up=False)
                return cls(path, is_new=True)
            told = json.loads((path / NAME).read_text("utf-8")) if (path / NAME).is_file() else None
        except (OSError, ValueError) as problem:
            raise DemoProblem(f"The folder {path} cannot be used for a demo: {problem}.") from problem
        if not isinstance(told, dict):
            raise DemoProblem(f"The folder {path} is not empty and holds no demo. Choose another one for --home.")
        if not told.get("is_set_up"):
            raise DemoProblem(
                f"The demo in {path} was ended while it was set up. Remove that folder, or choose another."
            )
        return cls(path, is_new=False)

    def set_up(self) -> None:
        """Remember that everything is there."""
        self._note(self.path, is_set_up=True)

    @staticmethod
    def _note(path: Path, *, is_set_up: bool) -> None:
        (path / NAME).write_text(json.dumps({"is_set_up": is_set_up}) + "\n", "utf-8")
