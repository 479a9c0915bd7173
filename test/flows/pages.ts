import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A fenced block of a page. */
export interface Block {
  /** What the comment before it says that it is, such as `provider`. */
  readonly mark: string | undefined
  readonly language: string
  readonly text: string
}

export interface Page {
  /** From the root of the project. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** Without its blocks. */
  readonly prose: string
  /** The texts in backticks, of the prose. */
  readonly code: readonly string[]
}

const fence = /(?:^<!-- ([a-z ]+) -->\n\n)?^( *)```(\w*)\n([\s\S]*?)^\2```$/gm

export async function readPage(path: string): Promise<Page> {
  const text = await readFile(root + path, 'utf8')
  const prose = text.replaceAll(fence, '')
  return {
    path,
    text,
    blocks: [...text.matchAll(fence)].map(([, mark, , language = '', body = '']) => ({
      mark,
      language,
      text: body,
    })),
    prose,
    code: [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code),
  }
}

/** What stands in the first column of the tables whose first column has this heading. */
export function firstColumn({ prose }: Page, heading: string): readonly string[] {
  const tables = prose.split(/\n\n+/).filter((part) => part.startsWith(`| ${heading} `))
  const rows = tables.flatMap((table) => table.trim().split('\n').slice(2))
  return rows.map((row) => (row.split('|')[1] ?? '').trim().replaceAll('`', ''))
}

/** Where links lead that stay in the project: the page, and the heading in it if there is one. */
export function linksOf({ prose }: Page): readonly string[] {
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.filter((link) => !/^[a-z]+:/.test(link))
}

/** The anchors that a reader of Markdown makes of the headings. */
export function anchorsOf({ prose }: Page): readonly string[] {
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 _-]/g, '')
      .replaceAll(' ', '-'),
  )
}

/** What is read of a schema. */
export interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

/** Every setting below a schema, as `authority.tenants[].slug`. */
export function settingsOf(schema: Schema, path = ''): readonly string[] {
  const inner = schema.items ? settingsOf(schema.items, `${path}[]`) : []
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`
    return [at, ...settingsOf(member, at)]
  })
  return [...inner, ...members]
}

/** The settings that a document has, by the same names. What a setting with names of its own holds is no setting. */
export function settingsIn(
  value: unknown,
  known: ReadonlySet<string>,
  path = '',
): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => settingsIn(item, known, `${path}[]`))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`
    return known.has(at) ? [at, ...settingsIn(member, known, at)] : []
  })
}
