import { existsSync } from 'node:fs'
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
} from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The Chromium of this machine, or the one that `CHROMIUM` names. Undefined: there is none. */
export const chromiumPath = [process.env['CHROMIUM'], ...places].find(
  (path) => path !== undefined && existsSync(path),
)

/** `npm test` runs as root in containers, where the sandbox of Chromium does not; no name but these leads anywhere. */
const flags = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
]

/** Starts a Chromium without a window. */
export async function openChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error('there is no Chromium on this machine')
  return chromium.launch({ executablePath: chromiumPath, args: flags })
}

/** A person's browser with nothing in it. Without scripts, unless the test says so: no page of ours may need any. */
export async function newVisitor(
  browser: Browser,
  wish: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    javaScriptEnabled: false,
    viewport: { width: 1024, height: 768 },
    locale: 'en',
    ...wish,
  })
  context.setDefaultTimeout(20_000)
  return context
}
