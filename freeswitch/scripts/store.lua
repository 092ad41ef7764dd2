-- What controllers ask for of what is kept. Names and values are percent-encoded, so that nothing in them is taken for anything else.
--   list FAMILY: a line for each, its key, a blank and its text
--   put FAMILY KEY TEXT: at once, so that nobody finds it missing in between
--   remove FAMILY KEY
--   ban OWNER BANS: in place of those that this owner has banned so far (kept.isBanned)
local kept = require("kept")
local deed, family, key, text = argv[1], argv[2], argv[3], argv[4]

if deed == "list" and family then
  stream:write("+OK\n")
  kept.each(family, nil, function(found, fields) stream:write(found .. " " .. kept.text(fields) .. "\n") end)
elseif deed == "put" and text then
  kept.replace(family, key, text)
  stream:write("+OK")
elseif deed == "remove" and key then
  kept.remove(family, key)
  stream:write("+OK")
elseif deed == "ban" and key then
  kept.replace("fd-ban", family, key)
  stream:write("+OK")
else
  stream:write("-ERR")
end
kept.close()
