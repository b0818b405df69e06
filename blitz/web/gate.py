"""The same-origin gate: may this unsafe request have come from where it claims?

A pure function over four facts, so that its whole truth table can be tested. The rule is the one of Go 1.25's
`CrossOriginProtection`: a browser says where a request comes from, a program such as curl says nothing, and a
request without either header cannot have been forged by a web page. Called before every request by `headers`.
"""

from collections.abc import Collection
from enum import StrEnum

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})


class Verdict(StrEnum):
    """What the gate found."""

    SAFE_METHOD = "safe_method"
    """Changes nothing, so it may come from anywhere."""
    TRUSTED_ORIGIN = "trusted_origin"
    """Named by the server's owner."""
    OWN_PAGE = "own_page"
    """A browser, on one of our own pages or typed in by its user."""
    NOT_A_BROWSER = "not_a_browser"
    """Neither header: curl, a script. No web page can make a browser send that."""
    OTHER_SITE = "other_site"
    """A browser, on a page that is not ours. Refused."""

    @property
    def passes(self) -> bool:
        """Whether the request may go on."""
        return self is not Verdict.OTHER_SITE

    @property
    def is_browser(self) -> bool:
        """Whether a browser sent it with a cookie it may have been tricked into sending."""
        return self in (Verdict.OWN_PAGE, Verdict.TRUSTED_ORIGIN)


def judge(
    *, method: str, sec_fetch_site: str | None, origin: str | None, own_origin: str, trusted: Collection[str] = ()
) -> Verdict:
    """Judge one request. `own_origin` is scheme, host and port of the request itself, such as http://127.0.0.1:8000."""
    if method in SAFE_METHODS:
        return Verdict.SAFE_METHOD
    if origin is not None and origin in trusted:
        return Verdict.TRUSTED_ORIGIN
    if sec_fetch_site is not None:
        return Verdict.OWN_PAGE if sec_fetch_site in OWN_SITES else Verdict.OTHER_SITE
    if origin is not None:
        return Verdict.OWN_PAGE if origin == own_origin else Verdict.OTHER_SITE
    return Verdict.NOT_A_BROWSER
