/** The commands of the product's pages on the token endpoint and on the first steps, and what they answer, to the letter. */
export const page = {
  authorizationCode: {
    command: String.raw`
curl -X POST https://app.lumoauth.dev/t/acme-corp/api/v1/oauth/token \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "grant_type=authorization_code" \
-d "code=SplxlOBeZQQYbYS6WxSbIA" \
-d "redirect_uri=https://myapp.com/callback" \
-d "client_id=abc123def456" \
-d "client_secret=YOUR_CLIENT_SECRET" \
-d "code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
`,
    response: `
{
"access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9...",
"token_type": "Bearer",
"expires_in": 3600,
"refresh_token": "dGhpcyBpcyBhIHJlZnJlc2ggdG9rZW4...",
"scope": "openid profile email",
"id_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9..."
}
`,
  },
  clientCredentials: {
    command: String.raw`
curl -X POST https://app.lumoauth.dev/t/acme-corp/api/v1/oauth/token \
-u "CLIENT_ID:CLIENT_SECRET" \
-d "grant_type=client_credentials" \
-d "scope=read:reports write:data"
`,
    response: `
{
"access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9...",
"token_type": "Bearer",
"expires_in": 3600,
"scope": "read:reports write:data"
}
`,
  },
  quickstart: {
    command: String.raw`
curl -X POST https://app.lumoauth.dev/t/acme-corp/api/v1/oauth/token \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "grant_type=client_credentials" \
-d "client_id=YOUR_CLIENT_ID" \
-d "client_secret=YOUR_CLIENT_SECRET" \
-d "scope=read:users"
`,
    response: `
{
"access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9...",
"token_type": "Bearer",
"expires_in": 3600,
"scope": "read:users"
}
`,
  },
  permission: {
    command: String.raw`
curl -X POST https://app.lumoauth.dev/api/v1/authz/check \
-H "Authorization: Bearer YOUR_ACCESS_TOKEN" \
-H "Content-Type: application/json" \
-d '{"permission": "document.view"}'
`,
    response: `
{
"allowed": true,
"permission": "document.view"
}
`,
  },
  refreshToken: {
    command: String.raw`
curl -X POST https://app.lumoauth.dev/t/acme-corp/api/v1/oauth/token \
-u "CLIENT_ID:CLIENT_SECRET" \
-d "grant_type=refresh_token" \
-d "refresh_token=dGhpcyBpcyBhIHJlZnJlc2ggdG9rZW4..."
`,
  },
  delegation: {
    command: String.raw`
curl -X POST https://app.lumoauth.dev/t/acme-corp/api/v1/oauth/token \
-u "CLIENT_ID:CLIENT_SECRET" \
-d "grant_type=urn:ietf:params:oauth:grant-type:token-exchange" \
-d "subject_token=USER_A_ACCESS_TOKEN" \
-d "subject_token_type=urn:ietf:params:oauth:token-type:access_token" \
-d "actor_token=SERVICE_B_ACCESS_TOKEN" \
-d "actor_token_type=urn:ietf:params:oauth:token-type:access_token"
`,
    claims: `
{
"sub": "user_a",
"act": {
"sub": "service_b"
},
"iss": "https://app.lumoauth.dev",
"exp": 1704067200
}
`,
  },
  refusal: {
    response: `
{
"error": "invalid_grant",
"error_description": "Authorization code is invalid, expired, or revoked"
}
`,
  },
} as const

/** What the pages leave to be put in. */
export type Filling = Readonly<Record<string, string>>

/** The arguments that a shell would give to `curl`, with something put in for what stands in the page. */
export function argumentsOf(command: string, filling: Filling): readonly string[] {
  const [program, ...words] = command
    .replaceAll('\\\n', ' ')
    .matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)
    .map(([, double, single, bare]) => double ?? single ?? bare ?? '')
  if (program !== 'curl') throw new Error('the page has no such command')
  return words.map((word) => filled(word, filling))
}

/** The longest name first, for one is part of another; and in one pass, for what was put in is no page any more. */
function filled(word: string, filling: Filling): string {
  const names = Object.keys(filling).toSorted((one, other) => other.length - one.length)
  const anyOf = new RegExp(names.map((name) => RegExp.escape(name)).join('|'), 'g')
  return word.replaceAll(anyOf, (name) => filling[name] ?? name)
}
