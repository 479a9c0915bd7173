import { expect, test } from 'vitest'
import { certificatesIn } from '../../src/platform/pem.ts'
import { selfSigned } from '../fakes/self_signed.ts'

const { cert, key } = await selfSigned({ name: 'one' })
const { cert: other } = await selfSigned({ name: 'two' })

test.each([
  ['one certificate', cert, 1],
  ['several, with a comment between them', `${cert}# the old one\n${other}`, 2],
])('%s', (_name, pem, count) => {
  expect(certificatesIn(pem)).toHaveLength(count)
})

test('what stands between certificates is left out', () => {
  expect(certificatesIn(`secret\n${cert}secret`)?.join('\n')).toBe(cert.trim())
})

test.each([
  ['nothing', ''],
  ['a text', 'certificate'],
  ['a private key between certificates', `${cert}${key}${other}`],
  ['a private key alone', key],
  ['a second one that is broken', cert + other.replace(/[A-Za-z0-9]{60}/, 'A'.repeat(60))],
])('%s are no certificates', (_name, pem) => {
  expect(certificatesIn(pem)).toBeUndefined()
})
