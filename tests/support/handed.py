"""What the rooms of a proxy have of the configuration."""

from __future__ import annotations

from dataclasses import fields

from proxy.app import App
from proxy.exchange.rules import ExchangeRules
from proxy.server_side import ServerSide


def handed_out(app: App) -> dict[str, object]:
    """Return it in a form in which two proxies can be compared."""
    shared, store = app.rooms.shared, app.store
    return {
        "manners": shared.manners,
        "classify": shared.classify("192.0.2.1", b"alice"),
        "attempts": shared.attempts.memory,
        "replays": app.rooms.replays.most,
        "ports": [
            (pool._ports, pool._rest) for pool in (shared.passive_ports, shared.upstream_ports)
        ],
        "servers": {side.name: _handed_to(side) for side in app.servers},
        "shares": store
        and {
            (share.key, share.hold, share.setting, share.stake.patience) for share in store._lasting
        },
        "listen": (app.config.listen, [str(listen.address) for listen in app.tls.offers]),
        "told": app.config.log,
        "drain": (app.config.timeouts.drain, app.config.timeouts.drain_lag),
    }


def _handed_to(side: ServerSide) -> dict[str, object]:
    (egress,), (machine,) = side.egresses, side.fleet.servers
    rules, pool, budget = side.backend.rules, egress.pool, egress.budget
    return {
        "sessions": (rules.keeps_session, rules.site_harmless),
        "rules": _plain(rules.exchange),
        "listings": rules.listings and rules.listings._ways,
        "order": side._ways._orders[0].is_proven,
        "total": side.backend.throttle._bandwidth.has_total,
        "limits": pool._limits,
        "dialer": (pool.dialer.host, pool.dialer.port, pool.dialer._patience),
        "fleet": (side.fleet.spread, side.fleet.hung, machine.name, machine.weight),
        "failback": machine.health.failback,
        "budget": (budget.limit, budget._tolerance),
        "queue": (side.gate.max_wait, side.gate._max_length, side.gate._places.memory),
    }


def _plain(rules: ExchangeRules) -> list[object]:
    """What was learned is nobody else's: of it only that it is used."""
    values = [getattr(rules, field.name) for field in fields(rules)]
    plain = [value if isinstance(value, int | float) else type(value) for value in values]
    return [*plain, rules.reach.may_fall_back, rules.reach._is_active]
