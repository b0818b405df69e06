"""E-mail addresses: one form per address, and the one that is kept for the administrator. Used by `users`."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

from blitz.errors import SettingsProblem

ADMIN_EMAIL = "admin@admin.com"


class EmailTaken(SettingsProblem):
    """Somebody has an account with this address already."""

    def __init__(self) -> None:
        super().__init__({"email": ["There is an account with this address already."]})


class ReservedEmail(SettingsProblem):
    """Only an administrator's account may carry this address."""

    def __init__(self) -> None:
        super().__init__({"email": ["This address is reserved for the administrator."]})


def normal_email(email: str) -> str:
    """The stored form: spellings that look or are typed alike are one address."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email).casefold()).strip()


def checked_email(email: str, *, role: str) -> str:
    """The stored form of an acceptable address. Raises `SettingsProblem`, or `ReservedEmail` for a trader."""
    try:
        # A server at home has addresses that are not deliverable from everywhere; nothing is looked up.
        read = validate_email(normal_email(email), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise SettingsProblem({"email": [f"This is not an e-mail address: {error}"]}) from error
    normal = normal_email(read.normalized)
    if role != "admin" and _without_detail(normal) == ADMIN_EMAIL:
        raise ReservedEmail
    return normal


def _without_detail(email: str) -> str:
    """Many mail servers deliver admin+anything to admin."""
    name, _, domain = email.partition("@")
    return f"{name.partition('+')[0]}@{domain}"
