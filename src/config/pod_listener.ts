import Type from 'typebox'
import type { ListenAddress } from '../platform/listen.ts'
import { isLoopbackAddress, parseListen } from './address.ts'
import type { ReportFault } from './document.ts'

/** Where a listener for the pod itself listens. */
export const podListen = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
      minItems: 1,
      maxItems: 4,
      description,
    }),
  )

/** Of the broker that a listener belongs to. */
export interface AroundListener {
  /** Whether callers prove themselves. */
  readonly fromOthers: boolean
  readonly brokerListen: readonly ListenAddress[]
}

/** What a listener is, and what is said where it is wrong. */
interface PodListener {
  /** The path of its section. */
  readonly path: string
  readonly port: number
  /** Why it cannot be where callers prove themselves. */
  readonly ofOnePod: string
  /** What whoever reaches it could do. */
  readonly danger: string
}

/** Loopback addresses, or one socket: what a listener may be that gives away, or uses, the tokens of the pod. */
export function resolvePodListen(
  texts: readonly string[] | undefined,
  { path, port, ofOnePod, danger }: PodListener,
  { fromOthers, brokerListen }: AroundListener,
  fault: ReportFault,
): readonly ListenAddress[] {
  if (fromOthers) fault(path, `must be absent where callers prove themselves: ${ofOnePod}`)
  if (!texts && brokerListen.some((address) => 'socket' in address)) {
    fault(
      `${path}.listen`,
      'must be given beside broker.listen on a socket: the default lets in every container of the pod',
    )
  }
  const both = [`127.0.0.1:${String(port)}`, `[::1]:${String(port)}`]
  return (texts ?? both).map((text, index, all): ListenAddress => {
    const setting = `${path}.listen[${String(index)}]`
    const address = parseListen(text)
    if (!address) {
      fault(setting, 'must be a loopback address and a port, or unix: and an absolute path')
      return { host: '127.0.0.1', port: 0 }
    }
    if ('socket' in address) {
      if (all.length > 1) fault(setting, 'a socket must stand alone: TCP would let everybody in')
      return address
    }
    if (!isLoopbackAddress(address)) fault(setting, `must be a loopback address: ${danger}`)
    return { ...address, optional: address.host === '::1' }
  })
}
