// One HTTP request with JSON as its answer. It follows no redirect, so a token goes where it is sent.

const TIMEOUT_MS = 10_000
const LARGEST_ANSWER = 65_536

/** Nobody answered, or not with JSON. */
export class Unanswered extends Error {}

export async function ask(url, options = {}) {
  try {
    const answer = await fetch(url, {
      ...options,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await textOf(answer)
    return { status: answer.status, headers: answer.headers, body: JSON.parse(text || '{}') }
  } catch (error) {
    throw new Unanswered(
      `${options.method ?? 'GET'} ${new URL(url).host}: ${error.cause?.code ?? error.name}`,
    )
  }
}

async function textOf({ body }) {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > LARGEST_ANSWER) throw new RangeError('the answer is too long')
  }
  return text + decoder.decode()
}
