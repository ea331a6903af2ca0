"""Whether a run has failed, and why. Pure.

Lies and a broken limit always fail the judged target; `--fail-if` adds what the user cannot accept.
"""

from __future__ import annotations

from .fail_if import BadExpression, Metrics, parse_expression, what_holds
from .findings import Finding, Latency

QUANTILES = ("p50", "p90", "p95", "p99", "p999")


def metrics_of(found: Finding) -> dict[str, float]:
    """Return every number of a finding that an expression may name."""
    served, budget, proxy = found.served, found.budget, found.proxy
    metrics = {
        "success": served.success,
        "done": float(served.done),
        "failed": float(served.planned - served.done),
        "skipped": float(served.skipped),
        "rate": served.achieved,
        "offered": served.offered,
        "lag": served.lag_most,
        "corrupt": float(len(found.correctness.corrupt)),
        "strangers": float(len(found.correctness.strangers)),
        "seconds": found.seconds,
        "partial": float(found.is_partial),
    }
    for outcome in ("refused", "lost", "late", "left", "cut"):
        metrics[outcome] = float(served.outcomes.get(outcome, 0))
    if budget is not None:
        metrics |= {
            "violations": float(budget.violations),
            "most": float(budget.most),
            "sessions": float(budget.sessions_most),
            "refused_sessions": float(budget.refused_sessions),
        }
    if found.fairness is not None:
        metrics["jain"] = found.fairness.jain
        if found.fairness.jain_contended is not None:
            metrics["jain_contended"] = found.fairness.jain_contended
    if proxy is not None:
        metrics |= {
            "cpu_per_1000": proxy.cpu_per_1000,
            "memory": float(proxy.memory_most),
            "loop_lag_p99": proxy.lag_p99,
        }
    for name, phase in found.phases.items():
        metrics |= _quantiles(name, phase)
    return metrics


def _quantiles(name: str, phase: Latency) -> dict[str, float]:
    found = {f"{quantile}_{name}": getattr(phase, quantile) for quantile in QUANTILES}
    return {**found, f"max_{name}": phase.longest}


def all_metrics(findings: list[Finding], judged: str) -> Metrics:
    """Name the judged target's numbers bare, and every target's with its name before."""
    metrics: dict[str, float] = {}
    for found in findings:
        own = metrics_of(found)
        metrics |= {f"{found.target}.{name}": value for name, value in own.items()}
        if found.target == judged:
            metrics |= own
    return metrics


def failures(findings: list[Finding], judged: str, expressions: list[str]) -> list[str]:
    """Return why the run has failed; an empty list is a pass."""
    found = next((each for each in findings if each.target == judged), None)
    if found is None:
        return [f"{judged} was not run"]
    reasons = [f"{judged}: wrong bytes: {spot}" for spot in found.correctness.corrupt[:10]]
    reasons += [f"{judged}: a stranger's reply: {it}" for it in found.correctness.strangers[:10]]
    budget = found.budget
    if budget is not None and budget.violations:
        reasons.append(
            f"{judged}: the limit was exceeded {budget.violations} times, first "
            f"{budget.first_violation}"
        )
    reasons += [f"{judged}: {note}" for note in found.notes]
    for expression in expressions:
        try:
            held = what_holds(parse_expression(expression), all_metrics(findings, judged))
        except BadExpression as error:
            held = [f"cannot be judged: {error}"]
        reasons += [f"--fail-if: {reason}" for reason in held]
    return reasons
