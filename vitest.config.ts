import { defineConfig } from 'vitest/config'

/** Tests that play with real processes in real time: their patience is not to be used up by tests beside them. */
const withProcesses = [
  'test/faults/**/*.test.ts',
  'test/flows/{dev,acting_docs,applications_docs,proxy_docs,refresh_race,two_processes}.test.ts',
  'test/cli/{doctor,wait}.test.ts',
  'test/conformance/moto.test.ts',
  'test/examples/**/*.test.ts',
  'test/gateways/**/*.test.ts',
  'test/store/*.test.ts',
]

/** Tests with a Chromium, which takes both cores. */
const inBrowser = 'test/browser/**/*.test.ts'

export default defineConfig({
  test: {
    setupFiles: ['test/network_off.ts'],
    // The program has no globals and does nothing at import, so its modules need not be loaded anew for each file: half the time.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env['CI'] ? ['default', './scripts/count_reporter.ts'] : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'program',
          include: ['test/**/*.test.ts'],
          exclude: [...withProcesses, inBrowser],
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'processes',
          include: withProcesses,
          globalSetup: ['test/gateways/announce.ts'],
          sequence: { groupOrder: 1 },
          maxWorkers: 1,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: [inBrowser],
          globalSetup: ['test/browser/announce.ts'],
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
