#!/usr/bin/env node
import { runCommand } from './cli/commands.ts'
import { OperatorFault } from './platform/operator_fault.ts'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(
    `lumo-broker: needs Node 24.15 or later, and this is ${process.versions.node}; in a folder where npm installed it, npx brings its own\n`,
  )
  process.exit(1)
}

/** Argv, environment and signals in, exit code out: the only reader of `process`. */
const asked = new Promise<void>((resolve) => {
  process.once('SIGINT', () => {
    resolve()
  })
  // The second one of these, too, is no reason to leave without removing what lies in files.
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      resolve()
    })
  }
})

let wasAsked = false
void asked.then(() => {
  wasAsked = true
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
  readInput: async (maxBytes) => {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > maxBytes) {
        throw new OperatorFault(`standard input is longer than ${String(maxBytes)} bytes`)
      }
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  },
  asked,
})
// An exchange that is still under way would keep a process that was asked to end. Whoever reads a command's output slowly has time.
if (wasAsked) setTimeout(() => process.exit(), 500).unref()
