"""`ftpweir doctor`: looks at everything between a script and the server, and names the cause.

Steps look and conclude nothing: each returns what it saw as a frozen value of `seen.py`. The
diagnosis concludes and looks at nothing: it is pure. So every conclusion can be tested without a
server, and every look against a real one. Never changes anything, but for --write-test.
"""

from .credentials import Credentials, NoPassword, find_credentials
from .diagnosis import diagnose
from .examination import Examination, Step, Wishes
from .report import Report, progress

__all__ = [
    "Credentials",
    "Examination",
    "NoPassword",
    "Report",
    "Step",
    "Wishes",
    "diagnose",
    "find_credentials",
    "progress",
]
