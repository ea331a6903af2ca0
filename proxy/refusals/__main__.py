"""Print docs/REFUSALS.md: `python -m proxy.refusals > docs/REFUSALS.md`. Writes no file itself."""

import sys

from .document import document

sys.stdout.write(document())
