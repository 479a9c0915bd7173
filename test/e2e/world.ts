import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'
import { pageCommands, readmeCommands } from './readme.ts'

/**
 * What every test of a run finds: a cluster in which the commands of the README were run, and beside the release those of
 * docs/by-hand.md. What commands printed has the token at its end.
 */
export interface World {
  readonly cluster: Cluster
  readonly installed: {
    readonly output: string
    /** From the start of `helm upgrade --install` until an application had printed its token. */
    readonly seconds: number
  }
  readonly byHand: string
}

export interface Case {
  readonly name: string
  /** Begins what takes long, before any test runs. */
  begin?(world: World): Promise<void>
  run(world: World): Promise<void>
}

/** Runs the commands of the documentation as its reader would, from the image on. */
export async function makeWorld(cluster: Cluster): Promise<World> {
  const commands = await readmeCommands('The first token in a cluster')
  const begun = performance.now()
  const output = await pasteInFolder(cluster, commands)
  const seconds = (performance.now() - begun) / 1000
  const byHand = await pasteInFolder(
    cluster,
    await pageCommands('docs/by-hand.md', 'The first token'),
  )
  return { cluster, installed: { output, seconds }, byHand }
}

/** Runs commands of the documentation in a folder of their own; what they print. */
export async function pasteInFolder(cluster: Cluster, commands: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-pasted-'))
  try {
    return await cluster.paste(commands, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const LOOK_EVERY_MS = 1_000

/**
 * Looks again and again until there is something to see.
 * @throws Error when there is not in time, with the last that was seen
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  seconds = 180,
): Promise<T> {
  const giveUpAt = performance.now() + seconds * 1000
  let last = ''
  for (;;) {
    try {
      const seen = await look()
      if (seen !== undefined) return seen
    } catch (error) {
      last = error instanceof Error ? error.message : 'unknown'
    }
    if (performance.now() > giveUpAt) {
      throw new Error(`waited ${String(seconds)} s for ${what}; ${last}`)
    }
    await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS))
  }
}
