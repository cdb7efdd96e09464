/**
 * The commands and their flags, in the words of the help. The only file that knows commander.
 *
 * What a command does is the business of `main`, which brings it; an answer that was not asked for
 * by a known flag is a UsageError.
 */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { type Endpoint, parseEndpoint } from '../core/endpoint.ts'
import { parseIp } from '../core/ip.ts'
import { type Shell, shells } from './completion.ts'
import { formats } from './read-file.ts'
import type { ExplainFlags, ReplayFlags, TryFlags } from './replay-commands.ts'
import type { Sending } from './send.ts'

/** Where `treacle demo` listens. */
export const demoAddress = '127.0.0.1:2525'

export interface ConfigFlag {
  readonly config?: string
}

export interface HealthFlags extends ConfigFlag {
  readonly live?: boolean
  readonly json?: boolean
}

/** What each command does. */
export interface Actions {
  run(flags: ConfigFlag): Promise<void>
  check(flags: ConfigFlag): Promise<void>
  health(flags: HealthFlags): Promise<void>
  completion(shell: Shell, program: Command): void
  demo(flags: { readonly folder: string }): Promise<void>
  send(flags: Sending): Promise<void>
  replay(files: string[], flags: ReplayFlags): Promise<void>
  try(flags: TryFlags): Promise<void>
  explain(file: string, flags: ExplainFlags): Promise<void>
  manual(checkOnly: boolean, program: Command): void
}

export function programOf(version: string, actions: Actions): Command {
  const program = new Command('treacle')
    .description(
      'A tarpitting SMTP front-end proxy: everybody is served, suspicious clients more slowly.',
    )
    .version(version, '-V, --version')
    .exitOverride()

  addServing(program, actions)
  addLooking(program, actions)
  addWriting(program, actions)
  return program
}

/** What came of a command line that was not carried out: "help" was all that was wanted; null: it is no such error. */
export function usageOutcome(error: unknown): 'help' | 'usage' | null {
  if (!(error instanceof CommanderError)) return null
  return error.exitCode === 0 ? 'help' : 'usage'
}

function addServing(program: Command, actions: Actions): void {
  program
    .command('run')
    .description(
      'Serve, with the settings of a config file. SIGTERM stops, SIGHUP reads the file again.',
    )
    .option('-c, --config <file>', 'the config file; without it, the defaults and the environment')
    .action(actions.run)

  program
    .command('check')
    .description('Read the config file and the files it names, and say what is wrong with them.')
    .option('-c, --config <file>', 'the config file')
    .action(actions.check)

  program
    .command('health')
    .description('Ask the running Treacle whether all is well; exit code 0 means yes, 1 no.')
    .option('-c, --config <file>', 'the config file that it runs with')
    .option('--live', 'ask only whether it runs, not whether mail can be taken')
    .option('--json', 'print what the admin server says, as it is')
    .action(actions.health)

  program
    .command('demo')
    .description(
      `Serve on ${demoAddress} with a built-in back end and short delays, to try it out.`,
    )
    .option('--folder <folder>', 'where mail and state go', 'var')
    .action(actions.demo)

  program
    .command('send')
    .description('Send one small message and print the dialogue, with the time each reply took.')
    .addOption(
      new Option('--to <host:port>', 'the server')
        .argParser(endpoint)
        .default(endpoint(demoAddress), demoAddress),
    )
    .option('--helo <name>', 'what to say in EHLO', 'mail.example.org')
    .option('--from <address>', 'the sender', 'alice@example.org')
    .option('--rcpt <address>', 'the recipient', 'bob@example.net')
    .action(actions.send)
}

function addLooking(program: Command, actions: Actions): void {
  program
    .command('replay')
    .description(
      'Judge the connections that files tell of, and count: what is found, whom it slows, what it costs. ' +
        'Reads a TSV table, an Exim main log or a Postfix mail log, plain or gzipped; "-" is the input.',
    )
    .argument('<file...>', 'what to read')
    .option('-c, --config <file>', 'the config file to judge by; without it, the defaults')
    .option('--compare <file>', 'another config file: tell what it would change, worst first')
    .option('--live', 'ask the DNS of today instead of believing what the files hold')
    .addOption(
      new Option('--unknown <as>', 'what a name is taken for that was looked up in vain')
        .choices(['unknown', 'none'])
        .default('unknown'),
    )
    .option('--label <label>', 'one label for all, such as "ham", instead of those of the files')
    .addOption(
      new Option('--format <format>', 'do not find out the format by the first lines').choices(
        formats,
      ),
    )
    .option('--show <count>', 'how many clients of a comparison to list', wholeNumber, 20)
    .option('--json', 'print one JSON document instead (docs/replay.md)')
    .action(actions.replay)

  program
    .command('try')
    .description(
      'Play one connection through and print what would be found and what it comes to. ' +
        'Nothing is sent and nobody waits.',
    )
    .requiredOption('--ip <address>', 'the address of the client', address)
    .option('--helo <name>', 'what it says in HELO or EHLO', '')
    .option('--from <address>', 'what it says in MAIL; "" for the null sender')
    .option('--to <address...>', 'what it says in RCPT, once or more')
    .option('--ptr <name>', 'the name of the address, instead of asking the DNS; "" for none')
    .option('--unconfirmed', 'the name given by --ptr does not lead back to the address')
    .option('--offline', 'ask nobody: what is not told is unavailable')
    .option('-c, --config <file>', 'the config file to judge by; without it, the defaults')
    .option('--json', 'print one JSON document instead (docs/replay.md)')
    .action(actions.try)

  program
    .command('explain')
    .description(
      "Say why clients were kept waiting, from Treacle's JSON log or a main log in Exim's form.",
    )
    .argument('[file]', 'the log, plain or gzipped; "-" is the input', '-')
    .option('--id <id>', 'only the connection of this id')
    .option('--client <address>', 'only the connections of this client')
    .option('-c, --config <file>', 'the config file that a main log is explained by')
    .action(actions.explain)
}

function addWriting(program: Command, actions: Actions): void {
  program
    .command('completion')
    .description('Print a completion script for a shell: bash, zsh or fish.')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell: Shell) => actions.completion(shell, program))

  program
    .command('manual')
    .description(
      'For developers: write what settings, events and commands say of themselves into docs/ and conf/.',
    )
    .option('--check', 'write nothing; fail when they are not up to date')
    .action((flags: { check?: boolean }) => actions.manual(flags.check === true, program))
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.')
  return Number(text)
}

function address(text: string): string {
  if (parseIp(text) !== null) return text
  throw new InvalidArgumentError('Expected an address such as 192.0.2.1 or 2001:db8::1.')
}

function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text)
  if (parsed !== null && parsed.port > 0) return parsed
  throw new InvalidArgumentError(
    'Expected a host and a port such as mx.example.org:25 or [::1]:25.',
  )
}
