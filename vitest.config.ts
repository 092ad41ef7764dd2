import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Four groups, one after the other: what runs in the process alone and what needs a server, each two files at a time, for
// they compute; what needs a switch, three, for most of that waits; then, one file at a time, what loads both cores of a
// small machine, or has the timing of such a load in what it tests.
const withPackages = {
  globalSetup: ['test/support/fetch-packages.ts'], testTimeout: 60_000, hookTimeout: 60_000,
  // the program is started some two hundred times: to read its sources is half of what it takes to say --help
  env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled') },
};
/** Files that share a FreeSWITCH which runs already (test/support/freeswitch.ts) go one after the other: each hangs up everybody. */
const together = (files: number): number => ((process.env['FREESWITCH_HOME'] ?? '') === '' && (process.env['FREESWITCH_ESL_URL'] ?? '') !== '' ? 1 : files);
const alone = ['test/integration/{calls-race,chaos-short,crash-*,queues-crowd,takeover,upgrade}.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'pure',
          include: ['test/core/**/*.test.ts', 'test/runtime/**/*.test.ts', 'test/model/**/*.test.ts'],
          // they compute, some for half a minute: the limit is for what never ends, on a machine that others use too
          testTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...withPackages, name: 'contract', include: ['test/contract/**/*.test.ts'], maxWorkers: together(2), sequence: { groupOrder: 1 } } },
      { test: { ...withPackages, name: 'live', include: ['test/integration/**/*.test.ts'], exclude: alone, maxWorkers: together(3), sequence: { groupOrder: 2 } } },
      { test: { ...withPackages, name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 3 } } },
    ],
  },
});
