import { redisLibrary } from '../../redis/index.ts';
import { STEP } from './numbers.ts';

/**
 * What runs in Redis, each function as one step that nothing comes between. Of each group of keys:
 *
 * - `fences`: a string of 2^20 numbers of 8 bytes, one a slot (a hash of the tag): that of the last invalidation
 *   of a tag in the slot. Behind them the numbers named below. If it is gone or cut short, it reads as 0, which is
 *   no epoch: everything is dead until a new one is opened.
 * - `soft`: the same for soft purges, made at the first one.
 * - `prefixes`: purged prefixes by number.
 * - `life`: the epoch, and the life of the server in which it began.
 * - `log`: the stream that nodes follow. Ids are `AT-0` for an invalidation, AT growing by one, and `AT-n` for
 *   heartbeats after it.
 * - `notes`: what the reader of each change source has told last, by topic; `seats`: who may tell, and until when.
 *
 * An epoch is good in one life of one server. `verified` remembers that it was found so: it is lost with the
 * process, and neither saved nor replicated, so that a server which comes back with an old snapshot, or a replica
 * that takes over, answers nothing before a new epoch is opened.
 */
const CODE = `
local STEP = ${STEP}
local SLOTS = 1048576
local function at_end(n) return '#' .. (SLOTS + n) end
local EPOCH, FLOOR, SOFT_FLOOR, NEWEST_PREFIX, SEQUENCE = at_end(0), at_end(1), at_end(2), at_end(3), at_end(4)
local AT, BEATS, BEAT_TIME, HAS_SOFT = at_end(5), at_end(6), at_end(7), at_end(8)
local BYTES = (SLOTS + 16) * 8
local MOST_PREFIXES = 1000
local MOST_VARIANTS = 32
local NOT_OPEN = -1
local SUPERSEDED = -2

local verified = {}

local function text(number) return string.format('%.0f', number) end

local function get(key, ...)
  local words = {}
  for _, slot in ipairs({...}) do
    words[#words + 1] = 'GET'; words[#words + 1] = 'i64'; words[#words + 1] = slot
  end
  return redis.call('BITFIELD_RO', key, unpack(words))
end

local function set(key, ...)
  local pairs_ = {...}
  local words = {}
  for i = 1, #pairs_, 2 do
    words[#words + 1] = 'SET'; words[#words + 1] = 'i64'
    words[#words + 1] = pairs_[i]; words[#words + 1] = text(pairs_[i + 1])
  end
  redis.call('BITFIELD', key, unpack(words))
end

local function life_of_server()
  local id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  return id .. string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

local function life_key(fences) return string.sub(fences, 1, -7) .. 'life' end

local function is_open(fences, epoch)
  if epoch == 0 then return false end
  if verified[fences] == epoch then return true end
  if redis.call('GET', life_key(fences)) ~= text(epoch) .. ':' .. life_of_server() then return false end
  verified[fences] = epoch
  return true
end

local function any_after(key, slots, number)
  for from = 1, #slots, 1000 do
    local words = {}
    for i = from, math.min(from + 999, #slots) do
      words[#words + 1] = 'GET'; words[#words + 1] = 'i64'; words[#words + 1] = slots[i]
    end
    for _, fence in ipairs(redis.call('BITFIELD_RO', key, unpack(words))) do
      if fence > number then return true end
    end
  end
  return false
end

local function is_stale(fences, variant)
  local soft = string.sub(fences, 1, -7) .. 'soft'
  if get(soft, EPOCH)[1] == 0 then return true end
  return any_after(soft, variant[5], variant[3])
end

-- A variant: id, generation, number, when it may go (ms), slots of its tags, chunks.

-- EPOCH, FLOOR, SOFT_FLOOR, NEWEST_PREFIX, HAS_SOFT. They stand side by side: one read is cheaper than five.
local function read_control(fences)
  local bytes = redis.call('GETRANGE', fences, SLOTS * 8, SLOTS * 8 + 71)
  if #bytes < 72 then return {0} end
  local epoch, floor, soft_floor, newest_prefix, _, _, _, _, has_soft = struct.unpack('>i8i8i8i8i8i8i8i8i8', bytes)
  return {epoch, floor, soft_floor, newest_prefix, has_soft}
end

local function look(keys)
  local packed = redis.call('HGET', keys[1], 'i')
  if not packed then return 0 end
  local fences, variants = keys[2], cmsgpack.unpack(packed)
  local control = read_control(fences)
  if not is_open(fences, control[1]) then return NOT_OPEN end
  local reply, fields, lowest = {false, false}, {}, nil
  for i, variant in ipairs(variants) do
    local number = variant[3]
    if number >= control[2] and not any_after(fences, variant[5], number) then
      local stale = number < control[3] or (control[5] == 1 and is_stale(fences, variant))
      reply[#reply + 1] = variant[1]
      reply[#reply + 1] = variant[2]
      reply[#reply + 1] = stale and 1 or 0
      reply[#reply + 1] = variant[6]
      reply[#reply + 1] = false
      fields[#fields + 1] = 'h' .. variant[1]
      if not lowest or number < lowest then lowest = number end
      if variant[6] == 0 then fields[0] = 'b' .. variant[1] end
    end
  end
  if #fields == 0 then return 0 end
  local count = #fields
  if count == 1 and fields[0] then fields[2] = fields[0] end
  local values = redis.call('HMGET', keys[1], unpack(fields))
  for i = 1, count do reply[2 + i * 5] = values[i] end
  if count == 1 then reply[2] = values[2] or false end
  if control[4] > lowest then
    local prefixes = string.sub(fences, 1, -7) .. 'prefixes'
    reply[1] = redis.call('ZRANGEBYSCORE', prefixes, '(' .. text(lowest), '+inf', 'WITHSCORES')
    if #reply[1] == 0 then return 0 end
  end
  return reply
end

local function body(keys, args)
  local packed = redis.call('HGET', keys[1], 'i')
  if not packed then return false end
  for _, variant in ipairs(cmsgpack.unpack(packed)) do
    if variant[1] == args[1] and variant[2] == args[2] then return redis.call('HGET', keys[1], 'b' .. args[1]) end
  end
  return false
end

local function drop(key, variant)
  redis.call('HDEL', key, 'h' .. variant[1], 'b' .. variant[1])
  for i = 0, variant[6] - 1 do redis.call('UNLINK', key .. ':' .. variant[2] .. ':' .. i) end
end

local function put(keys, args)
  local entry, fences = keys[1], keys[2]
  local slots = {}
  for i = 8, #args do slots[#slots + 1] = args[i] end
  local new = { args[1], args[2], tonumber(args[3]), tonumber(args[4]), slots, tonumber(args[5]) }
  local control = get(fences, EPOCH, FLOOR, SEQUENCE)
  if not is_open(fences, control[1]) then return NOT_OPEN end
  -- From before the floor, from another epoch, or overtaken by a change.
  if new[3] < control[2] or new[3] >= control[3] + STEP or any_after(fences, slots, new[3]) then return 0 end
  local packed = redis.call('HGET', entry, 'i')
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local kept, last = {}, new[4]
  for _, old in ipairs(packed and cmsgpack.unpack(packed) or {}) do
    local same = old[1] == new[1]
    local alive = old[4] > now and old[3] >= control[2] and not any_after(fences, old[5], old[3])
    if same and alive and old[3] > new[3] then return 0 end
    if same or not alive then
      if not same or old[6] > 0 then drop(entry, old) end
    else
      kept[#kept + 1] = old
    end
  end
  while #kept >= MOST_VARIANTS do drop(entry, table.remove(kept, 1)) end
  kept[#kept + 1] = new
  for _, variant in ipairs(kept) do if variant[4] > last then last = variant[4] end end
  redis.call('HSET', entry, 'i', cmsgpack.pack(kept), 'h' .. new[1], args[6])
  if new[6] == 0 then redis.call('HSET', entry, 'b' .. new[1], args[7]) end
  redis.call('PEXPIREAT', entry, text(last))
  return 1
end

local function remove(keys)
  local packed = redis.call('HGET', keys[1], 'i')
  if not packed then return 0 end
  for _, variant in ipairs(cmsgpack.unpack(packed)) do
    for i = 0, variant[6] - 1 do redis.call('UNLINK', keys[1] .. ':' .. variant[2] .. ':' .. i) end
  end
  return redis.call('UNLINK', keys[1])
end

-- Never lowers one: between groups of a cluster, fences may come out of order.
local function write_slots(key, args, first, number)
  for from = first, #args, 500 do
    local slots, words = {}, {}
    for i = from, math.min(from + 499, #args) do slots[#slots + 1] = args[i] end
    for i, standing in ipairs(get(key, unpack(slots))) do
      if standing < number then
        words[#words + 1] = 'SET'; words[#words + 1] = 'i64'
        words[#words + 1] = slots[i]; words[#words + 1] = text(number)
      end
    end
    if #words > 0 then redis.call('BITFIELD', key, unpack(words)) end
  end
end

local function raise(key, slot, number)
  if get(key, slot)[1] < number then set(key, slot, number) end
end

local function write_prefixes(fences, prefixes, args, first, count, soft, number)
  for i = first, first + count - 1 do
    redis.call('ZADD', prefixes, 'GT', text(number), (soft and 's' or 'h') .. args[i])
  end
  raise(fences, NEWEST_PREFIX, number)
  while redis.call('ZCARD', prefixes) > MOST_PREFIXES do
    local oldest = redis.call('ZPOPMIN', prefixes)
    raise(fences, string.sub(oldest[1], 1, 1) == 's' and SOFT_FLOOR or FLOOR, tonumber(oldest[2]))
  end
end

local function make_soft(fences, soft, epoch)
  redis.call('DEL', soft)
  redis.call('SETRANGE', soft, BYTES - 1, '\\0')
  set(soft, EPOCH, epoch)
  set(fences, HAS_SOFT, 1)
end

-- Arguments: soft, all, how many prefixes, the prefixes, slots.
local function write_fences(keys, args, first, number, epoch)
  local fences, soft_key, prefixes = keys[1], keys[2], keys[3]
  local soft, all, count = args[first] == '1', args[first + 1] == '1', tonumber(args[first + 2])
  if all then raise(fences, soft and SOFT_FLOOR or FLOOR, number) end
  if count > 0 then write_prefixes(fences, prefixes, args, first + 3, count, soft, number) end
  local slots = first + 3 + count
  if #args < slots then return end
  if soft and get(fences, HAS_SOFT)[1] == 0 then make_soft(fences, soft_key, epoch) end
  write_slots(soft and soft_key or fences, args, slots, number)
end

local function append(fences, log, at, most, ...)
  redis.call('XADD', log, 'MAXLEN', '~', most, text(at) .. '-0', ...)
  set(fences, AT, at, BEATS, 0)
end

local function holder_of(seats, topic)
  local holder, till = string.match(redis.call('HGET', seats, topic) or '', '^(%S+) (%d+)$')
  return holder, tonumber(till)
end

-- Of notes only: how many, then topic, author and what stands of each. Returns a topic whose author has lost its
-- seat, or nil; and where the arguments go on.
local function superseded(keys, args, first)
  local next = first + 1 + 3 * tonumber(args[first])
  for i = first + 1, next - 1, 3 do
    if holder_of(keys[7], args[i]) ~= args[i + 1] then return args[i], next end
  end
  return nil, next
end

local function write_notes(keys, args, first, next)
  for i = first + 1, next - 1, 3 do redis.call('HSET', keys[6], args[i], args[i + 2]) end
end

local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Arguments: topic, author, milliseconds, 1 to take it from whoever has it. Returns 0 for another's, 1 for a seat
-- that is held on to, 2 for one that is new; what stands of the topic; 1 where another waits for it.
local function seat(keys, args)
  local topic, author, now = args[1], args[2], milliseconds()
  local holder, till = holder_of(keys[7], topic)
  local standing = redis.call('HGET', keys[6], topic)
  local waits = ' ' .. topic
  if holder and holder ~= author and args[4] ~= '1' and till > now then
    redis.call('HSET', keys[7], waits, text(now))
    return {0, standing, 0}
  end
  redis.call('HSET', keys[7], topic, author .. ' ' .. text(now + tonumber(args[3])))
  local asked = tonumber(redis.call('HGET', keys[7], waits) or 0)
  return {holder == author and standing and 1 or 2, standing, now - asked < tonumber(args[3]) and 1 or 0}
end

local function unseat(keys, args)
  if holder_of(keys[7], args[1]) ~= args[2] then return 0 end
  redis.call('HDEL', keys[7], args[1])
  return 1
end

-- Numbers an invalidation, sets its fences and tells the log. Arguments: longest log, message, notes, then as above.
local function purge(keys, args)
  local fences, log = keys[1], keys[4]
  local control = get(fences, EPOCH, SEQUENCE, AT)
  if not is_open(fences, control[1]) then return NOT_OPEN end
  local lost, first = superseded(keys, args, 3)
  if lost then return {SUPERSEDED, lost} end
  local number, at = control[2] + STEP, control[3] + 1
  set(fences, SEQUENCE, number)
  write_fences(keys, args, first, number, control[1])
  write_notes(keys, args, 3, first)
  append(fences, log, at, args[1], 'n', text(number), 'm', args[2])
  return {number, at}
end

-- On a cluster the same takes three steps, for no function reaches more than one group: a number from the first
-- group, its fences in all others, and at last its fences there and the log. Who is told of it by the log so finds
-- it fenced everywhere; and a number that never gets so far has only unseated what it need not have.
local function begin(keys)
  local control = get(keys[1], EPOCH, SEQUENCE)
  if not is_open(keys[1], control[1]) then return NOT_OPEN end
  local number = control[2] + STEP
  set(keys[1], SEQUENCE, number)
  return {number, control[1]}
end

-- In another epoch than that of the number it would be lost: whoever joins the group to that one begins its fences
-- anew. Arguments: epoch, number, then as above.
local function fence(keys, args)
  local control = get(keys[1], EPOCH)
  if control[1] ~= tonumber(args[1]) or not is_open(keys[1], control[1]) then return NOT_OPEN end
  local number = tonumber(args[2])
  raise(keys[1], SEQUENCE, number)
  write_fences(keys, args, 3, number, control[1])
  return 1
end

-- In another epoch than that of the number, what was filled before would have a higher one, and stay.
-- The log tells the newest number, too: who has missed what came before can't know that its numbers were lower.
-- Arguments: longest log, message, epoch, number, notes, then as above.
local function commit(keys, args)
  local fences, log = keys[1], keys[4]
  local control = get(fences, EPOCH, AT, SEQUENCE)
  if control[1] ~= tonumber(args[3]) or not is_open(fences, control[1]) then return NOT_OPEN end
  local lost, first = superseded(keys, args, 5)
  if lost then return {SUPERSEDED, lost} end
  local number, at = tonumber(args[4]), control[2] + 1
  write_fences(keys, args, first, number, control[1])
  write_notes(keys, args, 5, first)
  append(fences, log, at, args[1], 'n', text(number), 's', text(control[3]), 'm', args[2])
  return {number, at}
end

-- A group beside the first is good in the epoch of the first, from a floor on that the first gave after this one
-- was found lost: all numbers given out before, whose fences may be lost with it, are below. One whose floor is higher
-- has been joined to a newer epoch meanwhile: it stays there, and the answer is that floor.
-- Arguments: epoch, floor, and the life of the server in which the group was found lost: in another one it was lost once
-- more, perhaps after the floor was given. Without the last two it is only asked; where it is not good the answer is that life.
local function join(keys, args)
  local fences, epoch, floor = keys[1], tonumber(args[1]), tonumber(args[2])
  verified[fences] = nil
  local control = redis.call('STRLEN', fences) == BYTES and get(fences, EPOCH, FLOOR) or {0, 0}
  local open = is_open(fences, control[1])
  if open and control[1] == epoch then return 1 end
  local life = life_of_server()
  if not floor then return life end
  if life ~= args[3] then return NOT_OPEN end
  if open and control[2] > floor then return text(control[2]) end
  redis.call('UNLINK', fences, keys[2], keys[3])
  redis.call('SETRANGE', fences, BYTES - 1, '\\0')
  set(fences, EPOCH, epoch, FLOOR, floor, SEQUENCE, floor)
  redis.call('SET', keys[5], text(epoch) .. ':' .. life)
  verified[fences] = epoch
  return 1
end

local function replicas_in_touch()
  local count = 0
  for lag in string.gmatch(redis.call('INFO', 'replication'), 'state=online,offset=%d+,lag=(%d+)') do
    if tonumber(lag) <= 2 then count = count + 1 end
  end
  return count
end

-- Arguments: random epoch, newest number that the caller knows, 1 to begin a new epoch in any case.
local function open(keys, args)
  local fences, log, known = keys[1], keys[4], tonumber(args[2])
  local life = life_of_server()
  local control = get(fences, EPOCH, SEQUENCE, FLOOR, AT, BEATS)
  local whole = args[3] ~= '1' and redis.call('STRLEN', fences) == BYTES and redis.call('EXISTS', log) == 1
  if whole and control[2] + STEP > known and redis.call('GET', keys[5]) == text(control[1]) .. ':' .. life then
    verified[fences] = control[1]
    local reaches = text(control[4]) .. '-' .. text(control[5])
    return {control[1], control[2], control[3], reaches, replicas_in_touch(), redis.call('HGETALL', keys[6])}
  end
  local time = redis.call('TIME')
  local now = (time[1] - 1767225600) * 1000 + math.floor(time[2] / 1000)
  local number = (math.floor(math.max(control[2], known, now * STEP) / STEP) + 1) * STEP
  local at = math.max(control[4] + 1, now)
  local epoch = tonumber(args[1])
  redis.call('UNLINK', fences, keys[2], keys[3], log, keys[6], keys[7])
  redis.call('SETRANGE', fences, BYTES - 1, '\\0')
  set(fences, EPOCH, epoch, FLOOR, number, SEQUENCE, number)
  append(fences, log, at, 1000, 'n', text(number), 'e', text(epoch))
  redis.call('SET', keys[5], text(epoch) .. ':' .. life)
  verified[fences] = epoch
  return {epoch, number, number, text(at) .. '-0', replicas_in_touch(), {}}
end

-- Shows that the log can be written, and how far it reaches. Arguments: microseconds between two heartbeats
-- of all nodes together, 1 to look at the life of the server again, longest log, 1 to hear what stands of all topics.
local function beat(keys, args)
  local fences, log = keys[1], keys[4]
  if args[2] == '1' then verified[fences] = nil end
  local control = get(fences, EPOCH, SEQUENCE, FLOOR, AT, BEATS, BEAT_TIME)
  if not is_open(fences, control[1]) or redis.call('EXISTS', log) == 0 then return NOT_OPEN end
  local time = redis.call('TIME')
  local now = (time[1] - 1767225600) * 1000000 + time[2]
  local beats = control[5]
  if now - control[6] >= tonumber(args[1]) or now < control[6] then
    beats = beats + 1
    local id = text(control[4]) .. '-' .. text(beats)
    redis.call('XADD', log, 'MAXLEN', '~', args[3], id, 'n', text(control[2]))
    set(fences, BEATS, beats, BEAT_TIME, now)
  end
  local notes = args[4] == '1' and redis.call('HGETALL', keys[6]) or {}
  return {control[1], control[2], control[3], text(control[4]) .. '-' .. text(beats), replicas_in_touch(), notes}
end

-- The lease of who still has it goes on. Arguments: token, milliseconds.
local function renew(keys, args)
  if redis.call('GET', keys[1]) ~= args[1] then return 0 end
  return redis.call('PEXPIRE', keys[1], args[2])
end

local function release(keys, args)
  if redis.call('GET', keys[1]) ~= args[1] then return 0 end
  redis.call('DEL', keys[1])
  redis.call('PUBLISH', keys[1], '')
  return 1
end

local function register(name, callback, flags)
  redis.register_function{ function_name = 'NAME_' .. name, callback = callback, flags = flags }
end
register('look', look, {'no-writes'})
register('body', body, {'no-writes'})
register('put', put, {})
-- What makes room or keeps promises works without room, too.
register('remove', remove, {'allow-oom'})
register('purge', purge, {'allow-oom'})
register('begin', begin, {'allow-oom'})
register('fence', fence, {'allow-oom'})
register('commit', commit, {'allow-oom'})
register('join', join, {'allow-oom'})
register('open', open, {'allow-oom'})
register('beat', beat, {'allow-oom'})
register('renew', renew, {'allow-oom'})
register('release', release, {'allow-oom'})
register('seat', seat, {'allow-oom'})
register('unseat', unseat, {'allow-oom'})
`;

export const FUNCTIONS = redisLibrary('tidegate', CODE);
