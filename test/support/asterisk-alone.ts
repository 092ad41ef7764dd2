/** Tests of what an Asterisk alone has: `test.skipIf(ofAsteriskAlone('its command line'))`. Where the switch is another they are skipped, and say so. */
export const ofAsteriskAlone = (what: string): boolean => {
  const skipped = process.env['FRONTDESK_TEST_SWITCH'] === 'freeswitch';
  if (skipped) process.stderr.write(`Skipped: a test of Asterisk alone, of ${what}.\n`);
  return skipped;
};
