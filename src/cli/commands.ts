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

  lumo-broker explain --config FILE what an authority makes of a proof, rule by rule
    --proof FILE | --claims FILE      a token or signed request, or claims as if they were signed;
                                      - is standard input
    --tenant SLUG, --client ID        which tenant, and the client_id that the request would name

  These change and show the state of an authority, while it runs, too:
    --config FILE                     its configuration
    --tenant SLUG                     which tenant, where it has several

  lumo-broker clients add           register a client; prints its secret, once
    --registration FILE               as in the configuration, YAML or JSON, or
    --grant-type, --scope, --redirect-uri, --public
    --id ID                           instead of one that is made
  lumo-broker clients list | rotate-secret ID | remove ID
  lumo-broker keys list | rotate | retire KID
  lumo-broker grants add --user SUB --agent NAME --scope SCOPE
  lumo-broker grants list | remove --user SUB --agent NAME
  lumo-broker users list | disable SUB | enable SUB
  lumo-broker revoke --agent NAME | --client ID | --user SUB | --grant ID | --jti ID
  lumo-broker revoke --tenant SLUG  everything of a tenant
  lumo-broker audit tail [--count N] | show ID | verify

  lumo-broker help | version
`

type Command = (io: Io) => Promise<ExitCode>

/** Loaded when asked for: what one command needs is no burden for another. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.ts')).run,
  dev: async () => (await import('./dev.ts')).dev,
  config: async () => (await import('./config.ts')).config,
  explain: async () => (await import('./explain.ts')).explain,
  clients: async () => (await import('./clients.ts')).clients,
  keys: async () => (await import('./keys.ts')).keys,
  grants: async () => (await import('./grants.ts')).grants,
  users: async () => (await import('./users.ts')).users,
  revoke: async () => (await import('./revoke.ts')).revoke,
  audit: async () => (await import('./audit.ts')).audit,
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
