/** Modules of FreeSWITCH without which a call would fail in the middle of it. */
export const requiredModules: readonly string[] = [
  'mod_commands', 'mod_db', 'mod_dialplan_xml', 'mod_dptools', 'mod_hash', 'mod_loopback', 'mod_lua', 'mod_sndfile', 'mod_sofia', 'mod_tone_stream',
];
