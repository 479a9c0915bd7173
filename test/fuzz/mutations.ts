import * as fc from 'fast-check'
import { part } from '../fakes/raw_token.ts'

export type Mutation = (text: string) => string

const inserted = fc.oneof(
  fc.constantFrom('.', '=', ' ', '\n', '\r\n', '\t', '\0', '+', '/', '-', '_', 'A'),
  fc.constantFrom('"', '\\', '%', '%00', '&', '#', '@', ':', ';', ',', '?', '{', '}', '[', ']'),
  fc.constantFrom('\u00e4', '\u212a', '\ud800', '\ufeff', '\u202e'),
  fc.string({ minLength: 1, maxLength: 4 }),
)

/** A place in a text of any length. */
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const at = (text: string, share: number): number => Math.floor(share * text.length)

/** One thing done to a text. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([share, bits]) => (text: string) => {
    const index = at(text, share)
    const changed = String.fromCharCode(text.charCodeAt(index) ^ bits)
    return text.slice(0, index) + changed + text.slice(index + 1)
  }),
  place.map((share) => (text: string) => text.slice(0, at(text, share))),
  place.map((share) => (text: string) => text.slice(at(text, share) + 1)),
  place.map((share) => (text: string) => {
    const index = at(text, share)
    return text.slice(0, index) + text.slice(index + 1)
  }),
  fc.tuple(place, inserted).map(([share, more]) => (text: string) => {
    const index = at(text, share)
    return text.slice(0, index) + more + text.slice(index)
  }),
  fc.tuple(place, inserted).map(([share, more]) => (text: string) => {
    const index = at(text, share)
    return text.slice(0, index) + more + text.slice(index + 1)
  }),
  fc.tuple(place, place).map(
    ([from, to]) =>
      (text: string) =>
        text.slice(0, at(text, from)) + text.slice(at(text, to)),
  ),
)

/** Bytes changed inside one part of a compact JWS, so that its base64url stays canonical. */
export const changeInside: fc.Arbitrary<Mutation> = fc
  .tuple(fc.nat({ max: 2 }), place, fc.integer({ min: 1, max: 255 }))
  .map(([which, share, bits]) => (token: string) => {
    const parts = token.split('.')
    const bytes = Buffer.from(parts[which] ?? '', 'base64url')
    const index = Math.floor(share * bytes.length)
    bytes[index] = (bytes[index] ?? 0) ^ bits
    return parts.with(which, part(bytes)).join('.')
  })

export const rubbish = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.base64String(),
  fc.json(),
)
