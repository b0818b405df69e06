"""Streams: what the venues push, on one loop thread for the whole server.

Streams say *when* to look; reads say what is. `hub` owns the thread, `link` is one connection's life, `pacing` keeps
within the venue's limit on new connections, `prices` knows who waits for which price. How a venue speaks is its
dialect, in the venue's own package. No ccxt here: its websocket classes cost ten times as much per user.
"""
