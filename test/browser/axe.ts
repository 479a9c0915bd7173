import axe from 'axe-core'
import type { Page } from 'playwright-core'

/**
 * What axe-core finds, however slight: a line for each element. It runs beside the page, so no policy of the page stops it.
 * `rules`: no others; all of them where none are named.
 */
export async function axeFindings(
  page: Page,
  rules: readonly string[] = [],
): Promise<readonly string[]> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe.source)
  const some = rules.length === 0 ? {} : { runOnly: rules }
  const wish = JSON.stringify({ resultTypes: ['violations'], ...some })
  const violations = await page.evaluate(`axe.run(${wish}).then(({ violations }) => violations)`)
  return (violations as axe.Result[]).flatMap(({ id, impact, nodes }) =>
    nodes.map(
      ({ html, failureSummary }) => `${String(impact)} ${id}: ${html}: ${String(failureSummary)}`,
    ),
  )
}
