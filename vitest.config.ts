import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/network_off.ts'],
    // The program has no globals and does nothing at import, so its modules need not be loaded anew for each file: half the time.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env['CI'] ? ['default', './scripts/count_reporter.ts'] : ['default'],
  },
})
