import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

/** Writes how many tests passed and failed, for whoever adds several runs up. A file that did not load is a failure. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0
    let failed = unhandled.length
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      passed += tests.filter((test) => test.result().state === 'passed').length
      failed += tests.filter((test) => test.result().state === 'failed').length
      if (tests.length === 0 || module.errors().length > 0) failed += 1
    }
    const file = process.env['COUNT_FILE']
    if (file !== undefined) writeFileSync(file, `${String(passed)} ${String(failed)}\n`)
  }
}
