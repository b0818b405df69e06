"""The server as its users speak to it: sign-in, settings, Start, status and history, over HTTP with a cookie."""

from typing import Any

import requests

from blitz.torture.ladder import Ladder
from blitz.torture.processes import TortureProblem

TIMEOUT_SECONDS = 30
PAGE = 500


class Visitor:
    """Somebody with a session, who signed in or opened an account. The session outlives every restart."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def enter(self, page: str, email: str, password: str) -> None:
        """Sign in at `/login`, or open an account at `/register`."""
        form = {"email": email, "password": password}
        answer = self._session.post(f"{self._url}{page}", data=form, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        if answer.status_code >= 400:
            raise TortureProblem(f"{page} refused {email}: {answer.status_code} {answer.text[:200]}")

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask for JSON. Raises `requests.RequestException`, also for an error status."""
        answer = self._session.request(method, f"{self._url}{path}", json=body, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told


class Trader(Visitor):
    """One user with a bot. Keeps the fills and ended cycles that were read, since the books only grow."""

    def __init__(self, url: str, *, key: str, secret: str, ladder: Ladder) -> None:
        super().__init__(url)
        self.key = key
        self.secret = secret
        self.ladder = ladder
        self.user_id = 0
        self._fills: dict[int, dict[str, Any]] = {}
        self._ended_cycles: dict[int, dict[str, Any]] = {}

    def set_up(self) -> None:
        """Save the ladder and the keys that name the paper account."""
        self.ask("PUT", "/api/bot/settings", {**self.ladder.to_json(), "api_key": self.key, "api_secret": self.secret})

    def start(self) -> None:
        """Press Start. Raises `TortureProblem` when the bot is refused."""
        answer = self._session.post(f"{self._url}/api/bot/start", timeout=TIMEOUT_SECONDS)
        if answer.status_code != 200 and answer.json().get("status") != "already_running":
            raise TortureProblem(f"The bot of {self.key} does not start: {answer.text[:300]}")

    def status(self) -> dict[str, Any]:
        """The documented status."""
        return self.ask("GET", "/api/bot/status")

    def missing_orders(self) -> list[str]:
        """What recover would create."""
        actions = self.ask("POST", "/api/bot/recover?dry_run=1")["actions"]
        return [word for word in actions if word not in ("checked_positions", "no_missing_orders")]

    def fills(self) -> list[dict[str, Any]]:
        """Every booked fill."""
        for row in self._newest_first("fills", until=set(self._fills)):
            self._fills[row["id"]] = row
        return list(self._fills.values())

    def cycles(self) -> list[dict[str, Any]]:
        """Every cycle, the open one with its figures so far."""
        open_now = []
        for row in self._newest_first("cycles", until=set(self._ended_cycles)):
            if row["ended_at"] is None:
                open_now.append(row)
            else:
                self._ended_cycles[row["id"]] = row
        return [*self._ended_cycles.values(), *open_now]

    def _newest_first(self, table: str, until: set[int]) -> list[dict[str, Any]]:
        """The rows of a table down to one that is known."""
        found: list[dict[str, Any]] = []
        before = ""
        while True:
            page = self.ask("GET", f"/api/bot/{table}?limit={PAGE}{before}")
            for row in page["rows"]:
                if row["id"] in until:
                    return found
                found.append(row)
            if page["next_before_id"] is None:
                return found
            before = f"&before_id={page['next_before_id']}"


class Admin(Visitor):
    """The administrator, who sees every bot."""

    def bots(self) -> dict[int, dict[str, Any]]:
        """Every managed bot by its user; empty while the server is not there."""
        try:
            users = self.ask("GET", "/admin/simple/status")["users"]
        except requests.RequestException:
            return {}
        return {int(user_id): row for user_id, row in users.items()}
