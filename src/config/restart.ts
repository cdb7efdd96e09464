/** Which settings a reload cannot bring: they count from the next start on. */
import type { Config } from './schema.ts'

const atStart: Readonly<Record<string, (config: Config) => unknown>> = {
  'listen.addresses': ({ listen }) => listen.addresses,
  'listen.tls_addresses': ({ listen }) => listen.tls_addresses,
  'listen.reuse_port': ({ listen }) => listen.reuse_port,
  'memory.networks_max': ({ memory }) => memory.networks_max,
  'memory.keep': ({ memory }) => memory.keep,
  'memory.file': ({ memory }) => memory.file,
  'log.format': ({ log }) => log.format,
}

/** @returns The names of those that differ. */
export function needRestart(running: Config, read: Config): string[] {
  return Object.entries(atStart).flatMap(([name, pick]) =>
    JSON.stringify(pick(running)) === JSON.stringify(pick(read)) ? [] : name,
  )
}
