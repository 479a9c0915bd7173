import { readPage, type Block } from '../flows/pages.ts'

/** A command of a page, and what the page shows that it prints. */
export interface PageRun {
  readonly command: string
  readonly output: Block
}

/** The commands of a page of an example. Each block is one of these: none is only there to be read. */
export interface PageRuns {
  /** Those that stay, each in a terminal of its own. */
  readonly staying: readonly string[]
  readonly runs: readonly PageRun[]
}

export async function runsOf(path: string, count: number): Promise<PageRuns> {
  const { blocks } = await readPage(path)
  const staying = blocks.filter(({ mark }) => mark === 'stays').map(({ text }) => text)
  const runs = blocks.flatMap(({ mark, text }, index) => {
    const output = blocks[index + 1]
    return mark === 'run' && output ? [{ command: text, output }] : []
  })
  const idle = blocks.length - staying.length - 2 * runs.length
  if (idle !== 0 || runs.length !== count) throw new Error(`${path} has other blocks than are run`)
  return { staying, runs }
}

/** Whether this was printed, when `…` stands for whatever is on the line but a quote. */
export function isShown({ language, text }: Block, printed: string): boolean {
  const plain = (json: string): string =>
    language === 'json' ? JSON.stringify(JSON.parse(json)) : json
  const parts = plain(text).split('…')
  const pattern = parts.map((part) => RegExp.escape(part)).join('[^"\\n]+')
  return new RegExp(`^${pattern}$`).test(plain(printed))
}
