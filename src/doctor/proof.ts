import type { ProofConfig } from '../config/config.ts'
import { FileFault } from '../platform/files.ts'
import { MAX_TOKEN_BYTES, parseCompactJws, type UnverifiedJws } from '../verifier/jws.ts'
import { failed, ok, skipped, type Finding } from './finding.ts'
import type { FileOwner, World } from './world.ts'

export interface ReadProof {
  readonly finding: Finding
  readonly jws: UnverifiedJws | undefined
}

/** Link 2: is the proof there, and is it a token? `callerFile` stands for a caller of a node broker. */
export async function readProof(
  proof: ProofConfig,
  callerFile: string | undefined,
  world: World,
): Promise<ReadProof> {
  const path = proof.from === 'file' ? proof.file : callerFile
  if (proof.from === 'aws') {
    return none(
      skipped('proof', 'the running broker makes it from its role on AWS, when it is needed'),
    )
  }
  if (path === undefined) {
    return none(skipped('proof', 'callers show their own: give that of one with --proof-file'))
  }
  try {
    const bytes = await world.files.read(path, MAX_TOKEN_BYTES)
    return judge(path, bytes.toString('utf8').trim())
  } catch (error) {
    if (!(error instanceof FileFault)) throw error
    return none(await unreadable(path, error, world))
  }
}

function none(finding: Finding): ReadProof {
  return { finding, jws: undefined }
}

function judge(path: string, text: string): ReadProof {
  if (text === '') {
    const advice =
      'is something else than the kubelet writing there? A projected token is never empty'
    return none(failed('proof', `${path} is empty`, advice))
  }
  const jws = parseCompactJws(text)
  if (typeof jws === 'string') {
    const advice = 'name the projected service-account token with broker.proof.file'
    return none(failed('proof', `${path} holds no JWT`, advice))
  }
  return { finding: ok('proof', `${path} holds a JWT`), jws }
}

async function unreadable(path: string, fault: FileFault, world: World): Promise<Finding> {
  switch (fault.code) {
    case 'absent':
      return failed(
        'proof',
        fault.message,
        'mount the projected volume there in the container of the broker, or name its token with broker.proof.file',
      )
    case 'too_large':
      return failed('proof', fault.message, 'no token is that long: name another broker.proof.file')
    case 'unreadable': {
      if (await isFolder(path, world)) {
        return failed('proof', `${path} is a folder`, 'name the file in that folder')
      }
      const owner = await world.ownerOf(path)
      const advice =
        'set fsGroup in the securityContext of the pod, or let its containers run as one user'
      return failed('proof', `${fault.message}${owner ? showOwner(owner) : ''}`, advice)
    }
  }
}

/** Listed, a file is itself, and a folder is what lies in it. */
async function isFolder(path: string, { files }: World): Promise<boolean> {
  try {
    const listed = await files.list(path)
    return listed.length !== 1 || listed[0] !== path
  } catch (error) {
    if (error instanceof FileFault) return false
    throw error
  }
}

function showOwner({ mode, uid, gid, ours }: FileOwner): string {
  return `: its mode is 0${mode.toString(8).padStart(3, '0')}, its owner ${String(uid)}, its group ${String(gid)}, and this runs as ${String(ours)}`
}
