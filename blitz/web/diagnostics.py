"""Is it up, is it ready, where is its database, how is it doing: questions of operators and their tools."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, make_response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from blitz import __version__
from blitz.bots.incidents import ProtectionFigures
from blitz.clock import iso_utc
from blitz.errors import DatabaseProblem
from blitz.web.openapi import refusals
from blitz.web.schemas import DebugOut, HealthOut
from blitz.web.services import Services, services
from blitz.web.stream import StreamBudget

diagnostics = APIBlueprint("diagnostics", __name__, tag="Operations")


@diagnostics.get("/__debug/db")
@diagnostics.output(DebugOut)
@diagnostics.doc(responses=refusals(404))
def debug_db() -> dict[str, Any]:
    """Tell where the database is. Only for a program on this machine, or an administrator."""
    parts = services()
    path = parts.database.path
    return {
        "cwd": str(Path.cwd()),
        "instance_path": str(parts.settings.instance_path),
        "db_uri": parts.database.url,
        "db_path": str(path or ""),
        "db_exists": path is None or path.exists(),
        "timestamp": iso_utc(parts.clock.now_ms()),
    }


@diagnostics.get("/healthz")
@diagnostics.output(HealthOut)
@diagnostics.doc(responses=refusals())
def healthz() -> dict[str, Any]:
    """The process answers. Says `tls: missing` when other machines can reach it and nothing encrypts the way."""
    parts = services()
    exposed = parts.settings.is_public and not parts.settings.trusted_proxies
    return {"status": "ok", "tls": "missing" if exposed else "not needed"}


@diagnostics.get("/readyz")
@diagnostics.output(HealthOut)
@diagnostics.doc(responses=refusals(503))
def readyz() -> Response:
    """The server can do its work: the database answers and it is not shutting down."""
    parts = services()
    if parts.closing.is_set():
        return make_response(jsonify(status="shutting_down"), 503)
    try:
        parts.users.count()
    except DatabaseProblem:
        return make_response(jsonify(status="database_unavailable"), 503)
    return make_response(jsonify(status="ready"), 200)


@diagnostics.get("/metrics")
@diagnostics.doc(hide=True)
def metrics() -> Response:
    """A few figures for Prometheus, without labels per user."""
    budget: StreamBudget = current_app.extensions["blitz_streams"]
    return Response(generate_latest(figures(services(), budget)), content_type=CONTENT_TYPE_LATEST)


def figures(parts: Services, budget: StreamBudget) -> CollectorRegistry:
    """Read the figures now; a registry of its own, so that two apps in one process do not mix."""
    registry = CollectorRegistry()
    bots = parts.manager.get_all_bot_statuses()
    Gauge("blitz_build_info", "Version of the server.", ["version"], registry=registry).labels(__version__).set(1)
    Gauge("blitz_users", "Accounts, disabled ones included.", registry=registry).set(parts.users.count())
    Gauge("blitz_bots_managed", "Bots the server knows about.", registry=registry).set(bots["totals"]["total_managed"])
    Gauge("blitz_bots_running", "Bots that run.", registry=registry).set(bots["totals"]["total_running"])
    Gauge("blitz_event_streams", "Live views that are open.", registry=registry).set(budget.open_streams())
    by_status = Gauge("blitz_bots", "Bots by status.", ["status"], registry=registry)
    for one in bots["users"].values():
        by_status.labels(one["status"]).inc()
    registry.register(ProtectionCollector(parts.manager.protection_figures()))
    return registry


class ProtectionCollector(Collector):
    """The figures of protection. The counter lives in the manager: the registry is made anew for each reading."""

    def __init__(self, seen: ProtectionFigures) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """Yield each figure once."""
        seen = self._seen
        gauges = {
            "blitz_positions_open": ("Positions that are, or may be, open.", seen.open),
            "blitz_positions_protected": ("Positions whose every exit rests.", seen.protected),
            "blitz_positions_unprotected": ("Positions that are not, or not certainly, protected.", seen.unprotected),
            "blitz_incidents_open": ("Positions unprotected for longer than the bound.", seen.incidents_open),
            "blitz_unprotected_seconds_max": (
                "The longest stretch without certain protection that goes on now.",
                seen.unprotected_seconds_max,
            ),
        }
        for name, (words, value) in gauges.items():
            yield GaugeMetricFamily(name, words, value=value)
        yield CounterMetricFamily("blitz_incidents", "Incidents since the process started.", value=seen.incidents_total)
