/** Reads the config file and the list files it names. */
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ConfigError, messageOf, type Problem } from '../core/errors.ts'
import { type HostList, listLines, nobody, parseHostList } from '../core/host-list.ts'
import { type Environment, overridesFrom, strangeVariables } from './environment.ts'
import { parseConfig } from './load.ts'
import { type Config, configSchema } from './schema.ts'

/** The lists that come with Treacle. */
export const shippedFolder = join(import.meta.dirname, '../../conf')

/**
 * Reads the configuration; without a file it is the defaults and the environment.
 *
 * @throws ConfigError with everything that is wrong.
 */
export function readConfig(file: string | null, environment: Environment): Config {
  const text = file === null ? '' : readText(file, 'the config file')
  const config = parseConfig(
    configSchema,
    text,
    file ?? '(no config file)',
    overridesFrom(environment),
    strangeVariables(environment),
  )
  return file === null ? config : besideFile(config, dirname(file))
}

/** What is to be read lies beside the config file unless it says otherwise; state is kept where we run. */
function besideFile(config: Config, folder: string): Config {
  const { tls, admin } = config
  const at = (path: string) => (path === '' ? '' : resolve(folder, path))
  const pairAt = <T extends { certificate: string; key: string }>(pair: T): T =>
    Object.freeze({ ...pair, certificate: at(pair.certificate), key: at(pair.key) })
  const others = Object.entries(tls.sni).map(([name, pair]) => [name, pairAt(pair)] as const)
  return Object.freeze({
    ...config,
    tls: pairAt({ ...tls, sni: Object.freeze(Object.fromEntries(others)) }),
    admin: Object.freeze({ ...admin, token_file: at(admin.token_file) }),
  })
}

/**
 * Finds list files: beside the config file first, then among those that come with Treacle. What is
 * wrong with any of them is collected, so that all of it can be told at once.
 */
export class ListFiles {
  readonly #folders: readonly string[]
  readonly #problems: Problem[] = []

  /** @param folder Where the config file is. */
  constructor(folder: string) {
    this.#folders = [folder, shippedFolder]
  }

  /** @throws ConfigError when a file that was asked for is missing or has a line that means nothing. */
  mustBeFine(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems)
  }

  /** @param key The setting that names the file, for errors. */
  hosts(file: string, key: string): HostList {
    const found = this.#read(file, key)
    if (found === null) return nobody
    try {
      return parseHostList(found.text, found.path)
    } catch (error) {
      this.#problems.push({ where: '', key, what: messageOf(error) })
      return nobody
    }
  }

  /** The names in a file, in lower case. */
  names(file: string, key: string): ReadonlySet<string> {
    const found = this.#read(file, key)
    return new Set(listLines(found?.text ?? '').map(({ value }) => value.toLowerCase()))
  }

  #read(file: string, key: string): { readonly path: string; readonly text: string } | null {
    if (file === '') return null
    const paths = file.startsWith('/') ? [file] : this.#folders.map((folder) => join(folder, file))
    for (const path of paths) {
      try {
        return { path, text: readFileSync(path, 'utf8') }
      } catch (error) {
        if (isMissing(error)) continue
        this.#problems.push({ where: path, key, what: messageOf(error) })
        return null
      }
    }
    const what = `no such file: ${paths.join(', nor ')}; make it, or set ${key} = "" to do without`
    this.#problems.push({ where: '', key, what })
    return null
  }
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const why = isMissing(error)
      ? `no such file; give ${what} with --config FILE`
      : messageOf(error)
    throw new ConfigError([{ where: file, key: '', what: why }])
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
