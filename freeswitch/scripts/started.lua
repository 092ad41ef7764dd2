-- The addresses of trunks are read when the core starts, which is before anything can say them.
freeswitch.API():execute("reloadacl", "")
