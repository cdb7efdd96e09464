/** Runs rows of the catalogue: what a client sends, and the replies that it must hear. */
import { describe, it } from 'node:test'
import type { Ms } from '../../src/core/clock.ts'
import {
  type ProxySetup,
  type RunningProxy,
  type ScriptClient,
  startProxy,
} from '../helpers/proxy.ts'
import {
  type BackendScript,
  type ScriptedBackend,
  startBackend,
} from '../helpers/scripted-backend.ts'

export interface Row {
  readonly id: string
  readonly about: string
  /** Said one after the other, each once the replies to the one before have been heard. */
  readonly steps: readonly Step[]
  /** What it comes from; an address of its own unless given. */
  readonly from?: string
  /** What must hold afterwards. */
  readonly check?: Check
}

/** Bytes or a line, and the beginnings of the replies to it; "closed" for the end of the connection. */
export type Step = readonly [
  send: string | Buffer,
  ...expect: readonly (string | RegExp | { readonly afterMs: Ms; readonly hears: string })[],
]

export type Check = (at: Played) => Promise<void> | void

export interface Played {
  readonly client: ScriptClient
  readonly proxy: RunningProxy
  readonly backend: ScriptedBackend
}

export interface World {
  readonly backend?: BackendScript
  readonly proxy?: Omit<ProxySetup, 'backend'>
}

/** The opening that most rows begin with. */
export const greeted: readonly Step[] = [
  ['', '220 '],
  ['EHLO c.example.com', '250-'],
]
export const inMail: readonly Step[] = [...greeted, ['MAIL FROM:<a@example.com>', '250 2.1.0']]
export const inRcpt: readonly Step[] = [...inMail, ['RCPT TO:<b@example.net>', '250 ']]
export const inData: readonly Step[] = [...inRcpt, ['DATA', '354 ']]

/** One Treacle for all rows; each has a connection of its own. */
export function playAll(title: string, rows: readonly Row[], world: World = {}): void {
  describe(title, () => {
    it(rows.map(({ id }) => id).join(', '), async (t) => {
      await using backend = await startBackend(world.backend)
      await using proxy = await startProxy({ ...world.proxy, backend: backend.address })
      for (const [index, row] of rows.entries()) {
        await t.test(`${row.id}: ${row.about}`, async () => {
          const from = row.from ?? `198.18.${index}.1`
          const client = await proxy.connectFrom(from)
          for (const step of row.steps) await play(client, step)
          await row.check?.({ client, proxy, backend })
          client.leaves()
        })
      }
    })
  })
}

async function play(client: ScriptClient, [send, ...expected]: Step): Promise<void> {
  if (send !== '') client.says(send)
  for (const expect of expected) {
    if (expect === 'closed') await client.isHungUpOn()
    else if (typeof expect === 'object' && 'hears' in expect) {
      await client.hears(expect.hears, { afterMs: expect.afterMs })
    } else await client.hears(expect)
  }
}

/** Bytes as they are, for what is no line. */
export function raw(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
