"""Which event loop the server's streams and the paper exchange run on."""

import asyncio


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where there is one (it is not made for Windows): half the CPU per frame."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
