/** The `Authorization` header of AWS Signature Version 4, taken apart. */
export interface SigV4Authorization {
  readonly accessKeyId: string
  /** `YYYYMMDD` of the scope. */
  readonly date: string
  readonly region: string
  readonly signedHeaders: readonly string[]
  /** 64 hexadecimal digits, lower case: each signature has one spelling, or it could be shown twice. */
  readonly signature: string
}

const FORM =
  /^AWS4-HMAC-SHA256 Credential=(?<accessKeyId>[A-Za-z0-9_]{4,128})\/(?<date>\d{8})\/(?<region>[a-z0-9-]{1,32})\/sts\/aws4_request, ?SignedHeaders=(?<names>[a-z0-9;-]{1,512}), ?Signature=(?<signature>[0-9a-f]{64})$/

/**
 * Reads the header as signers write it. The names have to stand in order and once each, as Signature Version 4 has it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function parseAuthorization(value: string): SigV4Authorization | undefined {
  const { accessKeyId, date, region, names, signature } = FORM.exec(value)?.groups ?? {}
  if (!accessKeyId || !date || !region || !names || !signature) return undefined
  const signedHeaders = names.split(';')
  const ascending = signedHeaders.every(
    (name, at) => name !== '' && name > (signedHeaders[at - 1] ?? ''),
  )
  return ascending ? { accessKeyId, date, region, signedHeaders, signature } : undefined
}

/** Writes the header from its parts, in one spelling whatever the spelling was. */
export function writeAuthorization(parts: SigV4Authorization): string {
  const { accessKeyId, date, region, signedHeaders, signature } = parts
  const scope = `${accessKeyId}/${date}/${region}/sts/aws4_request`
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
}

/** Unix seconds of `YYYYMMDDTHHMMSSZ`, where that is a moment of the calendar. */
export function parseAmzDate(value: string): number | undefined {
  const iso = value.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z')
  const milliseconds = iso === value ? NaN : Date.parse(iso)
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== iso) return undefined
  return milliseconds / 1000
}
