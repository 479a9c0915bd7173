// The crypto floor of `npm run bench -- endpoint`: the verify and sign calls of one grant in a bare loop, 16 in flight, and
// nothing else. Prints requests per second for each line of input, which is a number of seconds.
import { createInterface } from 'node:readline'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { compactVerify, generateKeyPair, exportPKCS8, SignJWT } from 'jose'

const { ALGORITHM, PROOF_ALGORITHM, VERIFICATIONS, TOKEN_CLAIMS, PROOF_CLAIMS } = process.env
const IN_FLIGHT = 16

async function pair(algorithm) {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const key = createPrivateKey(await exportPKCS8(privateKey))
  return { privateKey: key, publicKey: createPublicKey(key) }
}

const signing = await pair(ALGORITHM)
const proving = PROOF_ALGORITHM === ALGORITHM ? signing : await pair(PROOF_ALGORITHM)
const claims = JSON.parse(TOKEN_CLAIMS)
const proof = await new SignJWT(JSON.parse(PROOF_CLAIMS))
  .setProtectedHeader({ alg: PROOF_ALGORITHM, kid: 'proof' })
  .sign(proving.privateKey)

async function once() {
  for (let count = 0; count < Number(VERIFICATIONS); count++) {
    await compactVerify(proof, proving.publicKey, { algorithms: [PROOF_ALGORITHM] })
  }
  await new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid: 'key' })
    .sign(signing.privateKey)
}

async function run(seconds) {
  const begun = performance.now()
  const end = begun + seconds * 1000
  let done = 0
  const worker = async () => {
    while (performance.now() < end) {
      await once()
      done += 1
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  return done / ((performance.now() - begun) / 1000)
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${String(await run(Number(line)))}\n`)
}
