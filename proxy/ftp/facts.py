"""What a server says of itself (FEAT, SYST), and what of it a proxy may promise. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .reply import Reply

# What we do ourselves, or do not carry: the server's word on it does not count.
_NOT_THE_SERVERS_TO_SAY = frozenset(
    b"AUTH PBSZ PROT CCC SSCN CPSV PRET MODE HOST LANG "
    b"EPRT EPSV PASV PORT LPRT LPSV SPSV ESTA ESTP".split()
)
_OURS = (b"EPRT", b"EPSV", b"PASV")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The server's FEAT lines (without the leading space) and its SYST reply."""

    features: tuple[bytes, ...] = ()
    system: Reply | None = None

    @classmethod
    def of(cls, feat: Reply, syst: Reply) -> ServerFacts:
        """Read both replies; a refusal means: no extras, system not told."""
        features = tuple(line.strip() for line in feat.lines[1:-1]) if feat.code == 211 else ()
        return cls(tuple(filter(None, features)), syst if syst.is_success else None)

    def has(self, word: bytes) -> bool:
        """Tell whether the server lists a feature."""
        return any(line.upper().split(b" ")[0] == word for line in self.features)

    @property
    def option_defaults(self) -> dict[bytes, bytes]:
        """What each OPTS word has after a fresh login (RFC 3659 section 7.8: starred facts).

        UTF8 is not among them: servers differ, and RFC 2640 lets a server that lists it use it, so
        a session in which some client switched it on stays so.
        """
        defaults: dict[bytes, bytes] = {}
        for line in self.features:
            word, _, facts = line.partition(b" ")
            if word.upper() == b"MLST":
                starred = [fact[:-1] for fact in facts.split(b";") if fact.endswith(b"*")]
                defaults[b"MLST"] = b"".join(fact + b";" for fact in starred)
        return defaults


def features_reply(facts: ServerFacts, more: tuple[bytes, ...] = ()) -> Reply:
    """Answer FEAT: the server's list as far as it is carried, one feature a line (RFC 2389).

    `more`: what we do ourselves besides what we always do.
    """
    carried = (
        line
        for line in facts.features
        if line.upper().split(b" ")[0] not in _NOT_THE_SERVERS_TO_SAY
    )
    lines = sorted({*carried, *_OURS, *more})
    return Reply(211, (b"211-Features:", *(b" " + line for line in lines), b"211 End"))
