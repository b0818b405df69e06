"""The documented `db`, so that the one-liner that initialises the database works as written."""

from typing import cast

from flask import current_app

from blitz.web.services import EXTENSION, Services


class DatabaseOfApp:
    """Speaks to the database of the current application."""

    def create_all(self) -> None:
        """Bring the tables to the newest schema; what is there stays."""
        cast(Services, current_app.extensions[EXTENSION]).database.migrate()


db = DatabaseOfApp()
