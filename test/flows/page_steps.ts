import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExamplesWorld } from '../examples/examples_world.ts'
import type { Block, Page } from './pages.ts'

/** A command of a page, with the output that the page shows for it: the next block. */
export interface Step {
  readonly block: Block
  /** Undefined: it prints nothing. */
  readonly shown: Shown | undefined
}

interface Shown {
  readonly block: Block
  matches(printed: string): boolean
}

/** Longer than any run takes, for outputs that say how many seconds are left. */
const SECONDS = 600

/** The commands that are marked `run`, or `run` and a word: `run silently` prints nothing, `run approved` waits for a user. */
export function readSteps({ blocks }: Page): readonly Step[] {
  return blocks.flatMap((block, index) => {
    if (block.mark?.startsWith('run') !== true) return []
    const next = block.mark === 'run silently' ? undefined : blocks[index + 1]
    const shown = next && {
      block: next,
      matches: (printed: string) => isShown(next, printed),
    }
    return [{ block, shown }]
  })
}

/**
 * Runs the steps of a page in one shell, as a reader does who copies one after the other; `before` is what the reader does
 * elsewhere, before steps with that mark. Gives what each printed, with the ports of the page.
 */
export async function walk(
  world: ExamplesWorld,
  steps: readonly Step[],
  before: Readonly<Record<string, () => Promise<void>>> = {},
): Promise<readonly string[]> {
  const text = steps.map(({ block }, index) => stepText(block, index)).join('\n')
  const shell = world.run(text)
  const outputs: string[] = []
  for (const [index, { block }] of steps.entries()) {
    await before[block.mark ?? '']?.()
    await writeFile(join(world.folder, `go-${String(index)}`), '')
    const all = await shell.says(endOf(index))
    const [, begun = ''] = all.split(`${beginOf(index)}\n`)
    outputs.push(world.asOnThePage(begun.split(`\n${endOf(index)}`)[0] ?? ''))
  }
  await shell.ended
  return outputs
}

const beginOf = (index: number): string => `[step ${String(index)}]`
const endOf = (index: number): string => `[end of step ${String(index)}]`

/** A step between two marks, once its turn has come. One that waits for a user is repeated until it says something else. */
function stepText({ text, mark }: Block, index: number): string {
  const turn = `until [ -e go-${String(index)} ]; do sleep 0.02; done`
  const again = `until OUTPUT=$(${text}) && ! echo "$OUTPUT" | grep -q 'pending\\|consent_required'; do sleep 0.1; done`
  const body = mark === 'run approved' ? `${again}\necho "$OUTPUT"` : text
  return `${turn}\necho '${beginOf(index)}'\n${body}\necho\necho '${endOf(index)}'`
}

/** Whether an output was printed. In it `…` stands for whatever is no quote, and numbers are about the same. */
function isShown({ language, text }: Block, printed: string): boolean {
  if (language !== 'json') return patternOf(text.trimEnd()).test(printed.trimEnd())
  if (!/^[{[]/.test(printed)) return false
  return isLike(JSON.parse(text), JSON.parse(printed))
}

function isLike(shown: unknown, given: unknown): boolean {
  if (typeof shown === 'string') return typeof given === 'string' && patternOf(shown).test(given)
  if (typeof shown === 'number') return Math.abs(shown - Number(given)) < SECONDS
  if (typeof shown !== 'object' || shown === null || typeof given !== 'object' || given === null) {
    return shown === given
  }
  const [names, others] = [Object.keys(shown), Object.keys(given)]
  if (Array.isArray(shown) !== Array.isArray(given) || names.join() !== others.join()) return false
  return names.every((name) => isLike(shown[name as never], given[name as never]))
}

function patternOf(text: string): RegExp {
  const parts = text.split('…').map((part) => RegExp.escape(part))
  return new RegExp(`^${parts.join('[^"\\n]+')}$`)
}
