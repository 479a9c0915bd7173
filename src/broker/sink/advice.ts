import type { WriteFault } from '../../platform/written_file.ts'

const byCode: Readonly<Record<string, string>> = {
  ENOENT: 'The folder does not exist: mount a volume there.',
  ENOTDIR: 'The folder does not exist: mount a volume there.',
  EROFS: 'The volume is mounted read-only into this container.',
  ENOSPC: 'The volume is full.',
  EDQUOT: 'The volume is full.',
  EACCES: "This user may not write to the folder: set the pod's fsGroup.",
  EPERM: "This user may not write to the folder: set the pod's fsGroup.",
  EISDIR: 'There is a folder in place of the file.',
  EBUSY: 'The file is a mount of its own (subPath): mount its folder instead.',
}

/** The calls and codes by which a system says that this process may not give a file to the group (chown(2)). */
const GROUP_CODES: ReadonlySet<string> = new Set(['EPERM', 'EINVAL'])
const GROUP_ADVICE =
  "This process is not in the group: name it as the pod's fsGroup or in its supplementalGroups."

/** What the operator can do about a file that cannot be written; undefined where nothing general can be said. */
export function adviceFor({ code, call }: Pick<WriteFault, 'code' | 'call'>): string | undefined {
  return call === 'fchown' && GROUP_CODES.has(code) ? GROUP_ADVICE : byCode[code]
}
