/** The admin server through reloads: started, moved when its settings change, and closed. */
import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import type { Log } from '../observe/log.ts'
import { Metrics } from './metrics.ts'
import type { AdminOptions } from './options.ts'
import { BackendCheck, judge, type Readiness, type Vitals } from './readiness.ts'
import { AdminServer } from './server.ts'
import { readToken } from './token.ts'

export interface AdminSources {
  readonly clock: Clock
  readonly log: Log
  readonly vitals: () => Vitals
  /** What keeps the back end from taking mail; null when nothing does. */
  readonly backendFault: () => Promise<string | null>
  /** Whether it was reached when last needed. */
  readonly backendUp: () => boolean
}

export class Admin {
  readonly #sources: AdminSources
  readonly #backend: BackendCheck
  readonly #metrics: Metrics
  #server: AdminServer | null = null
  #settings = ''

  constructor(sources: AdminSources) {
    this.#sources = sources
    this.#backend = new BackendCheck(sources.clock, sources.backendFault)
    this.#metrics = new Metrics(sources)
  }

  /** @throws ConfigError when the secret cannot be read. */
  prepare(options: AdminOptions): () => Promise<void> {
    const token = readToken(options)
    return () => this.#use(options, token)
  }

  async close(): Promise<void> {
    await this.#server?.close()
    this.#server = null
    this.#settings = ''
  }

  /** The server that these settings ask for; the one there is, if that is it. */
  async #use({ listen }: AdminOptions, token: string | null): Promise<void> {
    const settings = JSON.stringify([listen, token])
    if (settings === this.#settings) return
    await this.close()
    this.#settings = settings
    if (listen === '') return
    const readiness = () => this.#readiness()
    const server = new AdminServer({ listen, token, readiness, metrics: this.#metrics })
    try {
      await server.start()
      this.#server = server
    } catch (error) {
      await server.close()
      this.#settings = ''
      this.#sources.log.event('admin.unavailable', { address: listen, why: messageOf(error) })
    }
  }

  async #readiness(): Promise<Readiness> {
    const fault = await this.#backend.fault()
    return judge(this.#sources.vitals(), fault, this.#sources.clock.wall())
  }
}
