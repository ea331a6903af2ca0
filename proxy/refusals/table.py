"""Every reason with its sentence, setting, cause and remedies, in the order of docs/REFUSALS.md.

The words stand in of_client.py, of_turn.py, of_data.py and of_server.py; nothing here decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import of_client, of_data, of_server, of_turn
from .reason import Entry, Reason

_ROWS = (*of_client.ROWS, *of_turn.ROWS, *of_data.ROWS, *of_server.ROWS)

# What keeps one from its turn: nothing has been opened for it then.
OF_TURN = frozenset(row.reason for row in of_turn.ROWS)

REFUSALS: Mapping[Reason, Entry] = MappingProxyType({row.reason: row for row in _ROWS})
