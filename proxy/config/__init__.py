"""Configuration: YAML text to one frozen Config, or every problem with its place and a suggestion.

Pure but for loader.py. The other rooms get their own section, never the whole.
"""

from .addresses import Address, Network, PortRange
from .clientside import ClientClass, Listen, Login, Passive, Refusals
from .effect import Effect, changed_keys, effect_of, rigid_changes
from .explain import explain, keys
from .loader import check, load
from .models import Config, Heal, Log, Status, Timeouts
from .parsing import Reading, examine, parse, simple
from .problem import ConfigError, Problem
from .servers import NamedServer
from .serverside import Budget, Queue, Upstream

__all__ = [
    "Address",
    "Budget",
    "ClientClass",
    "Config",
    "ConfigError",
    "Effect",
    "Heal",
    "Listen",
    "Log",
    "Login",
    "NamedServer",
    "Network",
    "Passive",
    "PortRange",
    "Problem",
    "Queue",
    "Reading",
    "Refusals",
    "Status",
    "Timeouts",
    "Upstream",
    "changed_keys",
    "check",
    "effect_of",
    "examine",
    "explain",
    "keys",
    "load",
    "parse",
    "rigid_changes",
    "simple",
]
