import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { axeFindings } from './axe.ts'
import { chromiumPath, newVisitor, openChromium } from './chromium.ts'
import { pageStates } from './states.ts'
import { openWorld, type BrowserWorld } from './world.ts'

const narrow = { width: 320, height: 640 }
/** Kept as output of CI, to be looked at. */
const screenshots = join(import.meta.dirname, '../../test-output/screenshots')

describe.skipIf(chromiumPath === undefined)('the page', () => {
  let browser: Browser
  let world: BrowserWorld

  beforeAll(async () => {
    ;[browser, world] = await Promise.all([openChromium(), openWorld()])
  })

  afterAll(async () => {
    await browser.close()
    await world.stop()
  })

  /** A page of a browser of its own, once it shows the state. */
  async function shown(
    { reach, heading }: (typeof pageStates)[number],
    wish: BrowserContextOptions,
  ): Promise<Page> {
    const page = await (await newVisitor(browser, wish)).newPage()
    await reach(page, world)
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    return page
  }

  describe.each(pageStates)('$name', (state) => {
    test.each(['light', 'dark'] as const)('leaves nothing for axe, %s', async (colorScheme) => {
      // axe is a script.
      const page = await shown(state, { colorScheme, javaScriptEnabled: true })
      await page.screenshot({ path: join(screenshots, `${state.name}-${colorScheme}.png`) })
      expect(await axeFindings(page)).toEqual([])
      await page.context().close()
    })

    test('fits into a narrow screen', async () => {
      const page = await shown(state, { viewport: narrow })
      await page.screenshot({ path: join(screenshots, `${state.name}-narrow.png`), fullPage: true })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(narrow.width)
      await page.context().close()
    })
  })
})
