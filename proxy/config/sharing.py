"""The keys about several instances that share one budget through a store."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from .section import Section
from .shapes import Count, CountOrZero, GroupOrAuto, TimeLimit, one_of

StoreDown: TypeAlias = Literal["local_share", "closed", "open"]
Partition: TypeAlias = Literal["overshoot", "abort"]


class Sharing(Section):
    """How several instances share the budget, the sessions and the quotas; without store: nothing.

    All instances behind one address must say the same here and in budget.
    """

    group: GroupOrAuto = Field(
        default=None,
        description="Instances with the same group and store share. auto is the server's host and "
        "port; one address towards several servers may need another name.",
    )
    lease: TimeLimit = Field(
        default=60.0,
        description="How long an instance may use what it owns without having reached the store. "
        "After a crash its part is free again this long, and a hold, later.",
    )
    recovery: TimeLimit = Field(
        default=30.0,
        description="How long nothing new is dealt out when the store is empty or was restarted: "
        "all instances must have said in it what they hold.",
    )
    instances: Count = Field(
        default=1,
        description="How many instances there may be at most. Counts only with a floor.",
    )
    floor: CountOrZero = Field(
        default=0,
        description="Slots that each instance owns whatever happens to the store. They are taken "
        "from the budget for all instances, running or not.",
    )
    on_store_down: Annotated[StoreDown, one_of(StoreDown)] = Field(
        default="local_share",
        description="While the store cannot be reached, local_share goes on with what is owned "
        "until the lease is over, then with the floor; closed waits; open ignores the others.",
    )
    on_partition: Annotated[Partition, one_of(Partition)] = Field(
        default="overshoot",
        description="What becomes of connections that outlast the lease: overshoot lets them end "
        "by themselves, abort cuts them, so that the budget is kept even then.",
    )
