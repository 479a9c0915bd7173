export type BodyForm = 'form' | 'json'

/** The two kinds of body that our endpoints read, by `Content-Type`; a `charset` may only be UTF-8. */
export function bodyFormOf(contentType: string | undefined): BodyForm | undefined {
  const [type = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  if (parameters.some((parameter) => !/^(charset=(utf-8|"utf-8"))?$/.test(parameter)))
    return undefined
  if (type === 'application/x-www-form-urlencoded') return 'form'
  return type === 'application/json' ? 'json' : undefined
}
