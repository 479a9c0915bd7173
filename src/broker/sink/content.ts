import type { DatedToken } from './dated_token.ts'

export type SinkFormat = 'token' | 'header' | 'json'

/** What the file of a token holds. A token is visible ASCII (RFC 6749 appendix A.12), so it cannot end the header's line. */
export function contentOf(format: SinkFormat, token: DatedToken): Buffer {
  return Buffer.from(textOf(format, token))
}

function textOf(format: SinkFormat, { accessToken, scope, expiresAt }: DatedToken): string {
  switch (format) {
    case 'token':
      // Many programs send a file's content as it is, and a newline in a header is an error or worse.
      return accessToken
    case 'header':
      // A file of header lines, as `curl --header @file` reads.
      return `Authorization: Bearer ${accessToken}\n`
    case 'json':
      // RFC 6749 section 5.1 but for `expires_in`, which would be wrong a second later.
      return JSON.stringify({
        access_token: accessToken,
        token_type: 'Bearer',
        expires_at: expiresAt,
        scope,
      })
  }
}
