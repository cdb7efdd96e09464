/** TLS towards the back end: what is believed of it, and who gets none (catalogue H7, H10). */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { systemClock } from '../../src/core/clock.ts'
import { Backend } from '../../src/relay/backend.ts'
import { DialError, dial } from '../../src/relay/dial.ts'
import { InTheClear } from '../../src/relay/failures.ts'
import type { Pair } from '../../src/smtp/certificates.ts'
import { selfSigned } from '../../src/smtp/self-signed.ts'
import type { BackendScript } from '../helpers/scripted-backend.ts'
import { introductionOf, optionsOf, type Setup, setUp } from './setups.ts'

const usual = getCACertificates('default')
let localhost: Pair
let stranger: Pair
let misnamed: Pair
before(async () => {
  localhost = await selfSigned('localhost', systemClock)
  stranger = await selfSigned('localhost', systemClock)
  misnamed = await selfSigned('mx.example.org', systemClock)
  setDefaultCACertificates([localhost.certificate, misnamed.certificate])
})
after(() => setDefaultCACertificates(usual))

const capable = { ehlo: ['STARTTLS', 'REQUIRETLS'], ehloUnderTls: ['REQUIRETLS', 'SIZE 7'] }

function dialled({ server, clock }: Setup, tls = 'opportunistic') {
  const address = `localhost:${server.port}`
  const options = optionsOf({ addresses: [address], tls })
  return dial(address, 'mx.example.net', options, clock, new AbortController().signal)
}

describe('a back end under TLS', () => {
  const proofs = [
    { pair: () => localhost, verified: true, because: 'its certificate is right' },
    { pair: () => stranger, verified: false, because: 'nobody vouches for it' },
    { pair: () => misnamed, verified: false, because: 'it is that of another name' },
  ]
  for (const { pair, verified, because } of proofs) {
    it(`is ${verified ? '' : 'not '}believed that it keeps to REQUIRETLS: ${because}`, async () => {
      await using at = await setUp({ ...capable, tls: pair() })
      const { capabilities, socket, secure, ...found } = await dialled(at)
      assert.equal(secure, true)
      assert.equal(capabilities.get('SIZE'), '7')
      assert.equal(found.verified, verified)
      assert.equal(capabilities.has('REQUIRETLS'), verified)
      socket.destroy()
    })

    it(`is ${verified ? '' : 'not '}spoken to where TLS is demanded: ${because}`, async () => {
      await using at = await setUp({ ...capable, tls: pair() })
      if (!verified) return await assert.rejects(dialled(at, 'require'), DialError)
      const { socket } = await dialled(at, 'require')
      socket.destroy()
    })
  }

  it('is not believed in the clear, whatever it says', async () => {
    await using at = await setUp({ ehlo: ['REQUIRETLS'] })
    const { capabilities, socket } = await dialled(at)
    assert.equal(capabilities.has('REQUIRETLS'), false)
    socket.destroy()
  })

  it('H7: is heard only under TLS: what it says in the clear after its 220 is nobody’s word', async () => {
    const injected = '220 go\r\n250-backend\r\n250-AUTH PLAIN\r\n250 XCLIENT ADDR\r\n'
    for (const answer of [injected, '220 go\r\n250', '220 go\r\n500 no EHLO\r\n']) {
      await using at = await setUp({
        ...capable,
        tls: localhost,
        replies: (line) => (line === 'STARTTLS' ? answer : undefined),
      })
      const { capabilities, socket, secure } = await dialled(at)
      assert.equal(secure, true)
      assert.deepEqual([...capabilities.keys()], ['REQUIRETLS', 'SIZE'])
      assert.deepEqual(at.server.transcript, [
        'EHLO mx.example.net',
        'STARTTLS',
        'EHLO mx.example.net',
      ])
      socket.destroy()
    }
  })
})

describe('H10: mail that came under TLS', () => {
  const dialPublic: typeof dial = async (...given) => {
    const found = await dial(...given)
    Object.defineProperty(found.socket, 'remoteAddress', { value: '198.51.100.25' })
    return found
  }
  const ways: readonly {
    readonly where: string
    readonly dialWith: typeof dial
    readonly tls: 'opportunistic' | 'off'
    readonly script: () => BackendScript
    readonly client: 'under TLS' | 'in the clear'
    readonly goes: boolean
    readonly told: 'backend.in-the-clear' | 'backend.tls-missing' | null
  }[] = [
    way('own host', 'opportunistic', 'none', 'under TLS', true, 'backend.in-the-clear'),
    way('own host', 'off', 'TLS', 'under TLS', true, 'backend.in-the-clear'),
    way('own host', 'opportunistic', 'none', 'in the clear', true, null),
    way('own host', 'opportunistic', 'TLS', 'under TLS', true, null),
    way('public', 'opportunistic', 'none', 'under TLS', false, 'backend.tls-missing'),
    way('public', 'off', 'TLS', 'under TLS', false, 'backend.tls-missing'),
    way('public', 'opportunistic', 'none', 'in the clear', true, null),
    way('public', 'opportunistic', 'TLS', 'under TLS', true, null),
  ]
  function way(
    where: 'own host' | 'public',
    tls: 'opportunistic' | 'off',
    offers: 'TLS' | 'none',
    client: 'under TLS' | 'in the clear',
    goes: boolean,
    told: 'backend.in-the-clear' | 'backend.tls-missing' | null,
  ) {
    const dialWith = where === 'public' ? dialPublic : dial
    const script = () => (offers === 'TLS' ? { ...capable, tls: stranger } : { ehlo: [] })
    return { where: `${where}, ${offers} offered`, dialWith, tls, script, client, goes, told }
  }
  for (const { where, dialWith, tls, script, client, goes, told } of ways) {
    it(`${goes ? 'goes' : 'does not go'} to ${where} (${tls}) for a client ${client}`, async () => {
      await using at = await setUp(script())
      const { server, clock, log } = at
      const settings = { addresses: [server.address], recipient_domains: ['example.net'], tls }
      const backend = new Backend(optionsOf(settings), 'mx.example.net', clock, log, dialWith)
      const { signal } = new AbortController()
      const conversing = backend.converse(
        introductionOf({ secure: client === 'under TLS' }),
        signal,
      )
      if (goes) (await conversing).destroy()
      else await assert.rejects(conversing, InTheClear)
      await server.closed()
      for (const event of ['backend.in-the-clear', 'backend.tls-missing'] as const) {
        assert.equal(log.counts[event], event === told ? 1 : 0, event)
      }
    })
  }
})
