import packageJson from '../../package.json' with { type: 'json' }
import { OperatorFault } from '../platform/operator_fault.ts'
import { DocumentFault, showFault } from '../config/document.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'

const help = `lumo-broker ${packageJson.version}: ${packageJson.description}

  lumo-broker run --config FILE     run the roles of a configuration
  lumo-broker dev                   everything on this machine, to try it
    --state FOLDER                    where its state is kept (.lumo)
    --first-port PORT                 the authority's; the others follow (9170)
  lumo-broker config check FILE     report every fault of a configuration and its policies
  lumo-broker config schema         print the JSON Schema of the configuration
  lumo-broker config schema policy  print the JSON Schema of trust policies
  lumo-broker help | version
`

type Command = (io: Io) => Promise<ExitCode>

/** Loaded when asked for: what one command needs is no burden for another. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.ts')).run,
  dev: async () => (await import('./dev.ts')).dev,
  config: async () => (await import('./config.ts')).config,
}

/** Runs the command that the arguments name. What the operator has to mend becomes sentences on standard error. */
export async function runCommand(io: Io): Promise<ExitCode> {
  const [name = 'help', ...rest] = io.arguments
  const asksForHelp = ['--help', '-h'].some((flag) => io.arguments.includes(flag))
  if (name === 'help' || asksForHelp) return print(help, io)
  if (['version', '--version'].includes(name)) return print(`${packageJson.version}\n`, io)
  try {
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!load) throw new UsageFault(`there is no command ${JSON.stringify(name)}`)
    const command = await load()
    return await command({ ...io, arguments: rest })
  } catch (error) {
    if (error instanceof UsageFault) {
      io.stderr.write(`lumo-broker: ${error.message}; see lumo-broker help\n`)
      return 2
    }
    if (!(error instanceof OperatorFault)) throw error
    const sentences = error instanceof DocumentFault ? error.faults.map(showFault) : [error.message]
    for (const sentence of sentences) io.stderr.write(`lumo-broker: ${sentence}\n`)
    return 1
  }
}

function print(text: string, io: Io): ExitCode {
  io.stdout.write(text)
  return 0
}
