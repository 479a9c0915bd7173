import aws4 from 'aws4'
import type { StsCredentials } from '../sts.ts'

/** A signed request as the subject token carries it, before it is encoded. */
export interface RequestParts {
  readonly url: string
  readonly method: string
  readonly headers: readonly { readonly key: string; readonly value: string }[]
}

export interface SigningWish {
  readonly credentials: StsCredentials
  /** Value of `x-lumo-audience`. */
  readonly audience: string
  /** Unix seconds of `X-Amz-Date`. */
  readonly at: number
  readonly region?: string
  /** `sts.REGION.amazonaws.com` when not given. */
  readonly host?: string
  readonly method?: string
  /** Behind the host, as it is signed and sent. */
  readonly path?: string
  /** Signed beside the usual ones; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Name of the service in the scope. */
  readonly service?: string
}

/** Signs GetCallerIdentity with aws4, an independent signer. */
export function signParts(wish: SigningWish): RequestParts {
  const { credentials, audience, at, region = 'eu-west-1', method = 'POST', service = 'sts' } = wish
  const { host = `sts.${region}.amazonaws.com` } = wish
  const { path = '/?Action=GetCallerIdentity&Version=2011-06-15' } = wish
  const wanted = { 'X-Amz-Date': amzDate(at), 'x-lumo-audience': audience, ...wish.headers }
  const { headers = {} } = aws4.sign(
    {
      host,
      path,
      method,
      service,
      region,
      headers: Object.fromEntries(
        Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined),
      ),
    },
    credentials,
  )
  return {
    url: `https://${host}${path}`,
    method,
    headers: Object.entries(headers).map(([key, value]) => ({ key, value: String(value) })),
  }
}

/** The subject token, encoded as google-auth-library does. */
export function encodeParts(parts: unknown): string {
  return encodeURIComponent(JSON.stringify(parts))
}

function amzDate(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d{3}/g, '')
}
