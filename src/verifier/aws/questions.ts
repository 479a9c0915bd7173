/** STS is asked this often at once and no more. */
const MOST_AT_ONCE = 16

/**
 * Counts the questions of one provider that are under way. Anybody can send well-formed rubbish, and each piece of it
 * costs a request of ours to the outside; a queue would only move the flood into memory.
 */
export class Questions {
  #underWay = 0

  /** Asks, or says `busy` at once. */
  async ask<Answer>(question: () => Promise<Answer>): Promise<Answer | 'busy'> {
    if (this.#underWay >= MOST_AT_ONCE) return 'busy'
    this.#underWay += 1
    try {
      return await question()
    } finally {
      this.#underWay -= 1
    }
  }
}
