import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The shell commands under a heading of the README, with the project's files where a clone has them. */
export function readmeCommands(heading: string): Promise<string> {
  return pageCommands('README.md', heading)
}

/** The same of any page. */
export async function pageCommands(page: string, heading: string): Promise<string> {
  const text = await readFile(`${root}${page}`, 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`${page} has no section "${heading}"`)
  const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block)
  if (blocks.length === 0) throw new Error(`the section "${heading}" of ${page} has no commands`)
  return blocks.join('').replaceAll(/ (?=(?:deploy|charts)\/)/g, ` ${root}`)
}
