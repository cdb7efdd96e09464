/** Never an open relay: which back end may be used, in every combination of what matters. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { Backend, OpenRelayRisk, Refusal } from '../../src/relay/backend.ts'
import { dial } from '../../src/relay/dial.ts'
import { introductionOf, optionsOf, setUp } from './setups.ts'

/** A dialler that finds the back end at a public address. */
const dialPublic: typeof dial = async (...given) => {
  const dialled = await dial(...given)
  Object.defineProperty(dialled.socket, 'remoteAddress', { value: '198.51.100.25' })
  return dialled
}

/** "told": it knows the client; "listed": it is asked for listed domains only; "far": it does not trust us. */
const rules = [
  { at: 'loopback', how: 'auto', offers: true, listed: false, may: true, because: 'told' },
  { at: 'loopback', how: 'auto', offers: true, listed: true, may: true, because: 'told' },
  { at: 'loopback', how: 'auto', offers: false, listed: false, may: false, because: 'trusts us' },
  { at: 'loopback', how: 'auto', offers: false, listed: true, may: true, because: 'listed' },
  { at: 'loopback', how: 'xclient', offers: true, listed: false, may: true, because: 'told' },
  { at: 'loopback', how: 'xclient', offers: true, listed: true, may: true, because: 'told' },
  { at: 'loopback', how: 'xclient', offers: false, listed: false, may: false, because: 'demanded' },
  { at: 'loopback', how: 'xclient', offers: false, listed: true, may: false, because: 'demanded' },
  { at: 'loopback', how: 'none', offers: true, listed: false, may: false, because: 'trusts us' },
  { at: 'loopback', how: 'none', offers: true, listed: true, may: true, because: 'listed' },
  { at: 'loopback', how: 'none', offers: false, listed: false, may: false, because: 'trusts us' },
  { at: 'loopback', how: 'none', offers: false, listed: true, may: true, because: 'listed' },
  { at: 'public', how: 'auto', offers: true, listed: false, may: true, because: 'told' },
  { at: 'public', how: 'auto', offers: true, listed: true, may: true, because: 'told' },
  { at: 'public', how: 'auto', offers: false, listed: false, may: true, because: 'far' },
  { at: 'public', how: 'auto', offers: false, listed: true, may: true, because: 'far' },
  { at: 'public', how: 'xclient', offers: true, listed: false, may: true, because: 'told' },
  { at: 'public', how: 'xclient', offers: true, listed: true, may: true, because: 'told' },
  { at: 'public', how: 'xclient', offers: false, listed: false, may: false, because: 'demanded' },
  { at: 'public', how: 'xclient', offers: false, listed: true, may: false, because: 'demanded' },
  { at: 'public', how: 'none', offers: true, listed: false, may: true, because: 'far' },
  { at: 'public', how: 'none', offers: true, listed: true, may: true, because: 'far' },
  { at: 'public', how: 'none', offers: false, listed: false, may: true, because: 'far' },
  { at: 'public', how: 'none', offers: false, listed: true, may: true, because: 'far' },
] as const

const xclient = { true: ['XCLIENT ADDR NAME'], false: [] }
const domainsOf = { true: ['example.net'], false: [] }
const diallers = { loopback: dial, public: dialPublic }

describe('Backend', () => {
  for (const { at, how, offers, listed, may, because } of rules) {
    const domains = listed ? 'listed domains' : 'any domain'
    const given = `${at}, introduce ${how}, XCLIENT ${offers ? '' : 'not '}offered, ${domains}`
    it(`${given}: ${may ? 'used' : 'not used'} (${because})`, async () => {
      await using setup = await setUp({ ehlo: xclient[`${offers}`] })
      const { server, clock, log } = setup
      const options = optionsOf({
        addresses: [server.address],
        introduce: how,
        recipient_domains: domainsOf[`${listed}`],
      })
      const dialWith = diallers[at]
      const backend = new Backend(options, 'mx.example.net', clock, log, dialWith)
      const { signal } = new AbortController()
      if (may) {
        await isUsed(backend, signal)
        assert.equal(server.transcript.some(isIntroduction), offers && how !== 'none')
      } else {
        await isNotUsed(backend, signal)
        assert.equal(log.counts['backend.open-relay-risk'], 2)
        assert.ok(server.transcript.every((line) => /^(?:EHLO|QUIT)/.test(line)))
      }
      await server.closed()
      assert.equal(getEventListeners(signal, 'abort').length, 0)
    })
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

async function isNotUsed(backend: Backend, signal: AbortSignal): Promise<void> {
  await assert.rejects(backend.probe(signal), OpenRelayRisk)
  await assert.rejects(backend.converse(introductionOf(), signal), OpenRelayRisk)
}

function isIntroduction(line: string): boolean {
  return /^XCLIENT .*ADDR=203\.0\.113\.7/.test(line)
}
