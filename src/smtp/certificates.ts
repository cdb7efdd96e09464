/**
 * Our certificates: which one a client is shown, and how a renewed one comes into use by itself.
 *
 * Their files are looked at once a minute. A pair that is wrong is told once, and everything goes on
 * with the one before. Handshakes ask for the context of their moment, so connections that are under
 * way never notice.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Clock, Instant, Ms } from '../core/clock.ts'
import { ConfigError, messageOf, tlsMessageOf } from '../core/errors.ts'
import type { Log } from '../observe/log.ts'
import type { SmtpOptions, TlsOptions } from './options.ts'

/** A certificate with its chain, and its key, as PEM. */
export interface Pair {
  readonly certificate: string
  readonly key: string
}

/** Where a pair is kept. */
interface Source {
  readonly certificateFile: string
  readonly keyFile: string
  /** What the settings that say so begin with. */
  readonly setting: string
}

interface Made extends Pair {
  readonly context: SecureContext
  readonly validTo: Date
}

const lookEveryMs: Ms = 60_000
/**
 * A ticket with which a client resumes its session is good as long as the key that it is sealed
 * with. Node knows one key for each context, so there is no time in which the one before still
 * counts: a client whose ticket is older makes a whole handshake, and does not notice either.
 */
const ticketKeysForMs: Ms = 12 * 3_600_000

export class Certificates {
  readonly #options: TlsOptions
  readonly #clock: Clock
  readonly #log: Log
  /** By name; "" is for everybody else. */
  readonly #sources: ReadonlyMap<string, Source>
  #made: ReadonlyMap<string, Made>
  /** What the files looked like when they were last read, right or wrong. */
  #seen: string
  #madeAt: Instant
  #fault: string | null = null

  /**
   * @param neededBy The setting that means nothing without TLS; null for none.
   * @throws ConfigError when a file is missing, a pair is none, or none is there that is needed.
   */
  constructor(options: TlsOptions, neededBy: string | null, clock: Clock, log: Log) {
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#sources = sourcesIn(options)
    this.#seen = this.#look()
    this.#made = this.#read()
    this.#madeAt = clock.now()
    if (neededBy !== null && !this.offered) throw missing(neededBy)
  }

  /** Whether there is TLS at all. */
  get offered(): boolean {
    return this.#made.size > 0 || this.#options.self_signed
  }

  /** What is wrong with the files as they are now, while what they were before is still in use. */
  get fault(): string | null {
    return this.#fault
  }

