/** Reads the config file and the list files it names. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, messageOf } from '../core/errors.ts'
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
  return parseConfig(
    configSchema,
    text,
    file ?? '(no config file)',
    overridesFrom(environment),
    strangeVariables(environment),
  )
}

/** Finds list files: beside the config file first, then among those that come with Treacle. */
export class ListFiles {
  readonly #folders: readonly string[]

  /** @param folder Where the config file is. */
  constructor(folder: string) {
    this.#folders = [folder, shippedFolder]
  }

  /**
   * @param key The setting that names the file, for errors.
   * @throws ConfigError when it cannot be read or has a line that means nothing.
   */
  hosts(file: string, key: string): HostList {
    if (file === '') return nobody
    const { path, text } = this.#read(file, key)
    try {
      return parseHostList(text, path)
    } catch (error) {
      throw new ConfigError([{ where: '', key, what: messageOf(error) }])
    }
  }

  /** The names in a file, in lower case. @throws ConfigError */
  names(file: string, key: string): ReadonlySet<string> {
    if (file === '') return new Set()
    return new Set(listLines(this.#read(file, key).text).map(({ value }) => value.toLowerCase()))
  }

  #read(file: string, key: string): { readonly path: string; readonly text: string } {
    const paths = file.startsWith('/') ? [file] : this.#folders.map((folder) => join(folder, file))
    for (const path of paths) {
      try {
        return { path, text: readFileSync(path, 'utf8') }
      } catch (error) {
        if (!isMissing(error)) throw new ConfigError([{ where: path, key, what: messageOf(error) }])
      }
    }
    const what = `no such file: ${paths.join(', nor ')}; make it, or set ${key} = "" to do without`
    throw new ConfigError([{ where: '', key, what }])
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
