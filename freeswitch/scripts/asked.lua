-- What the switch asks for while it runs: a script for each section of its configuration.
local sections = { directory = true, channels = true }
if sections[XML_REQUEST["section"]] then require(XML_REQUEST["section"]) end
