import { createHash } from 'node:crypto'
import { style } from './pages/templates.ts'

/** An answer to a browser, ready for whatever carries it. */
export interface BrowserAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Named by its content, so that it can be kept for ever. */
export const stylePath = `/style-${createHash('sha256').update(style).digest('hex').slice(0, 16)}.css`

/**
 * Of every answer: no script runs, nothing of another place is loaded, nobody frames it (clickjacking), and no address of ours is
 * told to anybody.
 */
const common = {
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // Not `no-referrer`: with it browsers send `Origin: null` with our own forms, which is then no sign of ours any more.
  'referrer-policy': 'same-origin',
}

/**
 * Where a form of a page may lead: nowhere, to us, or elsewhere. Browsers judge by `form-action` every redirect after it, those of
 * the application at which somebody arrives as well, and strand them where it leads on: what leads elsewhere cannot be bounded.
 */
export type Forms = 'none' | 'own' | 'elsewhere'

export function page(
  status: number,
  body: string,
  { forms = 'none', setCookie }: { readonly forms?: Forms; readonly setCookie?: string } = {},
): BrowserAnswer {
  return {
    status,
    headers: {
      ...common,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'${formActions[forms]}`,
      ...(setCookie !== undefined && { 'set-cookie': setCookie }),
    },
    body,
  }
}

const formActions: Readonly<Record<Forms, string>> = {
  none: "; form-action 'none'",
  own: "; form-action 'self'",
  elsewhere: '',
}

/** 303, so that a form that was posted is not posted once more at its end (RFC 9700 section 4.12). */
export function redirect(location: string, setCookie?: string): BrowserAnswer {
  return {
    status: 303,
    headers: {
      ...common,
      location,
      'cache-control': 'no-store',
      ...(setCookie !== undefined && { 'set-cookie': setCookie }),
    },
    body: '',
  }
}

export const styleSheet: BrowserAnswer = {
  status: 200,
  headers: {
    ...common,
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
  },
  body: style,
}
