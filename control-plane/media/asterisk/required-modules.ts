/** Modules of Asterisk without which a call would fail in the middle of it. */
export const requiredModules: readonly string[] = [
  'app_dial.so', 'app_stasis.so', 'app_stasis_broadcast.so', 'chan_pjsip.so', 'func_callerid.so', 'func_db.so', 'func_logic.so', 'func_timeout.so',
  'res_ari_applications.so', 'res_ari_asterisk.so', 'res_ari_bridges.so', 'res_ari_channels.so', 'res_ari_events.so', 'res_ari_playbacks.so', 'res_ari_recordings.so',
  'res_stasis_broadcast.so', 'res_stasis_playback.so', 'res_stasis_recording.so',
];
