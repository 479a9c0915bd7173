import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** What axe-core finds, however slight: a line for each element. It runs beside the page, so no policy of the page stops it. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  const violations = await page.evaluate('axe.run().then(({ violations }) => violations)')
  return (violations as axe.Result[]).flatMap(({ id, impact, nodes }) =>
    nodes.map(
      ({ html, failureSummary }) => `${String(impact)} ${id}: ${html}: ${String(failureSummary)}`,
    ),
  )
}
