"""Blitz: a small server that runs one laddered trading bot per trader."""

__version__ = "0.1.0"
