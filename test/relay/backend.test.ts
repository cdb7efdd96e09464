/** Never an open relay: which back end may be used, in every combination of what matters. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { Backend } from '../../src/relay/backend.ts'
import { dial } from '../../src/relay/dial.ts'
import { BackendUnreachable, OpenRelayRisk, Refusal } from '../../src/relay/failures.ts'
import { introductionOf, optionsOf, setUp, until } from './setups.ts'

/** A dialler that finds the back end at a public address. */
const dialPublic: typeof dial = async (...given) => {
  const dialled = await dial(...given)
  Object.defineProperty(dialled.socket, 'remoteAddress', { value: '198.51.100.25' })
  return dialled
}

/**
 * Whether a back end may be used, by all that matters: where it is (on our own host, where it trusts
 * our address, or at a public address), and whether it is asked for listed domains only.
 */
const rules = [
  //                                 own host         public
  //                              any    listed    any    listed
  { how: 'auto', offers: 'nothing', may: 'no   yes   yes   yes' },
  { how: 'auto', offers: 'XCLIENT', may: 'yes  yes   yes   yes' },
  { how: 'auto', offers: 'XFORWARD', may: 'no   yes   yes   yes' },
  { how: 'auto', offers: 'both', may: 'yes  yes   yes   yes' },
  { how: 'xclient', offers: 'nothing', may: 'no   no    no    no' },
  { how: 'xclient', offers: 'XCLIENT', may: 'yes  yes   yes   yes' },
  { how: 'xclient', offers: 'XFORWARD', may: 'no   no    no    no' },
  { how: 'xclient', offers: 'both', may: 'yes  yes   yes   yes' },
  { how: 'xforward', offers: 'nothing', may: 'no   yes   yes   yes' },
  { how: 'xforward', offers: 'XCLIENT', may: 'no   yes   yes   yes' },
  { how: 'xforward', offers: 'XFORWARD', may: 'no   yes   yes   yes' },
  { how: 'xforward', offers: 'both', may: 'no   yes   yes   yes' },
  { how: 'none', offers: 'nothing', may: 'no   yes   yes   yes' },
  { how: 'none', offers: 'XCLIENT', may: 'no   yes   yes   yes' },
  { how: 'none', offers: 'XFORWARD', may: 'no   yes   yes   yes' },
  { how: 'none', offers: 'both', may: 'no   yes   yes   yes' },
  { how: 'proxy-v1', offers: 'nothing', may: 'no   no    no    no' },
  { how: 'proxy-v1', offers: 'XCLIENT', may: 'no   no    no    no' },
  { how: 'proxy-v1', offers: 'PROXY', may: 'yes  yes   yes   yes' },
  { how: 'proxy-v2', offers: 'nothing', may: 'no   no    no    no' },
  { how: 'proxy-v2', offers: 'XCLIENT', may: 'no   no    no    no' },
  { how: 'proxy-v2', offers: 'PROXY', may: 'yes  yes   yes   yes' },
] as const

const offered = {
  nothing: {},
  XCLIENT: { ehlo: ['XCLIENT ADDR NAME'] },
  XFORWARD: { ehlo: ['XFORWARD ADDR NAME'] },
  both: { ehlo: ['XCLIENT ADDR NAME', 'XFORWARD ADDR NAME'] },
  PROXY: { awaitsProxy: true },
}
const places = [
  { where: 'own host, any domain', dialWith: dial, domains: [] },
  { where: 'own host, listed domains', dialWith: dial, domains: ['example.net'] },
  { where: 'public, any domain', dialWith: dialPublic, domains: [] },
  { where: 'public, listed domains', dialWith: dialPublic, domains: ['example.net'] },
] as const

