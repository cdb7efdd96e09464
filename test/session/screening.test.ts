/** Which clients the back end is told the address of: a row is who comes, and how. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseHostList } from '../../src/core/host-list.ts'
import { Leaving } from '../../src/core/leaving.ts'
import { Log } from '../../src/observe/log.ts'
import { Screening } from '../../src/session/screening.ts'
import { ipOf } from '../dns/worlds.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { fakeDns } from '../helpers/fake-dns.ts'

const clock = new FakeClock()
const parts = {
  dns: fakeDns(),
  reasons: { connect: [], greeting: [], helo: [], mail: [], rcpt: [] },
  watch: { clock, log: new Log(clock, { level: 'silent', format: 'json' }), timeLimitMs: 1_000 },
  screened: null,
  knownGood: parseHostList('127.0.0.1\n10.0.0.0/24\n', 'friends'),
  lookupsMax: 10,
}

describe('mayBeTold', () => {
  const usual = { introduced: false, doubted: false, hidden: false }
  for (const { ip, told, because, ...how } of [
    { ip: '192.0.2.1', told: true, because: 'an address of the Internet' },
    { ip: '192.0.2.1', introduced: true, doubted: true, told: true, because: 'a proxy names it' },
    { ip: '10.9.9.9', told: true, because: 'a host of the house, by its own address' },
    { ip: '172.17.0.1', doubted: true, told: false, because: 'our gateway' },
    { ip: '127.0.0.2', doubted: true, told: false, because: 'loopback' },
    { ip: '127.0.0.1', doubted: true, told: true, because: 'loopback that is named' },
    { ip: '10.0.0.1', introduced: true, doubted: true, told: false, because: 'named by a proxy' },
    { ip: '10.0.0.1', doubted: true, hidden: true, told: false, because: 'it hides many' },
  ]) {
    it(`${ip} is ${told ? '' : 'not '}told: ${because}`, () => {
      const { introduced, doubted, hidden } = { ...usual, ...how }
      const local = { address: '192.0.2.25', port: 25 }
      const screening = new Screening(
        { id: 'c', ip: ipOf(ip), port: 1, local, introduced },
        parts,
        { fromNetwork: 1, seenBefore: null, addressHidden: hidden, addressDoubted: doubted },
        new Leaving(),
      )
      assert.equal(screening.mayBeTold, told)
    })
  }
})
