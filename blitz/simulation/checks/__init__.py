"""The checkers: they look at the venue's truth, never at a bot's belief, and share no code with what they check."""

from blitz.simulation.checks.violations import Violation, Violations

__all__ = ["Violation", "Violations"]
