"""Several processes behind one address: a parent that keeps them, and how it speaks with them.

What its children do is none of this room's business.
"""

from .message import Outcome, Word
from .parent import Work, Workers
from .voice import Agree, Voice

__all__ = ["Agree", "Outcome", "Voice", "Word", "Work", "Workers"]