describe('Backend', () => {
  for (const { how, offers, may } of rules) {
    for (const [index, { where, dialWith, domains }] of places.entries()) {
      const used = may.split(/ +/)[index]
      it(`introduce ${how}, ${offers} offered, ${where}: ${used}`, async () => {
        await using setup = await setUp(offered[offers])
        const { server, clock, log } = setup
        const options = optionsOf({
          addresses: [server.address],
          introduce: how,
          recipient_domains: domains,
        })
        const backend = new Backend(options, 'mx.example.net', clock, log, dialWith)
        const { signal } = new AbortController()
        if (used === 'yes') {
          await isUsed(backend, signal)
          const isTold = ['XCLIENT', 'both', 'PROXY'].includes(offers) && !/none|xforw/.test(how)
          assert.equal(server.transcript.some(isIntroduction), isTold)
          const greeting = isTold ? 'EHLO mail.example.org' : 'EHLO mx.example.net'
          assert.ok(server.dialogues[1]?.includes(greeting))
        } else {
          await isNotUsed(backend, signal)
          assert.ok(!server.transcript.some((line) => /^(?:MAIL|RCPT|DATA|X)/.test(line)))
        }
        await server.closed()
        assert.equal(getEventListeners(signal, 'abort').length, 0)
        await until(() => clock.sleeping === 0)
      })
    }
  }

  it('is not told enough by an XCLIENT without ADDR', async () => {
    await using at = await setUp({ ehlo: ['XCLIENT NAME HELO'] }, { recipient_domains: [] })
    const { signal } = new AbortController()
    await isNotUsed(at.backend, signal)
  })

  it('may refuse the client that it is told of', async () => {
    await using at = await setUp({
      ehlo: ['XCLIENT ADDR'],
      replies: (line) => (line.startsWith('XCLIENT') ? '554 5.7.1 go away' : undefined),
    })
    const { signal } = new AbortController()
    await assert.rejects(at.backend.converse(introductionOf(), signal), (error) => {
      return error instanceof Refusal && error.reply.code === 554
    })
    await at.server.closed()
    assert.equal(at.clock.sleeping, 0)
  })

  it('may take one EHLO only, after a PROXY header', async () => {
    const replies = (line: string) =>
      line === 'EHLO mail.example.org' ? '503 5.5.1 Already identified' : undefined
    await using at = await setUp({ awaitsProxy: true, replies }, { introduce: 'proxy-v1' })
    await isUsed(at.backend, new AbortController().signal)
    await until(() => at.clock.sleeping === 0)
  })

  for (const { others, outcome, because } of [
    { others: '220 mx', outcome: Refusal, because: 'it takes others, so it means this client' },
    { others: '554 5.5.0 sync', outcome: BackendUnreachable, because: 'it says so to everybody' },
  ]) {
    it(`answers a PROXY header with 554: ${because}`, async () => {
      let count = 0
      await using at = await setUp(
        {
          awaitsProxy: true,
          greeting: () => {
            count += 1
            return count === 1 ? '554-5.7.1 go\r\n554 5.7.1 away' : others
          },
        },
        { introduce: 'proxy-v2' },
      )
      const { signal } = new AbortController()
      await assert.rejects(at.backend.converse(introductionOf(), signal), (error) => {
        assert.ok(error instanceof outcome, String(error))
        const lines = error instanceof Refusal ? error.reply.lines : []
        assert.deepEqual(lines, error instanceof Refusal ? ['go', 'away'] : [])
        return true
      })
      await at.server.closed()
      assert.equal(at.server.transcript[1]?.startsWith('PROXY 127.0.0.1 '), true)
      await until(() => at.clock.sleeping === 0)
      assert.equal(at.backend.healthy, outcome === Refusal)
    })
  }

  it('hears nothing more of a client that left while it was introduced', async () => {
    await using at = await setUp({
      ehlo: ['XCLIENT ADDR'],
      replies: (line) => (line.startsWith('XCLIENT') ? 'hang' : undefined),
    })
    const client = new AbortController()
    const refused = assert.rejects(at.backend.converse(introductionOf(), client.signal), /left/)
    await at.server.heard(/^XCLIENT/)
    client.abort(new Error('left'))
    await refused
    await at.server.closed()
    assert.equal(at.clock.sleeping, 0)
    assert.equal(getEventListeners(client.signal, 'abort').length, 0)
  })

  const proofs = [
    { settings: {}, needed: true, because: 'the default is on our own host' },
    { settings: { addresses: ['192.168.0.9:25'] }, needed: true, because: 'a private address' },
    { settings: { addresses: ['mail.internal:25'] }, needed: true, because: 'who knows where' },
    { settings: { addresses: ['[::1]:25'] }, needed: true, because: 'our own host' },
    { settings: { addresses: ['198.51.100.25:25'] }, needed: false, because: 'it is far' },
    { settings: { introduce: 'xclient' }, needed: false, because: 'it is told or not used' },
    { settings: { introduce: 'proxy-v1' }, needed: false, because: 'it is told or not used' },
    { settings: { introduce: 'proxy-v2' }, needed: false, because: 'it is told or not used' },
    { settings: { introduce: 'xforward' }, needed: true, because: 'only its log is told' },
    { settings: { recipient_domains: ['a.example'] }, needed: false, because: 'listed domains' },
  ]
  for (const { settings, needed, because } of proofs) {
    it(`${needed ? 'needs' : 'does not need'} proof: ${because}`, async () => {
      await using at = await setUp(
        {},
        { addresses: ['127.0.0.1:25'], recipient_domains: [], ...settings },
      )
      assert.equal(at.backend.needsProof, needed)
    })
  }
})

async function isUsed(backend: Backend, signal: AbortSignal): Promise<void> {
  await backend.probe(signal)
  const conversation = await backend.converse(introductionOf(), signal)
  conversation.destroy()
}

/** Who takes a binary PROXY header for commands cannot be reached; everybody else is a risk. */
async function isNotUsed(backend: Backend, signal: AbortSignal): Promise<void> {
  const isRight = (error: unknown) =>
    error instanceof OpenRelayRisk ||
    (error instanceof BackendUnreachable && backend.options.introduce === 'proxy-v2')
  await assert.rejects(backend.probe(signal), isRight)
  await assert.rejects(backend.converse(introductionOf(), signal), isRight)
}

function isIntroduction(line: string): boolean {
  return /^XCLIENT .*ADDR=203\.0\.113\.7|^PROXY 203\.0\.113\.7 54321$/.test(line)
}
