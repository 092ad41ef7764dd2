-- Nobody claimed the call: the number that its clinic has for this, over the trunks in order.
--   fd-failsafe/<digits of the number>, fd-failsafe/default: number, trunks (with commas; those of fd-trunks/list where absent)
--   fd-failsafe-log/<0-99999>, written here: at, call, origin, dialled, number, outcome; the oldest are overwritten
local kept = require("kept")

local call = session:getVariable("uuid")
local dialled = session:getVariable("fd_dialled") or ""
local target = kept.get("fd-failsafe", (dialled:gsub("%D", ""))) or kept.get("fd-failsafe", "default")
local trunks = kept.parts(target and (target.trunks or (kept.get("fd-trunks", "list") or {}).trunks))
kept.close()

local at = os.time()
-- Two calls at once are unlikely to share one.
local slot = tonumber(call:sub(1, 6), 16) or at
local function note(outcome)
  kept.put("fd-failsafe-log", slot % 100000, { at = at, call = call, origin = session:getVariable("fd_origin"), dialled = dialled, number = target and target.number or "", outcome = outcome })
end

-- The guard must not cut the conversation; four hours end what everyone forgot.
session:execute("sched_hangup", "+14400 allotted_timeout")
note("STARTED")
session:setVariable("hangup_after_bridge", "true")
session:setVariable("continue_on_fail", "true")
session:setVariable("call_timeout", "60")
session:setVariable("transfer_after_bridge", "")
session:execute("export", "force_transfer_context=fd-nowhere")

local outcome = "NOTARGET"
-- Busy and no answer are the clinic's own answer; a trunk that refuses or cannot be reached says nothing about the next.
local final = { SUCCESS = true, USER_BUSY = true, NO_ANSWER = true, ALLOTTED_TIMEOUT = true, CALL_REJECTED = true, ORIGINATOR_CANCEL = true }
for _, trunk in ipairs(trunks) do
  session:execute("bridge", "sofia/gateway/" .. trunk .. "/" .. target.number)
  outcome = session:getVariable("originate_disposition") or "FAILED"
  if final[outcome] or not session:ready() then break end
end
note(outcome)
if session:ready() then session:hangup(outcome == "USER_BUSY" and "USER_BUSY" or "NORMAL_CIRCUIT_CONGESTION") end
