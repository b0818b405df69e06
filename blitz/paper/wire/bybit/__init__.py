"""Bybit V5 on the wire: its paths, its envelope, its rows, its signatures and its streams."""
