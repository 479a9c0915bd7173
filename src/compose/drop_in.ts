import { digestOf, type DropInGuard } from '../broker/drop_in/guard.ts'
import type { DropInConfig } from '../config/config.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { Watched } from '../platform/watched.ts'
import type { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'

const MAX_GUARD_BYTES = 1_024
/** What the setting of the value itself demands, for a file can hold an error page or nothing. */
const guardValue = /^[\x21-\x7e]{22,512}$/

/**
 * Opens what clients of the drop-in routes have to show.
 * @throws OperatorFault
 */
export async function openDropInGuard(
  config: DropInConfig,
  opened: Opened,
  surroundings: Surroundings,
): Promise<DropInGuard> {
  switch (config.guard) {
    case 'caller':
    case 'none':
    case 'off':
      return { kind: config.guard }
    case 'secret': {
      const digest = digestOf(config.secret)
      return { kind: 'secret', digest: () => digest }
    }
    case 'file': {
      const { file } = config
      const followed = opened.follow(
        await Watched.open(
          {
            what: 'drop_in_guard',
            paths: [file],
            maxBytes: MAX_GUARD_BYTES,
            parse: ([content]) => {
              const text = content?.bytes.toString('utf8').trim() ?? ''
              if (guardValue.test(text)) return digestOf(text)
              throw new OperatorFault(`${file} holds no guard value of 22 to 512 characters`)
            },
          },
          surroundings,
        ),
      )
      return { kind: 'secret', digest: () => followed.current() }
    }
  }
}
