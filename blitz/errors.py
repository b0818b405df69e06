"""The error tree, drawn once.

    BlitzError                      anything this project raises on purpose; its text is a sentence for a person
    ├── SettingsProblem             a ladder, a form or a request that cannot trade; carries errors per field
    ├── ConfigurationProblem        the server itself is set up wrongly; the command ends with the sentence
    │   └── DatabaseProblem         the database cannot be opened, read or migrated
    ├── SecretUnreadable            a stored secret does not decrypt: that user's bot stays off, others run
    └── GatewayProblem              an exchange connection cannot even be built (unknown venue, no market table)

Answers of an exchange are values, not errors: see `blitz.core.calls.Reply`.
"""

from collections.abc import Mapping, Sequence


class BlitzError(Exception):
    """Anything this project raises on purpose. `str(error)` is a sentence fit for the person who reads it."""


class SettingsProblem(BlitzError):
    """Settings were refused; nothing was stored or sent. `errors` maps a field to its sentences."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors: dict[str, list[str]] = {field: list(sentences) for field, sentences in errors.items()}
        super().__init__("; ".join(f"{field}: {' '.join(said)}" for field, said in self.errors.items()))


class ConfigurationProblem(BlitzError):
    """The server is set up wrongly (environment, folder, port). The command ends and says what to change."""


class DatabaseProblem(ConfigurationProblem):
    """The database cannot be opened, read or migrated. Nothing was changed in it."""


class SecretUnreadable(BlitzError):
    """A stored secret does not decrypt: wrong key file or a damaged row. Only its owner's bot is affected."""


class GatewayProblem(BlitzError):
    """The connection to an exchange cannot be built or its market table cannot be read right now."""
