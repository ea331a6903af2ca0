"""One client, as the parts of its session know it."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.ftp.dialogue import Dialogue

from .attention import Attention
from .borrower import Borrower
from .chronicle import Chronicle
from .standing import Standing


@dataclass(frozen=True, slots=True)
class Visitor:
    """What it has said, what it counts as, what it holds, what is told of it, whether it is there.

    Nothing in here refers back to the session: it is freed as soon as it is over.
    """

    dialogue: Dialogue
    standing: Standing
    borrower: Borrower
    chronicle: Chronicle
    attention: Attention
