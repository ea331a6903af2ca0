"""Asks a running proxy over its status address, and gives it orders, for the command line."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import Any

from proxy.config import Address, Config
from proxy.config.addresses import parse_address
from proxy.config.shapes import TOKEN

from .page.access import ACTION_HEADER

PATIENCE = 10.0  # seconds
DEED = 60.0  # seconds for an order: a long file takes its time
LARGEST = 64 << 20  # bytes of an answer
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class NoAnswer(Exception):
    """The status address did not answer as it should; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class StatusAddress:
    """Where a running proxy is asked, and the token it wants."""

    address: Address
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, config: Config) -> StatusAddress:
        """Return the one that a configuration names; raise NoAnswer when it names none."""
        if config.status is None:
            raise NoAnswer("`status` is none in this configuration: nobody can be asked")
        address = config.status.address
        host = EVERYWHERE.get(address.host, address.host)
        return cls(Address(host, address.port), config.status.token)

    @classmethod
    def written(cls, text: str, token: str | None) -> StatusAddress:
        """Return the one that stands on the command line; raise Misfit for either."""
        # What a secret was read from mostly ends in a line feed.
        token = token.strip() if token is not None else None
        return cls(parse_address(text), TOKEN.parse(token) if token else None)

    def ask(self, section: str) -> dict[str, Any]:
        """Return a section of the API, such as `budget`; raise NoAnswer."""
        status, told = self._request("GET", section, {}, PATIENCE)
        if status != 200:
            raise self._stranger(status)
        return told

    def order(self, name: str) -> tuple[bool, dict[str, Any]]:
        """Have it do something; return whether it did, and what it tells. Raise NoAnswer."""
        status, told = self._request("POST", name, {ACTION_HEADER: "1"}, DEED)
        if status not in (200, 202, 409):
            raise self._stranger(status)
        return status != 409, told

    def _request(
        self, method: str, name: str, headers: dict[str, str], patience: float
    ) -> tuple[int, dict[str, Any]]:
        if self.token:
            headers = {**headers, "Authorization": f"Bearer {self.token}"}
        connection = http.client.HTTPConnection(
            self.address.host, self.address.port, timeout=patience
        )
        try:
            connection.request(method, f"/api/{name}", headers=headers)
            answer = connection.getresponse()
            body = answer.read(LARGEST)
        except (OSError, http.client.HTTPException) as problem:
            why = getattr(problem, "strerror", None) or type(problem).__name__
            raise NoAnswer(
                f"no answer from {self.address} ({why}): is ftpweir running? The address is that "
                "of `status`; give -c FILE or --status ADDR:PORT"
            ) from None
        finally:
            connection.close()
        return answer.status, self._read(answer.status, body)

    def _read(self, status: int, body: bytes) -> dict[str, Any]:
        if status == 401:
            raise NoAnswer(
                f"{self.address} wants a token: give -c FILE, or put it into FTPWEIR_TOKEN"
            )
        try:
            told = json.loads(body)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise self._stranger(status)
        return told

    def _stranger(self, status: int) -> NoAnswer:
        return NoAnswer(f"{self.address} answers with {status}: is this ftpweir's address?")
