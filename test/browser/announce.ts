import { chromiumPath } from './chromium.ts'

/** Once for all files: whoever has no Chromium is told why the tests are skipped. */
export default function announce(): void {
  if (chromiumPath !== undefined) return
  process.stderr.write(
    "skipping the browser tests: there is no Chromium here. Install Debian's chromium, or name one in CHROMIUM.\n",
  )
}
