-- Settles one instance's claims on shared things: who owns how many, in one atomic step.
--
-- KEYS: one hash for each thing, with a row for each instance, and '#run' and '#recover' beside.
-- ARGV: instance, serial number of the call, lease; then for each thing: recovery, hold, limit,
-- used, keep, need, weight. Times are milliseconds.
--
-- A row is renewed by each call. It counts until lease + hold after the last one: by then its owner
-- has used nothing for `lease` but what it has begun before, and what has ended has cooled.
-- A call is harmless if its answer is lost, since the next one says anew what is kept; a call that
-- arrives after a later one is ignored.

local FRESH = 3000 -- what an instance needs is believed for so long, in case it has died
local FIELDS = {'own', 'need', 'weight', 'limit', 'serial', 'since', 'renewed', 'till'}

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local me, serial, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

-- What a row says; nil if none of us has written it so.
local function read(value)
  local is_packed, row = pcall(cmsgpack.unpack, value)
  if not is_packed or type(row) ~= 'table' then return nil end
  for _, field in ipairs(FIELDS) do
    local number = row[field]
    if type(number) ~= 'number' or not (number >= 0 and number < math.huge) then return nil end
  end
  return row
end

-- Returns our row, those of the others who have called lately, what the silent ones own, until when
-- the thing recovers, and how many rows could not be read. One that is missing was flushed, or is
-- new; one of another run may be an old copy; what a row has said that cannot be read is lost. Then
-- only the owners know what they hold: for a while nothing is dealt out, and each is believed.
local function recall(key, recovery)
  local mine, rivals, silent, its_run, recover, unreadable = nil, {}, 0, nil, nil, 0
  local flat = redis.call('HGETALL', key)
  for at = 1, #flat, 2 do
    local name, value = flat[at], flat[at + 1]
    if name == '#run' then
      its_run = value
    elseif name == '#recover' then
      recover = tonumber(value)
    else
      local row = read(value)
      if not row then
        redis.call('HDEL', key, name)
        unreadable = unreadable + 1
      elseif name == me then
        mine = row
      elseif row.till <= now then
        redis.call('HDEL', key, name)
      elseif row.renewed + FRESH > now then
        rivals[#rivals + 1] = row
      else
        silent = silent + row.own
      end
    end
  end
  local is_known = its_run == run and recover
  if is_known and unreadable == 0 then return mine, rivals, silent, recover, 0 end
  if not is_known then
    redis.call('DEL', key)
    mine, rivals, silent = nil, {}, 0
  end
  recover = now + recovery
  redis.call('HSET', key, '#run', run, '#recover', string.format('%.0f', recover))
  return mine, rivals, silent, recover, unreadable
end

-- How many one weight's worth may own when all get the same, and nobody more than it needs.
local function level(rows, capacity)
  local fair, before = 0, nil
  repeat
    -- Who needs no more than an even share leaves the rest of it to the others.
    local left, weights = capacity, 0
    for _, row in ipairs(rows) do
      if row.need > fair * row.weight then
        weights = weights + row.weight
      else
        left = left - row.need
      end
    end
    if weights == 0 then return math.huge end
    fair, before = left / weights, fair
  until fair <= before -- the same ones once more, but for rounding
  return fair
end

-- `since` is when it came to own something, or had nothing left.
local function starves(row) return row.own == 0 and row.need > 0 end

-- Our share. Where there is less than one for each, all take turns: the longest owner gives way,
-- the longest waiter comes first.
local function share(mine, rows, fair, free)
  if mine.need <= fair then return mine.need end
  local starving, elders, earlier = 0, 0, 0
  for _, row in ipairs(rows) do
    local before = row.since < mine.since
    if starves(row) and row ~= mine then
      starving = starving + 1
      if before then earlier = earlier + 1 end
    elseif row.own > 0 and before then
      elders = elders + 1
    end
  end
  if starving == 0 then return math.ceil(fair) end
  if fair >= 1 then return math.floor(fair) end
  if mine.own > 0 then return elders < starving and 0 or 1 end
  return earlier < free and 1 or 0
end

local function settle(key, recovery, hold, limit, used, keep, need, weight)
  local old, rows, silent, recover, unreadable = recall(key, recovery)
  if old and old.serial >= serial then return {-1, 0, 0, 0, 0, 0, 0, 0} end

  local others, short, lowest = silent, 0, limit
  for _, row in ipairs(rows) do
    others, lowest = others + row.own, math.min(lowest, row.limit)
    if row.need > row.own then short = short + 1 end
  end

  local recovering = now < recover
  local kept = recovering and keep or math.min(keep, old and old.own or 0)
  local mine = {
    own = math.max(used, kept), need = need, weight = weight, limit = limit, serial = serial,
    since = old and old.since or now, renewed = now, till = now + lease + hold,
  }
  if old and (old.own > 0) ~= (mine.own > 0) then mine.since = now end
  local free = lowest - others - mine.own
  rows[#rows + 1] = mine
  local target = share(mine, rows, level(rows, math.max(0, lowest - silent)) * weight, free)
  if not recovering and free > 0 then
    local owned = mine.own
    mine.own = math.max(owned, math.min(need, target, owned + free))
    if owned == 0 and mine.own > 0 then mine.since = now end
  end

  if recovery == 0 and mine.own == 0 and need == 0 then
    redis.call('HDEL', key, me)
  else
    redis.call('HSET', key, me, cmsgpack.pack(mine))
  end
  -- Many small things come and go: their traces must not stay for ever.
  if recovery == 0 then redis.call('PEXPIRE', key, lease + hold + FRESH) end
  local recovers = recovering and recover - now or 0
  return {mine.own, lowest, others, target, short, #rows, recovers, unreadable}
end

local answers = {}
for at, key in ipairs(KEYS) do
  local first = 4 + (at - 1) * 7
  local numbers = {}
  for i = 0, 6 do numbers[i + 1] = tonumber(ARGV[first + i]) end
  answers[at] = settle(key, unpack(numbers))
end
return answers
