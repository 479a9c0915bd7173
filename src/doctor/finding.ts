/** The links of the path of a token, in the order in which a request meets them. */
export const linkNames = [
  'configuration',
  'proof',
  'claims',
  'clock',
  'dns',
  'tls',
  'authority',
  'policy',
  'broker',
  'cache',
] as const

export type LinkName = (typeof linkNames)[number]

/** What became of a link. */
export type Finding =
  | { readonly link: LinkName; readonly state: 'ok' | 'skipped'; readonly detail: string }
  | {
      readonly link: LinkName
      readonly state: 'failed'
      readonly detail: string
      /** What to do. */
      readonly advice: string
    }

export function ok(link: LinkName, detail: string): Finding {
  return { link, state: 'ok', detail }
}

export function failed(link: LinkName, detail: string, advice: string): Finding {
  return { link, state: 'failed', detail, advice }
}

/** Not looked at, and why: never a guess. */
export function skipped(link: LinkName, detail: string): Finding {
  return { link, state: 'skipped', detail }
}

/**
 * The one thing to do first: the first link that failed, but for a wrong clock, which is what makes dates look wrong before
 * it is looked at itself.
 */
export function firstToMend(findings: readonly Finding[]): Finding | undefined {
  const broken = findings.filter(({ state }) => state === 'failed')
  const [first] = broken
  const clock = broken.find(({ link }) => link === 'clock')
  return clock && first?.link === 'claims' ? clock : first
}
