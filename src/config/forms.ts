import Type from 'typebox'

/**
 * What texts of settings have to look like. Each pattern has a `form`, which is what a person is told instead of the regular
 * expression, after "must be".
 */
export const identifier = {
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$',
  form: 'letters, digits, dots, dashes and underscores, 128 at most, with a letter or digit first',
}

export const slug = {
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
  form: 'lower case letters, digits and dashes, 63 at most, with no dash at either end',
}

export const namespacePattern = {
  pattern: '^[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?$',
  form: 'a namespace: lower case letters, digits, dashes and stars, 63 at most, with no dash at either end',
}

export const accountPattern = {
  pattern: '^[a-z0-9*]([a-z0-9.*-]{0,251}[a-z0-9*])?$',
  form: 'a service account: lower case letters, digits, dashes, dots and stars, 253 at most, with no dash or dot at either end',
}

/** scope-token of RFC 6749 section 3.3. */
export const scopeValue = {
  pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,256}$',
  form: 'one scope: printable ASCII without spaces, quotes and backslashes, 256 characters at most',
}

/** An audience (RFC 8693 section 2.1) or a resource (RFC 8707 section 2). */
export const target = {
  pattern: '^[\\x21-\\x7e]{1,512}$',
  form: 'printable ASCII without spaces, 512 characters at most',
}

export const uuid = {
  pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  form: 'a UUID in lower case',
}

export const printable = {
  pattern: '^[\\x20-\\x7e]{1,512}$',
  form: 'printable ASCII, 512 characters at most',
}

/** For what is mounted into the pod by somebody else, or read there by others: they know no working folder. */
export const absoluteFile = {
  pattern: '^/.*[^/]$',
  form: 'the absolute path of a file',
}

const claimName = {
  pattern: '^[\\x21-\\x7e]{1,128}$',
  form: 'a name in printable ASCII without spaces, 128 characters at most',
}

/** Texts by the names of claims. */
export const claimsOf = (options: { readonly default?: object; readonly description: string }) =>
  Type.Record(Type.String(claimName), Type.String(printable), {
    // A record by a pattern says nothing of members whose names do not fit: their values could be anything.
    propertyNames: claimName,
    maxProperties: 20,
    ...options,
  })
