"""An explained refusal on its way: raised where it is decided, worded in voice.py."""

from __future__ import annotations

import errno
from typing import Final, Self

from .reason import Reason

NO_DESCRIPTOR: Final = (errno.EMFILE, errno.ENFILE)


class Declined(Exception):
    """Somebody cannot go on; the fields are those of proxy.refusals.Refusal. Seconds for times."""

    def __init__(
        self,
        reason: Reason,
        *,
        used: int | None = None,
        limit: int | None = None,
        who: str = "",
        retry: float | None = None,
        words: str = "",
        waited: float | None = None,
        setting: str | None = None,
        ends_session: bool = False,
    ) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.used = used
        self.limit = limit
        self.who = who
        self.retry = retry
        self.words = words
        self.waited = waited
        self.setting = setting
        self.ends_session = ends_session

    @classmethod
    def for_want_of_data(cls, reason: Reason, problem: OSError) -> Self:
        """No data connection came about; a time limit is to blame only where nobody answered.

        Where we lack a descriptor, that is the reason, and nobody else's fault.
        """
        if problem.errno in NO_DESCRIPTOR:
            return cls(Reason.DESCRIPTORS)
        setting = None if isinstance(problem, TimeoutError) else ""
        return cls(reason, words=problem.strerror or str(problem), setting=setting)
