"""The deterministic simulator: the real passes against a venue, a disk and people that are made from a seed.

`run.py simulate` and the tests call `command` and `runner`. A seed is a world (`world`), accounts at a made-up venue
(`venue`, `network`), a server process with its bots (`server`, `journals`), a market (`market`) and people (`people`);
checkers (`checks`) judge what the venue saw. Nothing here is imported by the server.
"""