  /** The certificate that is the first to expire, as PEM; null when there is none. */
  get soonest(): string | null {
    const all = [...this.#made.values()].sort((a, b) => +a.validTo - +b.validTo)
    return all[0]?.certificate ?? null
  }

  /** Makes a certificate for this name where there is none, as the settings want it. */
  async prepare(name: string): Promise<void> {
    if (!this.#options.self_signed || this.#made.has('')) return
    // The package is only loaded by who needs it.
    const { selfSigned } = await import('./self-signed.ts')
    const pair = madeOf(await selfSigned(name, this.#clock))
    this.#made = new Map([['', pair], ...this.#made])
  }

  /** What a client is shown who has asked for this name; it may be any text. */
  contextFor(name = ''): SecureContext | undefined {
    const asked = name.toLowerCase()
    const parent = `*${asked.slice(asked.indexOf('.'))}`
    return (this.#made.get(asked) ?? this.#made.get(parent) ?? this.#made.get(''))?.context
  }

  /** Looks after the files until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    this.#warn()
    while (!signal.aborted) {
      await this.#clock.sleep(lookEveryMs, signal).catch(() => {})
      if (!signal.aborted) this.#refresh()
    }
  }

  #refresh(): void {
    const seen = this.#look()
    if (seen !== this.#seen) this.#readAgain(seen)
    if (this.#clock.now() - this.#madeAt < ticketKeysForMs) return
    this.#replace(new Map([...this.#made].map(([name, pair]) => [name, madeOf(pair)])))
    this.#warn()
  }

  /** Each pair for itself: one that is wrong does not keep the others from being renewed. */
  #readAgain(seen: string): void {
    this.#seen = seen
    const made = new Map(this.#made)
    const faults: string[] = []
    for (const [name, source] of this.#sources) {
      try {
        made.set(name, readPair(source))
      } catch (error) {
        faults.push(messageOf(error))
      }
    }
    const before = this.#made
    const isNew = (name: string) => before.get(name)?.certificate !== made.get(name)?.certificate
    const names = [...made.keys()].filter(isNew).map((name) => name || 'default')
    this.#replace(made)
    this.#fault = faults.length === 0 ? null : faults.join('; ')
    if (names.length > 0) this.#log.event('tls.renewed', { names })
    if (this.#fault !== null) this.#log.event('tls.rejected', { why: this.#fault })
    this.#warn()
  }

  #replace(made: ReadonlyMap<string, Made>): void {
    this.#made = made
    this.#madeAt = this.#clock.now()
  }

  /** @throws ConfigError */
  #read(): ReadonlyMap<string, Made> {
    return new Map([...this.#sources].map(([name, source]) => [name, readPair(source)]))
  }

  #look(): string {
    const files = [...this.#sources.values()].map((each) => [each.certificateFile, each.keyFile])
    return files.flat().map(stampOf).join()
  }

  /** A certificate that is out of date is used all the same: most senders do not look. */
  #warn(): void {
    const now = this.#clock.wall()
    for (const { certificate, validTo } of this.#made.values()) {
      if (validTo > now) continue
      const { subject } = new X509Certificate(certificate)
      this.#log.event('tls.expired', { subject, since: validTo.toISOString() })
    }
  }
}

/** Which setting means nothing without TLS; null for none. */
export function tlsNeededBy({
  listen,
  smtp,
}: {
  readonly listen: { readonly tls_addresses: readonly string[] }
  readonly smtp: SmtpOptions
}): string | null {
  if (listen.tls_addresses.length > 0) return 'listen.tls_addresses'
  return smtp.auth === 'off' ? null : 'smtp.auth'
}

function missing(key: string): ConfigError {
  const what = 'expected tls.certificate and tls.key beside it, or tls.self_signed = true'
  return new ConfigError([{ where: '', key, what }])
}

/** @throws ConfigError when half a pair is set. */
function sourcesIn({ certificate, key, self_signed, sni }: TlsOptions): Map<string, Source> {
  const sources = Object.entries(sni).map(([name, pair]): [string, Source] => [
    name,
    { certificateFile: pair.certificate, keyFile: pair.key, setting: `tls.sni."${name}".` },
  ])
  const hasOwn = certificate !== '' || key !== ''
  if (!hasOwn && (sources.length === 0 || self_signed)) return new Map(sources)
  return new Map([
    ['', { certificateFile: certificate, keyFile: key, setting: 'tls.' }],
    ...sources,
  ])
}

/** @throws ConfigError */
function readPair({ certificateFile, keyFile, setting }: Source): Made {
  const pair = {
    certificate: readPem(certificateFile, `${setting}certificate`),
    key: readPem(keyFile, `${setting}key`),
  }
  try {
    return madeOf(pair)
  } catch (error) {
    const what = `${certificateFile} and ${keyFile} are no pair that can be used: ${tlsMessageOf(error)}`
    throw new ConfigError([{ where: '', key: `${setting}certificate`, what }])
  }
}

function readPem(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const what = file === '' ? 'expected a PEM file, as others are set' : messageOf(error)
    throw new ConfigError([{ where: '', key, what }])
  }
}

/** @throws What OpenSSL says of it. */
function madeOf({ certificate, key }: Pair): Made {
  // Its ticket keys are drawn with it.
  const context = createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' })
  return { certificate, key, context, validTo: new X509Certificate(certificate).validToDate }
}

/** Changes when the file does, or another takes its place; links are followed. */
function stampOf(file: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(file)
    return [ino, size, mtimeMs].join(' ')
  } catch (error) {
    return messageOf(error)
  }
}
