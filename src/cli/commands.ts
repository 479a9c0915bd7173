import packageJson from '../../package.json' with { type: 'json' }
import { OperatorFault } from '../platform/operator_fault.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'

const help = `lumo-broker ${packageJson.version}: ${packageJson.description}

  lumo-broker run --config FILE     run the roles of a configuration
  lumo-broker dev                   everything on this machine, to try it
    --state FOLDER                    where its state is kept (.lumo)
    --first-port PORT                 the authority's; the others follow (9170)
  lumo-broker config check FILE     report every fault of a configuration and its policies
  lumo-broker config schema         print the JSON Schema of the configuration
  lumo-broker config schema policy  print the JSON Schema of trust policies

  These work in the container of a broker, and in others of its pod:

  lumo-broker token                 print an access token of a running broker
    --audience, --resource, --scope   what it is for; the first two any number of times
    --min-ttl SECONDS, --agent ID     what must be left of it; which agent, where the pod is several
    --header | --json                 as an Authorization header; the whole answer
  lumo-broker wait                  until there is a token, for init containers; prints nothing
    --audience … --agent              as for token
    --timeout SECONDS                 for ever, if it is not given
  lumo-broker doctor --config FILE  look at each link of the path of a token, and say what to mend
    --audience … --agent              as for token
    --json                            for programs
  lumo-broker decode [FILE]         what a JWT says, unverified; standard input without FILE

  Which broker token, wait and doctor ask:
    --url ORIGIN | --socket PATH      (http://127.0.0.1:9180)
    --config FILE                     where this configuration has it listen first
    LUMO_BROKER_URL, LUMO_BROKER_SOCKET, LUMO_CONFIG stand for them; doctor and run take the last;
    LUMO_CONFIG_DOCUMENT may hold a whole configuration instead
    --proof-file FILE, --ca-file FILE a node broker: the token that it wants to see (over TLS
                                      LUMO_PROOF_FILE stands for it), the CA of its certificate

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
  lumo-broker api-keys add --client ID --name TEXT [--days N]   prints the key, once
  lumo-broker api-keys list | remove ID
  lumo-broker keys list | rotate | retire KID
  lumo-broker grants add --user SUB --agent NAME --scope SCOPE
  lumo-broker grants list | remove --user SUB --agent NAME
  lumo-broker users add --email ADDRESS [--name NAME]      prints its password, once
  lumo-broker users add --upstream NAME --subject SUB     lets in whom another provider signs in
  lumo-broker users list | disable SUB | enable SUB | reset SUB
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
  token: async () => (await import('./token.ts')).token,
  wait: async () => (await import('./wait.ts')).wait,
  doctor: async () => (await import('./doctor.ts')).doctor,
  decode: async () => (await import('./decode.ts')).decode,
  config: async () => (await import('./config.ts')).config,
  explain: async () => (await import('./explain.ts')).explain,
  clients: async () => (await import('./clients.ts')).clients,
  'api-keys': async () => (await import('./api_keys.ts')).apiKeys,
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
    const sentences =
      'faults' in error ? (await import('./faults.ts')).sentencesOf(error) : [error.message]
    for (const sentence of sentences) io.stderr.write(`lumo-broker: ${sentence}\n`)
    return 1
  }
}

function print(text: string, io: Io): ExitCode {
  io.stdout.write(text)
  return 0
}
