"""The keys about several servers behind one proxy, and what each takes over from the top level."""

from __future__ import annotations

from typing import Annotated, Self, TypeVar

from pydantic import Field

from .section import Section
from .serverside import Budget, Queue, Upstream
from .shapes import Globs, HostGlobs, Networks, Places, ServerName

# What says which server it is: nobody else's can be meant.
ITS_OWN = frozenset({"host", "port", "standby", "weight", "server_name"})


class Overlay:
    """Marks a section of which only what differs is given; its keys are told elsewhere."""


OVERLAY = Overlay()


class Match(Section):
    """Which clients a server is for. Everything given must fit; one item of a list is enough."""

    listen: Places = Field(
        default=(),
        description="Listeners, as their addresses stand in `listen`; empty means any.",
    )
    user: Globs = Field(
        default=(),
        description="Login names, * and ? match as in a shell; empty means any.",
    )
    host: HostGlobs = Field(
        default=(),
        description="What may stand behind the last @ of `USER name@host`, a name or pattern; the "
        "server hears the name alone. Once any server has this key, other hosts are refused.",
    )

    redirected: Networks = Field(
        default=(),
        description="Networks or addresses that the connection was made to, before a firewall "
        "turned it to a transparent listener; empty means any.",
    )

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was given."""
        return not any(getattr(self, name) for name in type(self).model_fields)


class NamedServer(Section):
    """Another server, with a pool, a budget, a queue and a state file of its own."""

    name: ServerName = Field(description="What logs, metrics and its state file call this server.")
    match: Match = Field(description="Which clients it is for.")
    upstream: Annotated[Upstream, OVERLAY] = Field(
        description="Its host, and those keys of `upstream` that differ from the top level's."
    )
    budget: Annotated[Budget, OVERLAY] = Field(
        default=Budget(), description="Those keys of `budget` that differ from the top level's."
    )
    queue: Annotated[Queue, OVERLAY] = Field(
        default=Queue(), description="Those keys of `queue` that differ from the top level's."
    )

    def completed(self, upstream: Upstream, budget: Budget, queue: Queue) -> Self:
        """Return it with the top level's values for what it does not say."""
        # time_wait and profile say the same: whoever gives the one does not mean the other.
        either = {"time_wait", "profile"}
        holds = either if either & self.budget.model_fields_set else set()
        return self.model_copy(
            update={
                "upstream": _over(self.upstream, upstream, but=ITS_OWN),
                "budget": _over(self.budget, budget, but=frozenset(holds)),
                "queue": _over(self.queue, queue),
            }
        )


_Any = TypeVar("_Any", bound=Section)


def _over(own: _Any, base: _Any, but: frozenset[str] = frozenset()) -> _Any:
    """Return `own`, with the base's values for what was not given, except those keys."""
    given = own.model_fields_set
    values = {
        name: getattr(own if name in given | but else base, name) for name in type(own).model_fields
    }
    return type(own).model_construct(_fields_set=set(given), **values)
