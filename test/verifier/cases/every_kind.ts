import {
  claim,
  claims,
  DAY,
  forms,
  header,
  noTime,
  NOW,
  provider,
  type Case,
  type Changes,
} from './token_case.ts'

/** Times in seconds from now, of a token that every provider takes. */
const at = (times: {
  readonly iat?: number
  readonly nbf?: number
  readonly exp?: number
}): Changes => {
  const { iat = 0, nbf, exp = iat + 240 } = times
  return claims({ iat: NOW + iat, exp: NOW + exp, nbf: nbf === undefined ? undefined : NOW + nbf })
}

const times: readonly Case[] = [
  ...forms('exp', claim('exp'), [['missing', undefined, 'claim_missing'], ...noTime]),
  ...forms('iat', claim('iat'), [['missing', undefined, 'claim_missing'], ...noTime]),
  ...forms('nbf', claim('nbf'), [['missing', undefined, 'accepted'], ...noTime]),
  ['exp past by 29 s', at({ iat: -200, exp: -29 }), 'accepted'],
  ['exp past by 30 s', at({ iat: -200, exp: -30 }), 'expired'],
  ['exp past by 31 s', at({ iat: -200, exp: -31 }), 'expired'],
  ['exp past for a year', at({ iat: -366 * DAY, exp: -365 * DAY }), 'expired'],
  ['exp equal to iat', at({ exp: 0 }), 'claim_malformed'],
  ['exp before iat', at({ exp: -1 }), 'claim_malformed'],
  ['iat in the future by 29 s', at({ iat: 29 }), 'accepted'],
  ['iat in the future by 30 s', at({ iat: 30 }), 'accepted'],
  ['iat in the future by 31 s', at({ iat: 31 }), 'not_yet_valid'],
  ['iat in the future by 31 s, with nbf in the past', at({ iat: 31, nbf: -60 }), 'not_yet_valid'],
  ['iat in the future by an hour', at({ iat: 3_600 }), 'not_yet_valid'],
  ['nbf in the future by 29 s', at({ nbf: 29 }), 'accepted'],
  ['nbf in the future by 31 s', at({ nbf: 31 }), 'not_yet_valid'],
  ['nbf behind exp', at({ nbf: 7_200 }), 'not_yet_valid'],
  ['our clock 29 s behind', { ...at({}), ahead: -29 }, 'accepted'],
  ['our clock 31 s behind', { ...at({}), ahead: -31 }, 'not_yet_valid'],
  ['our clock ahead, 29 s past exp', { ...at({ exp: 60 }), ahead: 89 }, 'accepted'],
  ['our clock ahead, 31 s past exp', { ...at({ exp: 60 }), ahead: 91 }, 'expired'],
]

const selectors: readonly Case[] = [
  ...forms('aud', claim('aud'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_missing'],
    ['a number', 1, 'claim_missing'],
    ['true', true, 'claim_missing'],
    ['an object', { aud: 'x' }, 'claim_missing'],
    ['an empty text', '', 'claim_missing'],
    ['an empty list', [], 'claim_missing'],
    ['a list of an object', [{}], 'claim_missing'],
    ['of somebody else', 'https://other.example', 'audience_mismatch'],
    ['that every object has', '__proto__', 'audience_mismatch'],
  ]),
  ['aud a list of one', { claims: (good) => ({ aud: [good['aud']].flat() }) }, 'accepted'],
  ['aud a plain text', { claims: (good) => ({ aud: [good['aud']].flat()[0] }) }, 'accepted'],
  [
    'aud a list in a list',
    { claims: (good) => ({ aud: [[good['aud']].flat()] }) },
    'claim_missing',
  ],
  [
    'aud of us and another',
    { claims: (good) => ({ aud: [good['aud'], 'https://other.example'].flat() }) },
    'audience_many',
  ],
  [
    'aud of us twice',
    { claims: (good) => ({ aud: [good['aud'], good['aud']].flat() }) },
    'audience_many',
  ],
  [
    'aud with a slash more',
    { claims: (good) => ({ aud: `${String(good['aud'])}/` }) },
    'audience_mismatch',
  ],
  ...forms('iss', claim('iss'), [
    ['missing', undefined, 'issuer_unknown'],
    ['empty', '', 'issuer_unknown'],
    ['an object', {}, 'issuer_unknown'],
    ['of nobody', 'https://other.example', 'issuer_unknown'],
  ]),
  ['iss in a list', { claims: (good) => ({ iss: [good['iss']] }) }, 'issuer_unknown'],
  [
    'iss in upper case',
    { claims: (good) => ({ iss: String(good['iss']).toUpperCase() }) },
    'issuer_unknown',
  ],
  [
    'iss with a slash more or less',
    { claims: ({ iss }) => ({ iss: `${String(iss)}/`.replace(/\/\/$/, '') }) },
    'issuer_unknown',
  ],
]

