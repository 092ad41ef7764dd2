-- count-orphans: calls of controllers that are gone, which nobody has taken yet.
--
-- KEYS[1]  fd:leases    KEYS[2]  fd:owners
--
-- Returns how many. Of a controller that has no lease at all there is nothing to be taken.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local gone = {}
local anybody = false
for _, controller in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)) do
  gone[controller] = true
  anybody = true
end
if not anybody then
  return 0
end
local orphans = 0
for _, owner in ipairs(redis.call('HVALS', KEYS[2])) do
  if gone[owner] then
    orphans = orphans + 1
  end
end
return orphans
