-- renew-lease: a controller says that it lives.
--
-- KEYS[1]  fd:leases, a sorted set: controllers by the end of their lease, in ms of this server's clock
-- KEYS[2]  fd:tokens, a hash: the token of each controller's lease
-- KEYS[3]  fd:fence, a counter: each lease made anew has a higher token
-- KEYS[4]  fd:since, when the first lease was made: a server that lost its memory begins again
-- KEYS[5]  fd:held, a hash: since when each controller has held its lease without a break
-- ARGV[1]  the controller
-- ARGV[2]  its token; empty asks for a lease anew
-- ARGV[3]  how long the lease lasts, in ms; below 0 ends it
--
-- Returns {token, leads, {controller, …}, {controller, …}, now}: the lease is held; leads is 1 for the eldest of those that
-- live, the one with the lowest token; then the others that live, those that have lapsed, and the time by this server's
-- clock in ms. {'lapsed'}: too late, others may have taken its calls; {'replaced'}: another process has the name. Clocks of
-- controllers play no part. A clock that was set forwards lets all leases lapse at once; one that was set back, or that of
-- another server which took this one's place, is noticed by a lease that ends too late, and all times begin anew.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('SETNX', KEYS[4], now)
local lasts = tonumber(ARGV[3])
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
if lasts > 0 and before and tonumber(before) > now + lasts then
  redis.call('SET', KEYS[4], now)
  for _, late in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now + lasts, '+inf')) do
    redis.call('ZADD', KEYS[1], now + lasts, late)
  end
  local held = redis.call('HGETALL', KEYS[5])
  for i = 1, #held, 2 do
    if tonumber(held[i + 1]) > now then
      redis.call('HSET', KEYS[5], held[i], now)
    end
  end
end
local token = ARGV[2]
if token == '' then
  token = tostring(redis.call('INCR', KEYS[3]))
  redis.call('HSET', KEYS[2], ARGV[1], token)
  redis.call('HSET', KEYS[5], ARGV[1], now)
else
  local current = redis.call('HGET', KEYS[2], ARGV[1])
  if current and current ~= token then
    return {'replaced'}
  end
  local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if not current or not ends or tonumber(ends) < now then
    return {'lapsed'}
  end
end
redis.call('ZADD', KEYS[1], now + lasts, ARGV[1])
local lapsed = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)
local others = {}
local leads = 1
for _, other in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')) do
  if other ~= ARGV[1] then
    others[#others + 1] = other
    if tonumber(redis.call('HGET', KEYS[2], other) or 0) < tonumber(token) then
      leads = 0
    end
  end
end
return {token, leads, others, lapsed, now}