const headers: readonly Case[] = [
  ['typ missing', header({ typ: undefined }), 'accepted'],
  ['typ of our access tokens', header({ typ: 'at+jwt' }), 'type_not_allowed'],
  ['alg none', header({ alg: 'none' }), 'algorithm_not_allowed'],
  ['alg HS256', header({ alg: 'HS256' }), 'algorithm_not_allowed'],
  ['crit with what nobody knows', header({ crit: ['x'], x: 1 }), 'header_not_allowed'],
  ['crit with a member that is there', header({ crit: ['kid'] }), 'header_not_allowed'],
  ['crit with nothing', header({ crit: [] }), 'header_not_allowed'],
  ['jku', header({ jku: 'https://attacker.example/keys' }), 'header_not_allowed'],
  ['x5u', header({ x5u: 'https://attacker.example/cert' }), 'header_not_allowed'],
  ['x5c', header({ x5c: ['AA=='] }), 'header_not_allowed'],
  ['jwk', header({ jwk: { kty: 'oct', k: 'AA' } }), 'header_not_allowed'],
  [
    'a member named as every object has one',
    { header: JSON.parse('{"__proto__":1}') as object as Changes['header'] },
    'header_not_allowed',
  ],
  ['kid missing', header({ kid: undefined }), 'key_unknown'],
  ['kid of no key', header({ kid: 'other' }), 'key_unknown'],
  ['kid like a path', header({ kid: '../../../dev/null' }), 'key_unknown'],
  ['kid like a URL', header({ kid: 'https://attacker.example/key' }), 'key_unknown'],
]

const api = { algorithms: ['RS256', 'ES256', 'ES384'] }
const withKey = (name: NonNullable<Changes['signedBy']>, alg: string): Changes => ({
  header: { alg, kid: name },
  signedBy: name,
  provider: api,
})

const keys: readonly Case[] = [
  ['signed by a stranger', { signedBy: 'stranger' }, 'signature_invalid'],
  ['signed with RSA of 1024 bits', withKey('rsa1024', 'RS256'), 'key_unknown'],
  ['signed with RSA of 2048 bits', withKey('rsa2048', 'RS256'), 'accepted'],
  ['signed with P-256 for ES256', withKey('p256', 'ES256'), 'accepted'],
  ['signed with P-384 for ES384', withKey('p384', 'ES384'), 'accepted'],
  ['signed with P-384 for ES256', withKey('p384', 'ES256'), 'key_unknown'],
  ['signed with P-256 for ES384', withKey('p256', 'ES384'), 'key_unknown'],
  [
    'signed with P-384 that its set says is for ES256',
    withKey('p384_as_es256', 'ES256'),
    'key_unknown',
  ],
  ['signed with P-256 for RS256', withKey('p256', 'RS256'), 'key_unknown'],
  ['signed with RSA for ES256', withKey('rsa2048', 'ES256'), 'key_unknown'],
  [
    'signed with RSA that its set says is for PS256',
    withKey('rsa_as_ps256', 'RS256'),
    'key_unknown',
  ],
  [
    'signed with RSA that its set says is for encryption',
    withKey('rsa_for_encryption', 'RS256'),
    'key_unknown',
  ],
  [
    'signed with Ed25519, which is not among the algorithms',
    withKey('ed25519', 'EdDSA'),
    'algorithm_not_allowed',
  ],
  ['signed with Ed25519 that claims to be RSA', withKey('ed25519', 'RS256'), 'key_unknown'],
  [
    'an algorithm that the operator took away',
    provider({ algorithms: ['ES384'] }),
    'algorithm_not_allowed',
  ],
  [
    'keys that cannot be fetched',
    provider({ keys: { jwksUrl: 'http://127.0.0.1:9/keys' } }),
    'cannot_verify',
  ],
]

