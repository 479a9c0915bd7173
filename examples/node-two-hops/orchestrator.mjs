// An agent that acts for a user through a second agent. It reads the user's token from standard input.
import { text } from 'node:stream/consumers'
import { beginSession, endSession, Refused, tokenWithin } from './broker.mjs'
import { ask, Unanswered } from './web.mjs'

const specialistUrl = process.env.SPECIALIST_URL ?? 'http://127.0.0.1:9185'

async function main() {
  const session = await beginSession((await text(process.stdin)).trim())
  try {
    const token = await tokenWithin(session, 'specialist', 'read:documents', tell)
    const headers = { Authorization: `Bearer ${token}` }
    const { status, body } = await ask(`${specialistUrl}/summary`, { headers })
    console.log(JSON.stringify(body))
    if (status !== 200) process.exitCode = 1
  } finally {
    await endSession(session)
  }
}

/** The user is elsewhere. This is where the agent tells them, in its own way. */
function tell({ expires_in: seconds }) {
  console.error(
    `Please allow orchestrator to act for you, on your account page, within ${seconds} s.`,
  )
}

try {
  await main()
} catch (error) {
  process.exitCode = 1
  if (error instanceof Refused) console.error(`orchestrator: ${error.code}: ${error.message}`)
  else if (error instanceof Unanswered) console.error(`orchestrator: no answer: ${error.message}`)
  else throw error
}
