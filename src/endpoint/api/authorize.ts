import Type from 'typebox'
import { stylePath } from '../browser/answers.ts'
import type { ApiAnswer, ApiAnswers, ApiOperation, ApiParameter } from '../../platform/api.ts'
import { plainRefusal } from './errors.ts'
import { tenantParameter, tenantPrefixes } from './paths.ts'

const html = Type.String({ description: 'A page for a person.' })
const text = Type.String()

function pageAnswer(description: string): ApiAnswer {
  return { description, headers: {}, content: { 'text/html': html } }
}

const away: ApiAnswer = {
  description:
    'To the client, with `code` or `error`, `state` and `iss` (RFC 9207), or to the next page.',
  headers: { Location: { description: 'Where to.', schema: text } },
  content: {},
}

const refused = {
  400: {
    description: 'There is no such tenant, or a page: where an answer would go cannot be trusted.',
    headers: {},
    content: { 'application/json': plainRefusal('invalid_request'), 'text/html': html },
  },
  409: pageAnswer('It was answered already, or too late.'),
  403: pageAnswer('The form is not of a page that this browser was given.'),
  429: pageAnswer('The sign-in page: too many attempts, or too many at once.'),
  503: pageAnswer('Not at the moment.'),
} satisfies ApiAnswers

const query = (name: string, description: string, required = false): ApiParameter => ({
  name,
  in: 'query',
  required,
  description,
  schema: text,
})

const asked: readonly ApiParameter[] = [
  query('client_id', 'The client.', true),
  query('redirect_uri', 'One that the client has registered, to the character.'),
  query('response_type', '`code`.'),
  query('scope', 'Absent: all that the client may have.'),
  query('state', 'Sent back as it came.'),
  query('code_challenge', 'RFC 7636; a public client needs one.'),
  query('code_challenge_method', '`S256`.'),
  query('nonce', 'For the ID token.'),
  query('resource', 'A target (RFC 8707); may stand several times.'),
  query('prompt', '`none`, `login`, `consent`, `select_account`.'),
  query('max_age', 'Seconds since the person last showed who they are.'),
  query('login_hint', 'Their address.'),
  query('access_type', '`online` or `offline`; a client has refresh tokens or it has none.'),
  query('response_mode', '`query`.'),
  query('dpop_jkt', 'RFC 9449 section 10.'),
]

const requestUri = query(
  'request_uri',
  'Of a request that was pushed (RFC 9126); with `client_id` and nothing else.',
)

const signOut: readonly ApiParameter[] = [
  query('id_token_hint', 'An ID token of the person: they are not asked then.'),
  query('client_id', 'The client, where no ID token says it.'),
  query('post_logout_redirect_uri', 'One that the client has registered.'),
  query('state', 'Sent back as it came.'),
]

/** OpenID Connect Core section 3.1.2.5 and RFC 9207. */
const cameBack: readonly ApiParameter[] = [
  query('state', 'Of a visit that this browser began here.', true),
  query('code', 'What the provider gives for an ID token.'),
  query('error', 'Why it gives none.'),
  query('iss', 'The provider.'),
]

const form = Type.Record(Type.String(), Type.String(), {
  description: 'What the form of the page holds.',
})

/** What people see: authorization (RFC 6749 section 4.1.1), signing in and out, and what acts for them. */
export function authorizeOperations(): readonly ApiOperation[] {
  return [
    ...tenantPrefixes().flatMap(({ prefix, suffix }) => [
      shownAt(`${prefix}/oauth/authorize`, `authorize${suffix}`, 'Ask a person for access', [
        ...asked,
        requestUri,
      ]),
      posted(`${prefix}/oauth/authorize`, `decide${suffix}`, 'What a person decided'),
      posted(`${prefix}/oauth/login`, `signIn${suffix}`, 'Address and password of a person'),
      ledThrough(`${prefix}/oauth/login/upstream/{name}`, `leave${suffix}`, 'Sign in elsewhere', [
        query('continue', 'Where the person goes on then, as a page of ours says it.', true),
      ]),
      ledThrough(
        `${prefix}/oauth/login/callback/{name}`,
        `comeBack${suffix}`,
        'Come back from another provider',
        cameBack,
      ),
      shownAt(`${prefix}/oauth/logout`, `logout${suffix}`, 'Sign a person out', signOut),
      posted(`${prefix}/oauth/logout`, `confirmLogout${suffix}`, 'A person signs out'),
      shownAt(`${prefix}/account`, `account${suffix}`, 'What acts for a person', []),
      posted(`${prefix}/account`, `answer${suffix}`, 'A person approves, denies or takes back'),
    ]),
    {
      id: 'style',
      method: 'get',
      path: stylePath,
      summary: 'What the pages look like',
      security: [[]],
      parameters: [],
      answers: {
        200: {
          description: 'A style sheet, named by its content.',
          headers: {},
          content: { 'text/css': text },
        },
      },
    },
  ]
}

function shownAt(
  path: string,
  id: string,
  summary: string,
  parameters: readonly ApiParameter[],
): ApiOperation {
  return {
    id,
    method: 'get',
    path,
    summary,
    security: [[]],
    parameters: [tenantParameter(), ...parameters],
    answers: { 200: pageAnswer('A page.'), 303: away, ...refused },
  }
}

/** By another OpenID Provider. */
function ledThrough(
  path: string,
  id: string,
  summary: string,
  parameters: readonly ApiParameter[],
): ApiOperation {
  const name: ApiParameter = {
    name: 'name',
    in: 'path',
    required: true,
    description: 'The provider, as the configuration calls it.',
    schema: text,
  }
  return {
    id,
    method: 'get',
    path,
    summary,
    security: [[]],
    parameters: [tenantParameter(), name, ...parameters],
    answers: {
      303: away,
      400: refused[400],
      403: pageAnswer('The provider signed nobody in who is let in, or not in this browser.'),
      429: pageAnswer('The sign-in page: too many at once.'),
      503: pageAnswer(
        'The sign-in page: the provider cannot be used, or its answer not be trusted.',
      ),
    },
  }
}

function posted(path: string, id: string, summary: string): ApiOperation {
  return {
    id,
    method: 'post',
    path,
    summary,
    description: 'By the form of a page of ours, in the browser that was given it.',
    security: [[]],
    parameters: [tenantParameter()],
    body: {
      description: 'The form.',
      required: true,
      content: { 'application/x-www-form-urlencoded': form },
    },
    answers: { 303: away, ...refused },
  }
}