const twice = (name: string): Changes => ({
  text: (json) => json.replace('{', `{${JSON.stringify(name)}:"x",`),
})

const objects: readonly Case[] = [
  ...['iss', 'sub', 'aud', 'exp'].map((name): Case => [`${name} twice`, twice(name), 'malformed']),
  ['claims that are a list', { text: (json) => `[${json}]` }, 'malformed'],
  [
    'all claims in a member that objects inherit from',
    { text: (json) => `{"__proto__":${json}}` },
    'issuer_unknown',
  ],
  [
    'exp in a member that objects inherit from',
    { text: (json) => json.replace(/"exp":\d+/, `"__proto__":{"exp":${String(NOW + 60)}}`) },
    'claim_missing',
  ],
]

const rules: readonly Case[] = [
  ['maxAge not reached', { ...at({ iat: -89 }), ...provider({ maxAge: 60 }) }, 'accepted'],
  ['maxAge passed', { ...at({ iat: -91 }), ...provider({ maxAge: 60 }) }, 'too_old'],
  [
    'a claim that is demanded and there',
    { claims: { x: 0 }, ...provider({ requiredClaims: ['x'] }) },
    'accepted',
  ],
  ['a claim that is demanded and missing', provider({ requiredClaims: ['x'] }), 'claim_missing'],
  [
    'a claim that is demanded and null',
    { claims: { x: null }, ...provider({ requiredClaims: ['x'] }) },
    'claim_missing',
  ],
  [
    'a demanded name with a dot, which is no path',
    { claims: { a: { b: 'x' } }, ...provider({ requiredClaims: ['a.b'] }) },
    'claim_missing',
  ],
  [
    'a demanded name with a dot',
    { claims: { 'a.b': 'x' }, ...provider({ requiredClaims: ['a.b'] }) },
    'accepted',
  ],
  ...['constructor', '__proto__', 'hasOwnProperty', 'toString'].map((name): Case => [
    `${name} demanded`,
    provider({ requiredClaims: [name] }),
    'claim_missing',
  ]),
  [
    'a text that is demanded',
    { claims: { x: 'a-b' }, ...provider({ claims: { x: 'a-*' } }) },
    'accepted',
  ],
  [
    'another text than is demanded',
    { claims: { x: 'b-a' }, ...provider({ claims: { x: 'a-*' } }) },
    'claim_mismatch',
  ],
  [
    'a star that would have to cross a slash',
    { claims: { x: 'a-b/c' }, ...provider({ claims: { x: 'a-*' } }) },
    'claim_mismatch',
  ],
  [
    'a star that would have to cross a colon',
    { claims: { x: 'a-b:c' }, ...provider({ claims: { x: 'a-*' } }) },
    'claim_mismatch',
  ],
  [
    'two stars that cross both',
    { claims: { x: 'a/b:c' }, ...provider({ claims: { x: 'a/**' } }) },
    'accepted',
  ],
  [
    'a list in place of a text',
    { claims: { x: ['a'] }, ...provider({ claims: { x: 'a' } }) },
    'claim_mismatch',
  ],
  [
    'a number in place of a text',
    { claims: { x: 1 }, ...provider({ claims: { x: '1' } }) },
    'claim_mismatch',
  ],
  [
    'true in place of a text',
    { claims: { x: true }, ...provider({ claims: { x: 'true' } }) },
    'claim_mismatch',
  ],
  ['a text demanded of a claim that is missing', provider({ claims: { x: '*' } }), 'claim_missing'],
  [
    'a text demanded by a path',
    { claims: { a: { b: 'x' } }, ...provider({ claims: { 'a.b': 'x' } }) },
    'claim_missing',
  ],
  ...['constructor', 'toString'].map((name): Case => [
    `${name} demanded to be a text`,
    provider({ claims: { [name]: '**' } }),
    'claim_missing',
  ]),
  [
    'a text demanded beside another that does not hold',
    { claims: { x: 'a', y: 'b' }, ...provider({ claims: { x: 'a', y: 'a' } }) },
    'claim_mismatch',
  ],
]

/** What holds for a token of any platform, by what it is about. */
export const everyKind: readonly Case[] = [
  ...times,
  ...selectors,
  ...headers,
  ...keys,
  ...objects,
  ...rules,
]
