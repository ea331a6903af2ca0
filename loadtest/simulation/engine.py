"""The shared store without a server: the very script that Redis runs, on a clock that is given.

Knows only the few commands that the script uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

from lupa import lua51, luajit21

SCRIPT: Final = files("proxy.store").joinpath("settle.lua").read_text(encoding="utf-8")

REDIS: Final = """
local hashes, saved, run, now = {}, {}, '1', 0

local function copy(all)
  local made = {}
  for key, hash in pairs(all) do
    made[key] = {}
    for field, value in pairs(hash) do made[key][field] = value end
  end
  return made
end

local commands = {
  TIME = function() return {math.floor(now / 1000), (now % 1000) * 1000} end,
  INFO = function() return 'run_id:' .. run end,
  DEL = function(key) hashes[key] = nil end,
  PEXPIRE = function() end,
  HGETALL = function(key)
    local flat = {}
    for field, value in pairs(hashes[key] or {}) do
      flat[#flat + 1] = field
      flat[#flat + 1] = value
    end
    return flat
  end,
  HSET = function(key, ...)
    local hash = hashes[key] or {}
    hashes[key] = hash
    local words = {...}
    for at = 1, #words, 2 do hash[words[at]] = words[at + 1] end
  end,
  HDEL = function(key, field) hashes[key][field] = nil end,
}
cmsgpack = {pack = function(row) return row end, unpack = function(row) return row end}
redis = {call = function(name, ...) return commands[name](...) end}
local script
return {
  load = function(text) script = assert(loadstring(text)) end,
  settle = function(time, keys, arguments)
    now, KEYS, ARGV = time, {}, {}
    for word in string.gmatch(keys, '%S+') do KEYS[#KEYS + 1] = word end
    for word in string.gmatch(arguments, '%S+') do ARGV[#ARGV + 1] = word end
    local rows = {}
    for at, row in ipairs(script()) do rows[at] = table.concat(row, ' ') end
    return table.concat(rows, ';')
  end,
  save = function() saved = copy(hashes) end,
  restart = function(name) run, hashes = name, copy(saved) end,
  flush = function() hashes = {} end,
}
"""


class SimulatedEngine:
    """One store. Times are seconds. `fast` compiles the script; else its Lua is that of Redis."""

    def __init__(self, *, fast: bool = False) -> None:
        lua = luajit21 if fast else lua51
        self._lua: Any = lua.LuaRuntime().execute(REDIS)
        self._lua.load(SCRIPT)
        self._runs = 1
        self.calls = 0

    def settle(
        self, now: float, keys: Sequence[str], arguments: Sequence[str | float]
    ) -> list[tuple[int, ...]]:
        """Run the script at this moment; return one row of numbers for each key."""
        self.calls += 1
        words = " ".join(str(argument) for argument in arguments)
        answer = self._lua.settle(round(now * 1000), " ".join(keys), words)
        return [tuple(int(number) for number in row.split()) for row in answer.split(";")]

    def save(self) -> None:
        """Keep a copy of everything for the next restart."""
        self._lua.save()

    def restart(self) -> None:
        """End and begin anew with the copy, however old it is."""
        self._runs += 1
        self._lua.restart(str(self._runs))

    def flush(self) -> None:
        """Forget everything."""
        self._lua.flush()
