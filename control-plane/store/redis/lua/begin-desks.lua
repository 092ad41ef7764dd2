-- begin-desks: desks begin under an epoch of their own, and those of before may write nothing any more.
--
-- KEYS[1]  fd:desks:epoch, of the desks that began last
-- ARGV[1]  the epoch is at least this: a server that lost its memory goes on from what controllers know
--
-- Returns {epoch, before}: before is that of the desks of before, 0 where none is known of.
local before = tonumber(redis.call('GET', KEYS[1]) or 0)
local epoch = math.max(before + 1, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', epoch))
return {epoch, before}
