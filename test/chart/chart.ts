import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { helmBinary } from './helm_binary.ts'

export const chartFolder = fileURLToPath(new URL('../../charts/lumo-broker/', import.meta.url))
export const NAMESPACE = 'lumo-system'

/** Values as a user writes them. */
export type Values = Readonly<Record<string, unknown>>

/** What was rendered, as far as the tests look at all kinds alike. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [member: string]: unknown
}

interface Outcome {
  readonly ok: boolean
  readonly text: string
}

let binary: string | undefined

function helm(action: readonly string[], values: Values): Outcome {
  binary ??= helmBinary()
  const { status, stdout, stderr } = spawnSync(binary, [...action, '--values', '-'], {
    input: JSON.stringify(values),
    encoding: 'utf8',
    maxBuffer: 16_777_216,
    // No configuration of whoever runs the tests, and no cluster.
    env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', KUBECONFIG: '/nonexistent' },
  })
  return { ok: status === 0, text: status === 0 ? stdout : stderr || stdout }
}

interface Release {
  readonly name?: string
  readonly namespace?: string
  readonly kubeVersion?: string
  /** Absent: the chart. */
  readonly chart?: string
}

/** What `helm template` says: the manifests, or why not. */
export function template(values: Values, release: Release = {}): Outcome {
  const { name = 'lumo-broker', namespace = NAMESPACE, kubeVersion = '1.30.0' } = release
  const { chart = chartFolder } = release
  return helm(
    ['template', name, chart, '--namespace', namespace, '--kube-version', kubeVersion],
    values,
  )
}

/** What an installation would print at its end. */
export function notes(values: Values): string {
  const where = ['--namespace', NAMESPACE, '--dry-run=client']
  const { ok, text } = helm(['install', 'lumo-broker', chartFolder, ...where], values)
  if (!ok) throw new Error(text)
  return text.slice(text.indexOf('\nNOTES:\n'))
}

export function lint(values: Values): Outcome {
  return helm(['lint', chartFolder, '--strict', '--namespace', NAMESPACE], values)
}

const rendered = new Map<string, readonly Manifest[]>()

/** The manifests; the same values are rendered once. */
export function render(values: Values, release: Release = {}): readonly Manifest[] {
  const key = JSON.stringify([values, release])
  const known = rendered.get(key)
  if (known) return known
  const { ok, text } = template(values, release)
  if (!ok) throw new Error(text)
  const manifests = parseAllDocuments(text).flatMap((document): readonly Manifest[] => {
    const [fault] = document.errors
    if (fault) throw fault
    const value: unknown = document.toJS()
    return value === null ? [] : [value as Manifest]
  })
  rendered.set(key, manifests)
  return manifests
}

export function ofKind(manifests: readonly Manifest[], kind: string): readonly Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind)
}

/** The one manifest of that kind and name. */
export function one(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = ofKind(manifests, kind).filter(({ metadata }) => metadata.name === name)
  const [only] = found
  if (!only || found.length > 1) {
    throw new Error(`${String(found.length)} of kind ${kind} and name ${name}`)
  }
  return only
}

/** A file of a ConfigMap. */
export function fileOf(manifests: readonly Manifest[], map: string, file: string): string {
  const data = one(manifests, 'ConfigMap', map)['data'] as Readonly<Record<string, string>>
  const text = data[file]
  if (text === undefined) throw new Error(`${map} has no ${file}`)
  return text
}
