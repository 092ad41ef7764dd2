import { defineConfig } from 'vitest/config';

// Three groups, one after the other: what runs in the process alone; what needs a server, two files at a time; then what
// needs a switch with calls on it, one file at a time, because a call's timing is part of what is tested and the machine
// may have two cores.
const withPackages = { globalSetup: ['test/support/fetch-packages.ts'], testTimeout: 60_000, hookTimeout: 60_000 };
const withCalls = ['test/contract/media-driver-asterisk.test.ts', 'test/integration/**/*.test.ts'];

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
      { test: { ...withPackages, name: 'contract', include: ['test/contract/**/*.test.ts'], exclude: withCalls, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      { test: { ...withPackages, name: 'live', include: withCalls, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
});
