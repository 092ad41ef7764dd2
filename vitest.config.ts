import { defineConfig } from 'vitest/config';

// Four groups, one after the other: what runs in the process alone; what needs a server, and what needs a switch, each two
// files at a time; then, one file at a time, what has the timing of calls in what it tests, since a machine may have two
// cores.
const withPackages = { globalSetup: ['test/support/fetch-packages.ts'], testTimeout: 60_000, hookTimeout: 60_000 };
const timed = ['test/contract/media-driver-asterisk.test.ts', 'test/integration/{asterisk-driver,calls-*,chaos-*,crash-*,harness,local-stack-dialplan,no-controller,recording*,takeover,upgrade}.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'pure',
          include: ['test/core/**/*.test.ts', 'test/runtime/**/*.test.ts', 'test/model/**/*.test.ts'],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...withPackages, name: 'contract', include: ['test/contract/**/*.test.ts'], exclude: timed, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      { test: { ...withPackages, name: 'live', include: ['test/integration/**/*.test.ts'], exclude: timed, maxWorkers: 2, sequence: { groupOrder: 2 } } },
      { test: { ...withPackages, name: 'timed', include: timed, maxWorkers: 1, sequence: { groupOrder: 3 } } },
    ],
  },
});
