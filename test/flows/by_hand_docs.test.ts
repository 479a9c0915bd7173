import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { readPage, type Page } from './pages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec?: {
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[]
  }
}

/** What a command of a page names: `namespace kind/name`, without a namespace for what is in none. */
type Named = string

const wholeCommands = (page: Page): readonly string[] =>
  page.blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'))

/** Of the manifests that a page applies: namespaces stay, and the volume of a StatefulSet is made by it. */
async function applied(page: Page): Promise<readonly Named[]> {
  const files = wholeCommands(page).flatMap(
    (line) => /^kubectl apply -f (\S+)$/.exec(line)?.[1] ?? [],
  )
  const texts = await Promise.all(files.map((file) => readFile(root + file, 'utf8')))
  const manifests = texts.flatMap((text) =>
    parseAllDocuments(text).map((document) => document.toJS() as Manifest),
  )
  return manifests
    .filter(({ kind }) => kind !== 'Namespace')
    .flatMap(({ kind, metadata: { name, namespace = '' }, spec }) => [
      `${namespace} ${kind.toLowerCase()}/${name}`,
      ...(spec?.volumeClaimTemplates ?? []).map(
        (claim) => `${namespace} persistentvolumeclaim/${claim.metadata.name}-${name}-0`,
      ),
    ])
}

/** Of `kubectl create`. */
function created(page: Page): readonly Named[] {
  return wholeCommands(page).flatMap((line) => {
    const found =
      /^kubectl -n (\S+) create (secret|configmap)(?: (?:tls|generic))? (\S+) /.exec(line) ?? []
    const [, namespace, kind, name] = found
    return name === undefined ? [] : [`${String(namespace)} ${String(kind)}/${name}`]
  })
}

function deleted(page: Page): readonly Named[] {
  return wholeCommands(page).flatMap((line) => {
    const [, namespace = '', names = ''] =
      /^kubectl (?:-n (\S+) )?delete (.+)$/.exec(line.trim()) ?? []
    return names.split(/\s+/).flatMap((name) => (name === '' ? [] : [`${namespace} ${name}`]))
  })
}

describe.each([
  // The pods of both pages are of one service account, which the first page takes away.
  ['docs/by-hand.md', []],
  ['docs/node-broker.md', ['demo serviceaccount/hello-agent']],
] as const)('%s', (path, kept) => {
  test('takes away whatever it has made, and nothing else', async () => {
    const page = await readPage(path)
    const made = [...(await applied(page)), ...created(page)]
    expect(made.length).toBeGreaterThan(8)
    expect(deleted(page).toSorted()).toEqual(
      made.filter((one) => !kept.some((other) => other === one)).toSorted(),
    )
  })
})
