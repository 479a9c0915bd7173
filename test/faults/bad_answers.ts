import type { ServerResponse } from 'node:http'

/** An answer that is late, or none that a token endpoint gives. */
export type AnswerFault =
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'dripping' }
  | { readonly kind: 'garbage'; readonly what: keyof typeof garbage | 'endless' }

const JSON_TYPE = { 'content-type': 'application/json' }

const garbage = {
  html: '<!doctype html><title>Sign in to the network</title>',
  truncated: '{"access_token":"eyJhbGciOiJSUzI1NiJ9.e30.c2ln","token_ty',
  tokenless: '{"token_type":"Bearer","expires_in":3600}',
} as const

const CHUNK = Buffer.alloc(65_536, ' ')
const ENDLESS_BYTES = 100 * 1024 * 1024
const DRIP_MS = 400

/** `cut` resets the connection under the answer. */
export function answerBadly(
  fault: Exclude<AnswerFault, { kind: 'slow' }>,
  response: ServerResponse,
  cut: () => void,
): void {
  switch (fault.kind) {
    case 'status': {
      const { status, retryAfter } = fault
      const headers = {
        ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
        ...(status >= 300 && status < 400 && { location: 'https://elsewhere.example/token' }),
      }
      response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end('no token here')
      return
    }
    case 'reset':
      response.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' })
      response.write(garbage.truncated, cut)
      return
    case 'dripping':
      drip(response)
      return
    case 'garbage':
      response.writeHead(200, fault.what === 'html' ? { 'content-type': 'text/html' } : JSON_TYPE)
      if (fault.what === 'endless') pour(response, ENDLESS_BYTES)
      else response.end(garbage[fault.what])
  }
}

/** A byte now and then, so that the connection never rests. */
function drip(response: ServerResponse): void {
  response.writeHead(200, JSON_TYPE)
  const timer = setInterval(() => response.write(' '), DRIP_MS)
  response.on('close', () => {
    clearInterval(timer)
  })
}

/** As fast as it is taken, until whoever asked hangs up. */
function pour(response: ServerResponse, bytes: number): void {
  let left = bytes
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= CHUNK.length
      if (!response.write(CHUNK)) {
        response.once('drain', more)
        return
      }
    }
    response.end()
  }
  more()
}
