/** What a server answers. */
export interface StsAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const XMLNS = 'https://sts.amazonaws.com/doc/2011-06-15/'
const REQUEST_ID = '01234567-89ab-cdef-0123-456789abcdef'

/** The answer to an action of the query protocol, in JSON for who asks for it and in XML for everybody else. */
export function success(
  action: string,
  result: Readonly<Record<string, string>>,
  accept: string | undefined,
): StsAnswer {
  const metadata = { RequestId: REQUEST_ID }
  return accept === 'application/json'
    ? json(200, {
        [`${action}Response`]: { [`${action}Result`]: result, ResponseMetadata: metadata },
      })
    : xml(200, `${action}Response`, {
        [`${action}Result`]: result,
        ResponseMetadata: metadata,
      })
}

export function failure(
  status: number,
  code: string,
  message: string,
  accept: string | undefined,
): StsAnswer {
  const error = { Type: 'Sender', Code: code, Message: message }
  return accept === 'application/json'
    ? json(status, { Error: error, RequestId: REQUEST_ID })
    : xml(status, 'ErrorResponse', { Error: error, RequestId: REQUEST_ID })
}

export function json(status: number, value: unknown): StsAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  }
}

type Tree = Readonly<Record<string, string | Readonly<Record<string, string>>>>

function xml(status: number, root: string, tree: Tree): StsAnswer {
  const body = `<${root} xmlns="${XMLNS}">\n${elements(tree, '  ')}</${root}>\n`
  return { status, headers: { 'content-type': 'text/xml' }, body }
}

function elements(tree: Tree, indent: string): string {
  return Object.entries(tree)
    .map(([name, value]) => {
      const content =
        typeof value === 'string' ? escape(value) : `\n${elements(value, `${indent}  `)}${indent}`
      return `${indent}<${name}>${content}</${name}>\n`
    })
    .join('')
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
