"""What the rooms of a running proxy have of the configuration."""

from __future__ import annotations

from proxy.app import App


def handed_out(app: App) -> dict[str, object]:
    """Return it in a form that can be compared."""
    side = app.servers[0]
    (egress,), (machine,) = side.egresses, side.fleet.servers
    backend = side.backend
    shared, pool, budget = app.rooms.shared, egress.pool, egress.budget
    return {
        "manners": (shared.manners, backend.keeps_session, backend.site_harmless),
        "classify": shared.classify("192.0.2.1", b"alice"),
        "rules": backend.exchange_rules,
        "listings": backend.listings,
        "order": side._ways._orders[0].is_proven,
        "total": backend.throttle._bandwidth.has_total,
        "attempts": shared.attempts.memory,
        "replays": app.rooms.replays.most,
        "limits": pool._limits,
        "dialer": (pool.dialer.host, pool.dialer.port, pool.dialer._patience),
        "fleet": (side.fleet.spread, machine.health.failback, machine.weight),
        "budget": (budget.limit, budget.longest_hold, budget._guard, budget._enforce),
        "queue": (side.gate.max_wait, side.gate._max_length),
        "ports": [
            (pool._ports, pool._rest) for pool in (shared.passive_ports, shared.upstream_ports)
        ],
        "servers": [one.name for one in app.servers],
        "doors": app.doors.places,
        "told": app.config.log,
        "drain": (app.config.timeouts.drain, app.config.timeouts.drain_lag),
    }
