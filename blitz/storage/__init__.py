"""The database and the secrets in it: users, sessions, what every bot remembers.

Called by bots (journal), web (everything else) and the command line. Nothing outside this package knows SQL or which
database it is; nothing in here knows an exchange, a thread of a bot or a page.
"""
