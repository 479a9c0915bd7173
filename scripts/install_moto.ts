import { installMoto } from '../test/fakes/moto.ts'

/** For test/conformance/moto.test.ts, which is skipped without it: takes about a minute, and Python with pip. */
await installMoto()
