"""The documented name of the package: re-exports only. The real one is `blitz`."""

from blitz.app import create_app

__all__ = ["create_app"]
