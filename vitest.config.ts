import { defineConfig } from 'vitest/config';

// Two groups: what runs in the process alone, in parallel; then what needs a switch, one file at a time, because a
// call's timing is part of what is tested and the machine may have two cores.
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
      {
        test: {
          name: 'live',
          include: ['test/contract/**/*.test.ts', 'test/integration/**/*.test.ts'],
          globalSetup: ['test/support/fetch-packages.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
