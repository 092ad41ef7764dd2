-- own-calls: calls become a controller's own, where nobody who lives has them.
--
-- KEYS[1]  fd:leases    KEYS[2]  fd:tokens    KEYS[3]  fd:owners, a hash: the controller of each call    KEYS[4]  fd:since
-- ARGV[1]  the controller
-- ARGV[2]  its token
-- ARGV[3]  how long after fd:since a call without an owner is left alone, in ms: its owner may not have said so yet
-- ARGV[4]  'claim': calls follow, each with who is believed to have it, or an empty text;
--          'take': those of the lapsed controller ARGV[5], at most ARGV[6] of them
--
-- Returns the calls that are its own now, those of the claimed that are over, and 1 where calls without an owner were not
-- left alone; nothing when its lease is not held. A lapsed controller that has no calls left is forgotten.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function lives(controller)
  local ends = redis.call('ZSCORE', KEYS[1], controller)
  return ends and tonumber(ends) >= now
end
local me = ARGV[1]
if redis.call('HGET', KEYS[2], me) ~= ARGV[2] or not lives(me) then
  return {{}, {}, 0}
end
local owned = {}
local over = {}
local settled = now - tonumber(redis.call('GET', KEYS[4]) or now) >= tonumber(ARGV[3])
local function own(call)
  redis.call('HSET', KEYS[3], call, me)
  owned[#owned + 1] = call
end
if ARGV[4] == 'claim' then
  for i = 5, #ARGV, 2 do
    local owner = redis.call('HGET', KEYS[3], ARGV[i])
    if redis.call('EXISTS', 'fd:over:' .. ARGV[i]) == 1 then
      over[#over + 1] = ARGV[i]
      owner = 'over'
    end
    local believed = owner or ARGV[i + 1]
    if owner ~= 'over' and (believed == me or ((owner or settled) and not lives(believed))) then
      own(ARGV[i])
    end
  end
  return {owned, over, settled and 1 or 0}
end
local from = ARGV[5]
if from == me or lives(from) then
  return {{}, {}, 0}
end
local all = redis.call('HGETALL', KEYS[3])
for i = 1, #all, 2 do
  if all[i + 1] == from then
    if #owned >= tonumber(ARGV[6]) then
      return {owned, over, settled and 1 or 0}
    end
    own(all[i])
  end
end
redis.call('ZREM', KEYS[1], from)
redis.call('HDEL', KEYS[2], from)
return {owned, over, settled and 1 or 0}
