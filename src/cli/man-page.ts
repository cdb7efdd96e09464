/** The man page treacle(8), from what commands, settings and exit codes say of themselves. */
import type { CommandLike } from './command-line.ts'

export interface ManPageFacts {
  readonly program: CommandLike
  readonly variables: readonly { readonly variable: string; readonly description: string }[]
}

const signals = [
  ['SIGTERM, SIGINT', 'Stop: clients that wait hear 421 at once, messages under way may finish.'],
  ['SIGTERM, SIGINT again', 'Stop at once.'],
  ['SIGHUP', 'Read the configuration again; a wrong one changes nothing.'],
] as const

const exitCodes = [
  ['0', 'All is well.'],
  ['1', 'No: what was asked for is not so, or could not be done in time.'],
  ['64', 'The command line is wrong.'],
  ['66', 'A file to be read cannot be read, or is of no known format.'],
  ['69', 'An address cannot be listened on.'],
  ['70', 'A bug.'],
  ['78', 'The configuration is wrong, or would make an open relay.'],
] as const

const files = [
  ['/etc/treacle/treacle.toml', 'The configuration, in the image and with the service unit.'],
  ['/var/lib/treacle', 'State; safe to lose.'],
] as const

/** In the roff of man(7). */
export function manPage({ program, variables }: ManPageFacts): string {
  const named = variables.map(({ variable, description }) => [variable, description] as const)
  const sections = [
    '.TH TREACLE 8 "" treacle "System Administration"',
    '.SH NAME',
    'treacle \\- tarpitting SMTP front\\-end proxy',
    '.SH SYNOPSIS',
    '.B treacle',
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    safe(program.description()),
    '.SH COMMANDS',
    ...program.commands.flatMap(commandText),
    '.SH ENVIRONMENT',
    ...listed([
      ['TREACLE_CONFIG', 'The config file, where \\-\\-config is not given.'],
      [
        'LISTEN_FDS, LISTEN_PID',
        'Sockets to serve instead of listen.addresses; see sd_listen_fds(3).',
      ],
      ...named,
    ]),
    '.SH SIGNALS',
    ...listed(signals),
    '.SH EXIT STATUS',
    ...listed(exitCodes),
    '.SH FILES',
    ...listed(files),
    '.SH SEE ALSO',
    '.BR postfix (1),',
    '.BR exim (8),',
    '.BR systemd.socket (5)',
  ]
  return `${sections.join('\n')}\n`
}

function commandText(command: CommandLike): string[] {
  const wanted = command.registeredArguments.map(argumentText).join('')
  return [
    '.TP',
    `.B treacle ${safe(command.name() + wanted)}`,
    safe(command.description()),
    '.RS',
    ...command.options.flatMap(({ flags, description, argChoices, ...option }) => {
      const choices = argChoices === undefined ? '' : ` (${argChoices.join(', ')})`
      const value = option.defaultValueDescription ?? option.defaultValue
      const hasDefault = value !== undefined && value !== ''
      const standard = hasDefault ? ` Default: ${value}.` : ''
      return ['.TP', `.B ${safe(flags)}`, safe(`${description}${choices}.${standard}`)]
    }),
    '.RE',
  ]
}

function argumentText(argument: CommandLike['registeredArguments'][number]): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? ` <${name}>` : ` [${name}]`
}

function listed(items: readonly (readonly [term: string, text: string])[]): string[] {
  return items.flatMap(([term, text]) => ['.TP', `.B ${safe(term)}`, safe(text)])
}

/** Hyphens that are to be copied stay what they are; nothing at the start of a line is a request. */
function safe(text: string): string {
  return text.replace(/(?<!\\)-/g, '\\-').replace(/^([.'])/gm, '\\&$1')
}
