#!/usr/bin/env node
import { runCommand } from './cli/commands.ts'

/** Argv, environment and signals in, exit code out: the only reader of `process`. */
const asked = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      resolve()
    })
  }
})

// Whoever read the output is gone; that is no reason to stop serving tokens.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

process.exitCode = await runCommand({
  arguments: process.argv.slice(2),
  environment: process.env,
  workingFolder: process.cwd(),
  stdout: {
    isTTY: process.stdout.isTTY,
    write: (text) => {
      process.stdout.write(text)
    },
  },
  stderr: {
    write: (text) => {
      process.stderr.write(text)
    },
  },
  asked,
})
