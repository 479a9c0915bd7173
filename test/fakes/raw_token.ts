import { createSign, type KeyObject } from 'node:crypto'

/** A part of a compact JWS, of exactly these bytes. */
export function part(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64url')
}

/** A compact JWS over two parts that a test wrote itself, well-formed or not, with a good RS256 signature. */
export function signParts(header: string, payload: string, key: KeyObject): string {
  const signed = `${header}.${payload}`
  return `${signed}.${createSign('sha256').update(signed).sign(key, 'base64url')}`
}
