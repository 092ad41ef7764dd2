-- append-journal: adds records to the journal of one call, each at most once and never past a gap.
--
-- KEYS[1]  fd:{<call id>}:journal, a list with one record per element, in order
-- KEYS[2]  fd:owners, a hash: the controller of each call
-- ARGV[1]  index of the first record given, counted from 0
-- ARGV[2]  time to live in milliseconds, for a call that nobody ever closes
-- ARGV[3]  the call    ARGV[4]  the controller that adds
-- ARGV[5…] records
--
-- Returns the length of the journal afterwards. A request that is sent again after its reply was lost finds its
-- records there and adds nothing; one whose predecessors are missing (a store that was emptied) adds nothing either,
-- since a journal with a hole replays as another call. Then the length returned is less than was asked for.
-- Returns -1, and adds nothing, where another controller has the call: what is added now is of before it took it, and
-- would be among what it has written itself.
local owner = redis.call('HGET', KEYS[2], ARGV[3])
if owner and owner ~= ARGV[4] then
  return -1
end
local length = redis.call('LLEN', KEYS[1])
local first = tonumber(ARGV[1])
if first > length then
  return length
end
for i = 5 + (length - first), #ARGV do
  length = redis.call('RPUSH', KEYS[1], ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return length
