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
-- A hash is kept as HGETALL tells it, field and value by turns; `at` knows where each field is.
local hashes, saved, run, now = {}, {}, '1', 0

local function copy(list)
  local made = {}
  for key, value in pairs(list) do made[key] = value end
  return made
end

local function copies(all)
  local made = {}
  for key, hash in pairs(all) do made[key] = {flat = copy(hash.flat), at = copy(hash.at)} end
  return made
end

local commands = {
  TIME = function() return {math.floor(now / 1000), (now % 1000) * 1000} end,
  INFO = function() return 'run_id:' .. run end,
  DEL = function(key) hashes[key] = nil end,
  PEXPIRE = function() end,
  HGETALL = function(key) return hashes[key] and hashes[key].flat or {} end,
}
function commands.HSET(key, field, value, ...)
  local hash = hashes[key]
  if not hash then
    hash = {flat = {}, at = {}}
    hashes[key] = hash
  end
  local place = hash.at[field] or #hash.flat + 1
  hash.at[field], hash.flat[place], hash.flat[place + 1] = place, field, value
  if ... then commands.HSET(key, ...) end
end
function commands.HDEL(key, field)  -- whoever reads what HGETALL has told goes on with that
  local kept = {flat = {}, at = {}}
  local flat = hashes[key].flat
  hashes[key] = kept
  for at = 1, #flat, 2 do
    if flat[at] ~= field then commands.HSET(key, flat[at], flat[at + 1]) end
  end
end

cmsgpack = {pack = function(row) return row end, unpack = function(row) return row end}
redis = {call = function(name, ...) return commands[name](...) end}
local script
return {
  load = function(text) script = assert(loadstring(text)) end,
  settle = function(time, keys, ...)
    local numbers = {}
    now, KEYS, ARGV = time, {unpack({...}, 1, keys)}, {select(keys + 1, ...)}
    for _, row in ipairs(script()) do
      for _, number in ipairs(row) do numbers[#numbers + 1] = number end
    end
    return unpack(numbers)
  end,
  save = function() saved = copies(hashes) end,
  restart = function(name) run, hashes = name, copies(saved) end,
  flush = function() hashes = {} end,
  write = commands.HSET,
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
        if not keys:
            return []
        told = self._lua.settle(round(now * 1000), len(keys), *keys, *arguments)
        width = len(told) // len(keys)
        return [tuple(map(int, told[at : at + width])) for at in range(0, len(told), width)]

    def save(self) -> None:
        """Keep a copy of everything for the next restart."""
        self._lua.save()

    def restart(self) -> None:
        """End and begin anew with the copy, however old it is."""
        self._runs += 1
        self._lua.restart(str(self._runs))

    def write(self, key: str, field: str, value: str) -> None:
        """Write into a hash, as a stranger may."""
        self._lua.write(key, field, value)

    def flush(self) -> None:
        """Forget everything."""
        self._lua.flush()
