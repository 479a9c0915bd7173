import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProgram, type Program } from './program.ts'

const places = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx']
const nginx = places.find((place) => existsSync(place))

/** Why there is no nginx here; undefined when there is one. */
export function nginxMissing(): string | undefined {
  return nginx === undefined ? "nginx is not installed: Debian's package nginx has it" : undefined
}

/** Starts nginx with a configuration, as whoever runs the tests and beside no other. */
export async function startNginx(config: string): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'))
  const file = join(folder, 'nginx.conf')
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const places = kept.map((what) => `${what}_temp_path ${folder}/${what};`).join(' ')
  await writeFile(file, config.replace('http {', `http { access_log off; ${places}`))
  const settings = `daemon off; master_process off; pid ${folder}/pid; error_log stderr notice;`
  const command = [nginx ?? '', '-p', folder, '-e', 'stderr', '-c', file, '-g', settings] as const
  try {
    // It listens by then.
    const running = await startProgram(command, /event method/)
    return {
      close: async () => {
        await running.close()
        await rm(folder, { recursive: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true })
    throw error
  }
}
