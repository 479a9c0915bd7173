import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { axeFindings } from './axe.ts'
import { chromiumPath, newVisitor, openChromium } from './chromium.ts'
import { pageStates } from './states.ts'
import { openWorld, type BrowserWorld } from './world.ts'

const narrow = { width: 320, height: 640 }
/** Kept as output of CI, to be looked at. */
const screenshots = join(import.meta.dirname, '../../test-output/screenshots')

describe.skipIf(chromiumPath === undefined)(
  'nothing is wrong for axe, in light and dark, nor too wide for a narrow screen, with the page',
  () => {
    let browser: Browser
    let world: BrowserWorld

    beforeAll(async () => {
      ;[browser, world] = await Promise.all([openChromium(), openWorld()])
    })

    afterAll(async () => {
      await browser.close()
      await world.stop()
    })

    test.each(pageStates)('$name', async ({ name, heading, reach }) => {
      // axe is a script.
      const page = await (await newVisitor(browser, { javaScriptEnabled: true })).newPage()
      await reach(page, world)
      await page.getByRole('heading', { level: 1, name: heading }).waitFor()
      const found: Record<string, unknown> = {}
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await page.screenshot({ path: picture(name, colorScheme), fullPage: true })
        // The same elements in other colours: nothing else can have changed.
        const rules = colorScheme === 'dark' ? ['color-contrast'] : []
        found[colorScheme] = await axeFindings(page, rules)
      }
      await page.setViewportSize(narrow)
      await page.screenshot({ path: picture(name, 'narrow'), fullPage: true })
      found['width'] = await page.evaluate('document.documentElement.scrollWidth')
      await page.context().close()
      expect(found).toEqual({ light: [], dark: [], width: narrow.width })
    })
  },
)

const picture = (name: string, kind: string): string => join(screenshots, `${name}-${kind}.png`)
