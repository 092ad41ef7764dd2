-- What controllers have written for the switch to know by itself, and the notes it takes for them, in the database of mod_db.
-- A value is name=text&name=text, percent-encoded.
local kept = {}
local store = freeswitch.Dbh("sqlite://call_limit")

local function quoted(text)
  return "'" .. tostring(text):gsub("'", "''") .. "'"
end

function kept.fields(text)
  local found = {}
  for name, value in string.gmatch(text, "([%a%d]+)=([^&]*)") do
    local plain = value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    -- What reaches an application is expanded there, and a line break would end a header. A password reaches none.
    found[name] = name == "password" and plain or plain:gsub("[%c$]", " ")
  end
  return found
end

function kept.text(fields)
  local written = {}
  for name, value in pairs(fields) do
    written[#written + 1] = name .. "=" .. tostring(value):gsub("[^%w+*#._:-]", function(char) return string.format("%%%02X", char:byte()) end)
  end
  return table.concat(written, "&")
end

-- Calls tell(key, fields) for each of a family, or for the one key.
function kept.each(family, key, tell)
  store:query("select data_key, data from db_data where realm=" .. quoted(family) .. (key and " and data_key=" .. quoted(key) or "") .. " order by data_key", function(row)
    tell(row.data_key, kept.fields(row.data))
  end)
end

function kept.get(family, key)
  local found
  kept.each(family, key, function(_, fields) found = fields end)
  return found
end

function kept.put(family, key, fields)
  freeswitch.API():execute("db", "insert/" .. family .. "/" .. key .. "/" .. kept.text(fields))
end

function kept.replace(family, key, text)
  store:query(string.format("insert or replace into db_data (hostname, realm, data_key, data) values ('', %s, %s, %s)", quoted(family), quoted(key), quoted(text)))
end

function kept.remove(family, key)
  store:query("delete from db_data where realm=" .. quoted(family) .. " and data_key=" .. quoted(key))
end

-- What is banned with an address, as fd-ban has it: of IPv4 itself, of IPv6 the first 64 bits, in hex with dashes between.
local function network(address)
  local mapped = address:lower():match("^::ffff:(%d+%.%d+%.%d+%.%d+)$")
  if mapped or not address:find(":", 1, true) then return mapped or address end
  local function groups(text)
    local found = {}
    for group in text:gsub("%d+%.%d+%.%d+%.%d+$", "0:0"):gmatch("%x+") do found[#found + 1] = string.format("%x", tonumber(group, 16)) end
    return found
  end
  local plain = address:match("^[^%%]*")
  local head, tail = plain:match("^(.-)::(.*)$")
  local all, last = groups(head or plain), groups(tail or "")
  for _ = #all + #last + 1, 8 do all[#all + 1] = "0" end
  for _, group in ipairs(last) do all[#all + 1] = group end
  return table.concat(all, "-", 1, 4)
end

-- Whether a controller has banned the address and its time is not over: fd-ban/<controller> is NETWORK=SECONDS,… since 1970.
function kept.isBanned(address)
  local sought, now, banned = "," .. network(address) .. "=", os.time(), false
  store:query("select data from db_data where realm='fd-ban'", function(row)
    local bans = "," .. row.data
    local _, at = bans:find(sought, 1, true)
    if at and tonumber(bans:match("^%d+", at + 1) or 0) > now then banned = true end
  end)
  return banned
end

function kept.close()
  store:release()
end

-- The parts of a list with commas.
function kept.parts(text)
  local found = {}
  for part in string.gmatch(text or "", "[^,]+") do found[#found + 1] = part end
  return found
end

return kept
