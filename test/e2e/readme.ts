import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The shell commands under a heading of the README, with the project's files where a clone has them. */
export async function readmeCommands(heading: string, file = 'README.md'): Promise<string> {
  const text = await readFile(`${root}${file}`, 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(heading))
  if (section === undefined) throw new Error(`${file} has no section "${heading}"`)
  const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block)
  if (blocks.length === 0) throw new Error(`the section "${heading}" has no commands`)
  return blocks.join('').replaceAll(' deploy/', ` ${root}deploy/`)
}
