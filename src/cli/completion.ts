/** `treacle completion SHELL`: scripts that complete commands, flags, what follows them, and file names. */
import { type CommandLike, longFlags } from './command-line.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

type Option = CommandLike['options'][number]
type Argument = CommandLike['registeredArguments'][number]

/** What comes next: file names, one of some words, or nothing that could be guessed. */
type Next = 'files' | readonly string[]

export function completion(program: CommandLike, shell: Shell): string {
  return scripts[shell](program)
}

const scripts: Readonly<Record<Shell, (program: CommandLike) => string>> = {
  bash,
  zsh: (program) =>
    `#compdef treacle\nautoload -U +X bashcompinit && bashcompinit\n${bash(program)}`,
  fish,
}

/** What follows a flag; null when it stands alone. */
function afterFlag({ flags, argChoices }: Option): Next | null {
  if (/<(?:file|folder)>/.test(flags)) return 'files'
  return argChoices ?? (flags.includes('<') ? [] : null)
}

function asArgument(argument: Argument): Next {
  return argument.argChoices ?? (argument.name() === 'file' ? 'files' : [])
}

function bash(program: CommandLike): string {
  const flags = new Map(
    program.commands
      .flatMap(({ options }) => options)
      .flatMap((option) => {
        const next = afterFlag(option)
        const name = [option.short ?? [], option.long ?? []].flat().join(' | ')
        return next === null ? [] : [[name, next] as const]
      }),
  )
  const afterFlags = [...flags].map(([name, next]) => `    ${name}) ${reply(next)}; return ;;`)
  const perCommand = program.commands.map((command) => {
    const next = command.registeredArguments.map(asArgument)
    const words = [...longFlags(command), ...next.filter((one) => one !== 'files').flat()]
    const files = next.includes('files') ? ` ${reply('files')} ;;` : ' ;;'
    return `    ${command.name()}) words='${words.join(' ')}';${files}`
  })
  const first = [
    ...program.commands.map((command) => command.name()),
    'help',
    ...longFlags(program),
  ]
  return `_treacle_files() { local IFS=$'\\n'; COMPREPLY+=($(compgen -f -- "$1")); }
_treacle() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=''
  COMPREPLY=()
  case "$before" in
${afterFlags.join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words='${first.join(' ')}'; else case "\${COMP_WORDS[1]}" in
${perCommand.join('\n')}
  esac; fi
  COMPREPLY+=($(compgen -W "$words" -- "$word"))
}
complete -o filenames -F _treacle treacle
`
}

function reply(next: Next): string {
  if (next === 'files') return '_treacle_files "$word"'
  return next.length === 0 ? ':' : `COMPREPLY=($(compgen -W '${next.join(' ')}' -- "$word"))`
}

function fish(program: CommandLike): string {
  const first = program.commands.map(
    (command) =>
      `complete -c treacle -n __fish_use_subcommand -a ${command.name()} -d ${quoted(command.description())}`,
  )
  const rest = program.commands.flatMap((command) => {
    const where = `complete -c treacle -n '__fish_seen_subcommand_from ${command.name()}'`
    return [
      ...command.options.map((option) => `${where} ${fishFlag(option)}`),
      ...command.registeredArguments.map(
        (argument) => `${where} ${fishNext(asArgument(argument))}`,
      ),
    ]
  })
  return `${['complete -c treacle -f', ...first, ...rest].join('\n')}\n`
}

function fishFlag(option: Option): string {
  const next = afterFlag(option)
  const { long = '', short, description } = option
  const names = [`-l ${long.slice(2)}`, short === undefined ? [] : `-s ${short.slice(1)}`].flat()
  const value = next === null ? [] : `-r ${fishNext(next)}`
  return [names, value, `-d ${quoted(description)}`].flat().join(' ')
}

function fishNext(next: Next): string {
  if (next === 'files') return '-F'
  return next.length === 0 ? '-f' : `-f -a '${next.join(' ')}'`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
