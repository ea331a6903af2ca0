"""Where one client's next data connection shall meet: PASV, EPSV, PORT and EPRT. Pure.

Opens nothing: the answer is an Action that the session carries out.
"""

from __future__ import annotations

from .action import Action, Answer, OpenPassive, SetActive
from .address import EpsvArgument, check_active, parse_eprt, parse_epsv, parse_port
from .command import Command
from .reply import Refused, Reply


class Rendezvous:
    """What one client, at this address, may agree on."""

    def __init__(self, client: str, *, is_ipv6: bool) -> None:
        self._client = client
        self._is_ipv6 = is_ipv6
        # RFC 2428 section 4: holds for the rest of the session, whatever fails meanwhile.
        self._epsv_all = False

    def decide(self, command: Command) -> Action:
        """Say what the command asks for; raise Refused."""
        if self._epsv_all and command.verb != "EPSV":
            raise Refused(Reply.of(501, "EPSV ALL was agreed: only EPSV from now on."))
        match command.verb:
            case "PASV":
                if self._is_ipv6:
                    raise Refused(Reply.of(502, "PASV cannot tell an IPv6 address: use EPSV."))
                return OpenPassive(extended=False)
            case "EPSV":
                return self._extended_passive(parse_epsv(command.argument))
            case "PORT":
                endpoint = parse_port(command.argument)
            case _:
                endpoint = parse_eprt(command.argument)
        check_active(endpoint, self._client)
        return SetActive(endpoint)

    def _extended_passive(self, argument: EpsvArgument) -> Action:
        if argument is EpsvArgument.ALL:
            self._epsv_all = True
            return Answer(Reply.of(200, "Only EPSV from now on."))
        ours = EpsvArgument.IPV6 if self._is_ipv6 else EpsvArgument.IPV4
        if argument not in (EpsvArgument.ANY, ours):
            number = 2 if self._is_ipv6 else 1
            raise Refused(Reply.of(522, f"Network protocol not supported, use ({number})"))
        return OpenPassive(extended=True)
