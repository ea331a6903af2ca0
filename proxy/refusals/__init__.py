"""Explained refusals: one table of reasons, and every text that is made from it.

Pure, and on the bottom floor: knows neither the protocol's rooms nor the limits' values.
"""

from .declined import NO_DESCRIPTOR, Declined
from .document import document, explain
from .reason import Entry, Party, Reason, Scope
from .refusal import LONGEST, Refusal
from .table import OF_TURN, REFUSALS

__all__ = [
    "LONGEST",
    "NO_DESCRIPTOR",
    "OF_TURN",
    "REFUSALS",
    "Declined",
    "Entry",
    "Party",
    "Reason",
    "Refusal",
    "Scope",
    "document",
    "explain",
]
