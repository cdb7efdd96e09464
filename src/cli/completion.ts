/** `treacle completion SHELL`: scripts that complete commands, their flags, and file names. */
import { type CommandLike, longFlags } from './command-line.ts'

/** @returns The script; null for a shell that we do not know. */
export function completion(program: CommandLike, shell: string): string | null {
  if (shell === 'bash') return bash(program)
  if (shell === 'zsh')
    return `#compdef treacle\nautoload -U +X bashcompinit && bashcompinit\n${bash(program)}`
  if (shell === 'fish') return fish(program)
  return null
}

function bash(program: CommandLike): string {
  const cases = program.commands.map(
    (command) => `    ${command.name()}) words='${longFlags(command).join(' ')}' ;;`,
  )
  const commands = [...program.commands.map((command) => command.name()), 'help']
  return `_treacle() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words
  case "$before" in
    -c | --config | --folder) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words='' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words='${commands.join(' ')} ${longFlags(program).join(' ')}'; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o filenames -F _treacle treacle
`
}

function fish(program: CommandLike): string {
  const first = program.commands.map(
    (command) =>
      `complete -c treacle -n __fish_use_subcommand -a ${command.name()} -d ${quoted(command.description())}`,
  )
  const flags = program.commands.flatMap((command) =>
    command.options.map(({ long = '', description, flags: text }) => {
      const file = text.includes('<file>') ? ' -r -F' : ''
      const where = `'__fish_seen_subcommand_from ${command.name()}'`
      return `complete -c treacle -n ${where} -l ${long.slice(2)}${file} -d ${quoted(description)}`
    }),
  )
  return `${['complete -c treacle -f', ...first, ...flags].join('\n')}\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
