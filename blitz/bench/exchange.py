"""The paper exchange of a bench, in a process of its own, and what is asked of its control interface."""

import json
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import urllib3
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from blitz.errors import BlitzError
from blitz.torture.processes import Program, free_port

START_SECONDS = 30.0
SYMBOL = "BTCUSDT"


class BenchProblem(BlitzError):
    """The bench cannot go on; the text says why."""


class BenchExchange:
    """Starts it, moves its price, reads its stopwatch and its counters."""

    def __init__(self, folder: Path, name: str, *, tls: bool, limits: bool, state: Path | None = None) -> None:
        self.name = name
        """Whose API the bots speak: `bybit` or `bingx`."""
        self.limits = limits
        self.certificate = _certificate(folder) if tls else None
        port = free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        words = ["paper", "--feed", "manual", "--port", str(port)]
        words += [] if limits else ["--no-limits"]
        words += ["--tls", str(self.certificate)] if self.certificate else []
        words += ["--state", str(state)] if state else []
        self.program = Program("the paper exchange", words, {}, folder / "paper.log")
        ca = str(self.certificate) if self.certificate else None
        self._pool = urllib3.PoolManager(ca_certs=ca, retries=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.program.launch()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ask("GET", "limits")
                return
            except urllib3.exceptions.HTTPError as problem:
                if not self.program.is_alive or time.monotonic() > deadline:
                    raise BenchProblem(f"The paper exchange does not start: {self.program.last_words()}") from problem
                time.sleep(0.05)

    def ask(self, method: str, what: str, **body: str) -> dict[str, Any]:
        """One control request. Raises `urllib3.exceptions.HTTPError`, or `BenchProblem` when it is refused."""
        answer = self._pool.request(method, f"{self.url}/__paper/{what}", json=body or None, timeout=30.0)
        if answer.status != 200:
            raise BenchProblem(f"The paper exchange refuses {what}: {answer.data.decode()[:200]}")
        told: dict[str, Any] = json.loads(answer.data)
        return told

    def price(self, price: str) -> None:
        """Move the market there in one step."""
        self.ask("POST", "price", symbol=SYMBOL, price=price)

    def requests(self) -> int:
        """Requests it has counted."""
        return int(self.counted()["requests"])

    def counted(self) -> dict[str, Any]:
        """What it has counted against the limits of its API."""
        told = self.ask("GET", "limits")
        of_bingx: dict[str, Any] = told["bingx"]
        return of_bingx if self.name == "bingx" else told


def _certificate(folder: Path) -> Path:
    """A certificate for this machine alone, good for a day, in one file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Blitz bench")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = folder / "exchange.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.touch(mode=0o600)
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path
