"""Every cause that the doctor can name, the most important first. Pure.

The words stand in problems.py and hints.py, and in docs/OPERATIONS.md; no code here decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .finding import Cause, Weight
from .hints import NOTES, WARNINGS
from .problems import PROBLEMS


def _table() -> dict[str, Cause]:
    rows = {Weight.PROBLEM: PROBLEMS, Weight.WARNING: WARNINGS, Weight.NOTE: NOTES}
    return {
        code: Cause(code, area, weight, sentence, remedy)
        for weight, causes in rows.items()
        for code, area, sentence, remedy in causes
    }


CAUSES: Mapping[str, Cause] = MappingProxyType(_table())
RANK: Mapping[str, int] = MappingProxyType({code: rank for rank, code in enumerate(CAUSES)})
