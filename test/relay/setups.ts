/** What the tests of the relay start from: a back end, a client that is introduced, a conversation. */
import assert from 'node:assert/strict'
import { parseIp } from '../../src/core/ip.ts'
import { Log } from '../../src/observe/log.ts'
import { Backend } from '../../src/relay/backend.ts'
import { Conversation } from '../../src/relay/conversation.ts'
import { dial } from '../../src/relay/dial.ts'
import type { Introduction } from '../../src/relay/introduce.ts'
import { type BackendOptions, backendOptions } from '../../src/relay/options.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import {
  type BackendScript,
  type ScriptedBackend,
  startBackend,
} from '../helpers/scripted-backend.ts'

/** Settings as in the config file; what is not given stands at its default. */
export function optionsOf(given: Readonly<Record<string, unknown>>): BackendOptions {
  return backendOptions.parse(given)
}

export function introductionOf(given: Partial<Introduction> = {}): Introduction {
  const ip = parseIp('203.0.113.7')
  assert.ok(ip)
  return {
    ip,
    port: 54_321,
    name: 'mail.example.org',
    nameUnknown: false,
    reverseName: 'mail.example.org',
    helo: { verb: 'EHLO', name: 'mail.example.org' },
    local: { address: '192.0.2.25', port: 25 },
    login: null,
    secure: false,
    ...given,
  }
}

export interface Setup extends AsyncDisposable {
  readonly server: ScriptedBackend
  readonly clock: FakeClock
  readonly log: Log
  readonly backend: Backend
}

/** A back end that is listed for example.net, and our view of it. */
export async function setUp(
  script: BackendScript = {},
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Setup> {
  const server = await startBackend(script)
  const clock = new FakeClock()
  const log = new Log(clock, { level: 'silent', format: 'json' })
  const options = optionsOf({
    addresses: [server.address],
    recipient_domains: ['example.net'],
    ...settings,
  })
  return {
    server,
    clock,
    log,
    backend: new Backend(options, 'mx.example.net', clock, log),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** A conversation with a back end that has been dialled and nothing else. */
export async function converse({ server, clock, backend }: Setup): Promise<Conversation> {
  const { signal } = new AbortController()
  const dialled = await dial(server.address, 'mx.example.net', backend.options, clock, signal)
  return new Conversation(dialled, clock)
}

/** Lets what has been written arrive, and what follows from it happen, until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (condition()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.fail(`never came true: ${condition}`)
}
