"""What a client may do while it waits for an answer: hang up, or say ABOR."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from proxy.net.client_channel import ClientChannel
from proxy.net.fault import Ended

from .interrupt import Interruptible

ABORT = b"ABOR"
QUIT = b"QUIT"


class Abortable(Protocol):
    """A running transfer, as far as its client's leaving is concerned."""

    @property
    def may_lose_client(self) -> bool:
        """Tell whether the client's part is done: its leaving changes nothing any more."""
        ...


class Attention:
    """A block that ends early when the client leaves, or when an ABOR meets its transfer.

    Afterwards `was_interrupted` tells. Commands sent ahead stay in line: an ABOR is still to be
    answered in its turn.
    """

    def __init__(self, client: ClientChannel) -> None:
        self._client = client
        self._step = Interruptible()
        self.transfer: Abortable | None = None

    @property
    def is_gone(self) -> bool:
        """Tell whether the client left without waiting for its answer.

        One that said QUIT before its FIN is waiting; one that has sent its whole upload may go.
        """
        if not self._client.ended or QUIT in self._pending_verbs():
            return False
        return self.transfer is None or not self.transfer.may_lose_client

    @property
    def is_abort_heard(self) -> bool:
        """ABOR stops the running transfer, wherever it stands among commands sent ahead."""
        return self.transfer is not None and ABORT in self._pending_verbs()

    def raise_if_gone(self) -> None:
        """Raise Ended when nobody is there to be answered."""
        if self.is_gone:
            raise Ended(self._client.fault)

    def __enter__(self) -> Attention:
        self.raise_if_gone()
        self._step.__enter__()
        self._client.watch = self._stirred
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._client.watch = None
        return self._step.__exit__(kind, error, traceback)

    def _stirred(self) -> None:
        if self.is_gone or self.is_abort_heard:
            self._step.interrupt()

    def _pending_verbs(self) -> set[bytes]:
        lines = self._client.pending
        return {line[:4].upper() for line in lines if isinstance(line, bytes)} if lines else set()
