"""Explained refusals: one table of reasons, and every text that is made from it.

Pure, and on the bottom floor: knows neither the protocol's rooms nor the limits' values.
"""

from .declined import Declined
from .document import document, explain
from .reason import Entry, Reason, Scope
from .refusal import LONGEST, Refusal
from .table import REFUSALS

__all__ = [
    "LONGEST",
    "REFUSALS",
    "Declined",
    "Entry",
    "Reason",
    "Refusal",
    "Scope",
    "document",
    "explain",
]
