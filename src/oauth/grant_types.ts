/** The grants that the token endpoint speaks, by the short names that metrics and configuration use. */
export const grantTypes = {
  authorization_code: 'authorization_code',
  client_credentials: 'client_credentials',
  refresh_token: 'refresh_token',
  token_exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
} as const

export type GrantName = keyof typeof grantTypes

export function grantNameOf(value: string): GrantName | undefined {
  return (Object.keys(grantTypes) as GrantName[]).find((name) => grantTypes[name] === value)
}
