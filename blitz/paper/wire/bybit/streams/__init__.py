"""Bybit's websockets."""
