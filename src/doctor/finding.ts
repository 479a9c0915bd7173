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
  'token',
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
      /** What is looked at later and makes this one look wrong where it is wrong itself. */
      readonly suspects: readonly LinkName[]
    }

export function ok(link: LinkName, detail: string): Finding {
  return { link, state: 'ok', detail }
}

export function failed(
  link: LinkName,
  detail: string,
  advice: string,
  suspects: readonly LinkName[] = [],
): Finding {
  return { link, state: 'failed', detail, advice, suspects }
}

/** Not looked at, and why: never a guess. */
export function skipped(link: LinkName, detail: string): Finding {
  return { link, state: 'skipped', detail }
}

/** The one thing to do first: the first link that failed, but for one that it suspects and that failed as well. */
export function firstToMend(findings: readonly Finding[]): Finding | undefined {
  const broken = findings.filter((finding) => finding.state === 'failed')
  const [first] = broken
  return broken.find(({ link }) => first?.suspects.includes(link)) ?? first
}
