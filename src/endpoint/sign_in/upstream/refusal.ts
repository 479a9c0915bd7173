import type { texts } from '../../browser/pages/texts.ts'

interface Kind {
  readonly status: 403 | 503
  /** What the person reads. */
  readonly notice: Extract<keyof typeof texts.signIn, 'upstream' | 'unknown'>
  /** What the operator reads. */
  readonly told: string
}

const provider = { status: 503, notice: 'upstream' } as const
const denied = { status: 403, notice: 'upstream' } as const
const stranger = { status: 403, notice: 'unknown' } as const

const kinds = {
  upstream_out: {
    ...provider,
    told: 'The provider cannot be reached, or does not answer in time: try its discovery document from here.',
  },
  upstream_host_refused: {
    ...provider,
    told: 'The provider names a host with an address that is not public: list that host under hosts if it is right.',
  },
  upstream_document_wrong: {
    ...provider,
    told: 'The discovery document is not that of the issuer, or lacks an endpoint: compare its issuer with the setting, to the character.',
  },
  upstream_file_unreadable: {
    ...provider,
    told: 'clientSecretFile or caFile cannot be read: mount the file, or mend its path.',
  },
  upstream_client_refused: {
    ...provider,
    told: 'The provider refuses us as its client: check clientId, clientSecretFile and the redirect URI there.',
  },
  upstream_answer_wrong: {
    ...provider,
    told: 'What the provider answered does not hold, so nobody was signed in: ask who runs it, for it may be somebody else.',
  },
  upstream_claims_wrong: {
    ...provider,
    told: 'The provider says of the person what cannot be kept: an identifier, address or name of the wrong type, too long, or with control characters.',
  },
  upstream_denied: {
    ...denied,
    told: 'The provider did not sign the person in, or the person said no.',
  },
  upstream_code_refused: {
    ...denied,
    told: 'The provider refuses the code that the browser brought: it is too old, was used, or is not its own.',
  },
  upstream_user_unknown: {
    ...stranger,
    told: 'The person is none of those who are let in: add them with `lumo-broker users add --upstream`, or widen users or emailDomains.',
  },
  upstream_user_disabled: { ...stranger, told: 'The person is disabled.' },
} satisfies Readonly<Record<string, Kind>>

export type UpstreamRefusalCode = keyof typeof kinds

/** Why nobody was signed in by another provider. */
export class UpstreamRefusal {
  readonly code: UpstreamRefusalCode
  /** For the operator: a code of ours or of a library, or a host; nothing that the provider sent. */
  readonly detail: string | undefined
  /** Whom the provider signed in, verified. */
  readonly subject: string | undefined

  constructor(
    code: UpstreamRefusalCode,
    { detail, subject }: { readonly detail?: string | undefined; readonly subject?: string } = {},
  ) {
    this.code = code
    this.detail = detail
    this.subject = subject
  }

  get status(): number {
    return kinds[this.code].status
  }

  get notice(): Kind['notice'] {
    return kinds[this.code].notice
  }

  get told(): string {
    return kinds[this.code].told
  }

  /** Whether the person could do nothing about it. */
  get isOurs(): boolean {
    return this.status === 503
  }
}
