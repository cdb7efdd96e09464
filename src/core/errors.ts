/** Errors that an operator can mend, each saying what, where, what was expected and what to do. */

/** One thing that is wrong with the configuration. */
export interface Problem {
  /** "treacle.toml:12", or the name of an environment variable. */
  readonly where: string
  /** "delay.slots"; "" where no single key is at fault. */
  readonly key: string
  readonly what: string
}

/** Everything that is wrong with the configuration, found in one go. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(problemText).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Lines of a list file that mean nothing. */
export class HostListError extends Error {
  constructor(where: string, wrong: readonly { readonly line: number; readonly value: string }[]) {
    const lines = wrong.map(
      ({ line, value }) =>
        `${where}:${line}: ${JSON.stringify(value)} is no address, network ("192.0.2.0/24"), ` +
        'host name or "*.domain"; mend or remove the line',
    )
    super(lines.join('\n'))
    this.name = 'HostListError'
  }
}

export function problemText({ where, key, what }: Problem): string {
  return [where, key, what].filter((part) => part !== '').join(': ')
}

/** What to print of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What OpenSSL has against something, without the places in its own source; else the message. */
export function tlsMessageOf(error: unknown): string {
  const reason: unknown = error instanceof Error ? Reflect.get(error, 'reason') : undefined
  return typeof reason === 'string' ? reason : messageOf(error)
}
