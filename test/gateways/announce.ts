import { envoyMissing } from './envoy.ts'
import { nginxMissing } from './nginx.ts'

/** Once for all files: whoever lacks a gateway is told why its tests are skipped. */
export default function announce(): void {
  const missing = [nginxMissing(), envoyMissing()].filter((why) => why !== undefined)
  if (missing.length === 0) return
  process.stderr.write(`skipping tests with gateways: ${missing.join('; ')}.\n`)
}
