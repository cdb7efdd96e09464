/**
 * The small HTTP server that tells how we are: `/live`, `/ready` and `/metrics`. The only file that knows fastify.
 *
 * It is never in the way of mail: when its address cannot be had, that is logged and all goes on.
 * It changes nothing, so whoever reaches it can do no harm; away from loopback it wants a secret.
 */
import { timingSafeEqual } from 'node:crypto'
import fastify, { type FastifyInstance } from 'fastify'
import { endpointOf } from '../core/endpoint.ts'
import type { Metrics } from './metrics.ts'
import type { AdminOptions } from './options.ts'
import type { Readiness } from './readiness.ts'

export interface AdminParts {
  readonly listen: AdminOptions['listen']
  /** What to send along with each request but `/live`; null when nobody is asked for it. */
  readonly token: string | null
  readonly readiness: () => Promise<Readiness>
  readonly metrics: Metrics
}

export class AdminServer {
  readonly #server: FastifyInstance
  readonly #listen: string

  constructor({ listen, token, readiness, metrics }: AdminParts) {
    this.#listen = listen
    this.#server = fastify({
      forceCloseConnections: true,
      bodyLimit: 1_024,
      requestTimeout: 10_000,
      connectionTimeout: 30_000,
    })
    this.#server.addHook('onRequest', async (request, answer) => {
      answer.header('cache-control', 'no-store')
      if (request.url === '/live' || isTold(token, request.headers.authorization)) return
      await answer.code(401).header('www-authenticate', 'Bearer').send({ error: 'no token' })
    })
    this.#server.get('/live', async () => ({ name: 'treacle', status: 'live' }))
    this.#server.get('/ready', async (_request, answer) => {
      const state = await readiness()
      return answer.code(state.status === 'not-ready' ? 503 : 200).send(state)
    })
    this.#server.get('/metrics', async (_request, answer) => {
      return answer.type(metrics.contentType).send(await metrics.text())
    })
  }

  /**
   * The port may be shared with the Treacle that takes our place, for as long as both are there.
   *
   * @returns Its URL.
   * @throws What the operating system says.
   */
  async start(): Promise<string> {
    const shared = { ...endpointOf(this.#listen), reusePort: true }
    return await this.#server.listen(shared)
  }

  async close(): Promise<void> {
    await this.#server.close()
  }
}

function isTold(token: string | null, header = ''): boolean {
  if (token === null) return true
  const [said, expected] = [Buffer.from(header), Buffer.from(`Bearer ${token}`)]
  return said.length === expected.length && timingSafeEqual(said, expected)
}
