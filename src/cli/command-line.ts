/** What there is to say on the command line, for those who write it down: man page and completion. */

/** What they need to know of a command; commander's own fit. */
export interface CommandLike {
  name(): string
  description(): string
  readonly options: readonly {
    readonly flags: string
    readonly description: string
    readonly long?: string | undefined
    readonly short?: string | undefined
    readonly defaultValue?: unknown
    readonly defaultValueDescription?: string | undefined
    readonly argChoices?: readonly string[] | undefined
  }[]
  readonly registeredArguments: readonly {
    name(): string
    readonly description: string
    readonly required: boolean
    readonly variadic: boolean
    readonly argChoices?: readonly string[] | undefined
  }[]
  readonly commands: readonly CommandLike[]
}

/** The flags of a command as they are typed, "--config". */
export function longFlags({ options }: CommandLike): string[] {
  return [...options.flatMap(({ long }) => long ?? []), '--help']
}
