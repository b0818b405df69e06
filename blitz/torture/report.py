"""What a torture run prints: progress lines and a table for people, or one JSON object for programs."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from blitz.torture.options import RESTART_SECONDS, RESUME_SECONDS, RUNNING_SECONDS, TortureOptions
from blitz.torture.tally import Story, Tally

STORY_LINES = 60


class Report:
    """Told how far the run is. Progress goes to stderr when stdout is for a program."""

    def __init__(self, options: TortureOptions) -> None:
        self._options = options
        self._console = Console(highlight=False, stderr=options.json, soft_wrap=True)

    def opening(self, folder: Path) -> None:
        """Say what begins."""
        asked = self._options
        self._console.print(
            f"[bold]Blitz torture[/bold] · {asked.rounds} rounds · {asked.bots} bots · seed {asked.seed} · "
            f"ids {asked.ids} · {folder}"
        )

    def progress(self, tally: Tally) -> None:
        """One line."""
        self._console.print(
            f"round {tally.rounds:>4} of {self._options.rounds} · {tally.seconds:6.0f} s · {tally.kills} kills · "
            f"{tally.fills} executions · {tally.faults} faults · resume ≤ {tally.resume_max_seconds:.1f} s · "
            f"unprotected ≤ {tally.unprotected_max_seconds:.1f} s · {len(tally.violations)} violations"
        )

    def closing(self, tally: Tally, story: Story, folder: Path | None) -> None:
        """Print the result; with violations also the seed, the story and where everything is kept."""
        if self._options.json:
            sys.stdout.write(f"{tally.to_json()}\n")
        else:
            self._console.print(_table(tally))
        if tally.violations:
            self._console.print(f"\n[red]{len(tally.violations)} violations, seed {self._options.seed}:[/red]")
            for sentence in tally.violations:
                self._console.print(f"  {sentence}", markup=False)
            self._console.print("\nWhat was done, at the end:")
            for line in story.lines[-STORY_LINES:]:
                self._console.print(f"  {line}", markup=False)
        else:
            self._console.print("[green]No violation.[/green]")
        if folder is not None:
            self._console.print(f"Databases, logs and the whole story are kept in {folder}")


def _table(tally: Tally) -> Table:
    table = Table("", "", "bound", title="\nWhat was done and found")
    done = f"{tally.kills} kills, {tally.deploys} deploys, {tally.pauses} pauses, {tally.exchange_kills} exchange kills"
    rows = (
        ("rounds", f"{tally.rounds} in {tally.seconds:.0f} s", ""),
        ("blows", done, ""),
        ("requests struck by a fault", str(tally.faults), ""),
        ("orders by hand", str(tally.hand_orders), ""),
        ("cycles closed", str(tally.cycles), ""),
        ("executions", str(tally.fills), ""),
        ("duplicates", str(tally.duplicates), "0"),
        ("exits twice where ids are not enforced", str(tally.resent_exits), ""),
        ("lost fills", str(tally.lost_fills), "0"),
        ("foreign orders cancelled", str(tally.foreign_cancels), "0"),
        ("longest without exits, running", f"{tally.unprotected_max_seconds:.2f} s", f"{RUNNING_SECONDS:.0f} s"),
        (
            "longest without exits, after a launch",
            f"{tally.unprotected_after_restart_max_seconds:.2f} s",
            f"{RESTART_SECONDS:.0f} s",
        ),
        ("longest resume", f"{tally.resume_max_seconds:.2f} s", f"{RESUME_SECONDS:.0f} s"),
        ("difference of the books, USDT", tally.shown_difference, "0"),
        ("violations", str(len(tally.violations)), "0"),
    )
    for row in rows:
        table.add_row(*row)
    return table
