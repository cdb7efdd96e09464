/** A connection that is only told about is judged like a live one, by what the record holds. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ListFiles, shippedFolder } from '../../src/config/files.ts'
import { makeJudging } from '../../src/config/judging.ts'
import { parseConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { Log } from '../../src/observe/log.ts'
import { type Hearsay, judge, recordedDns } from '../../src/session/judge.ts'
import { ipOf, stays } from '../dns/worlds.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { fakeDns } from '../helpers/fake-dns.ts'

const plain: Hearsay = {
  ip: ipOf('192.0.2.1'),
  name: 'mail.example.org',
  nameState: 'verified',
  helo: 'mail.example.org',
  sender: '@example.org',
  recipient: null,
}
const line = 'dsl-192-0-2-1.pool.example.com'

describe('judge', () => {
  const cases: readonly { told: Partial<Hearsay>; sum: number; because: string }[] = [
    { told: {}, sum: 0, because: 'all is well' },
    { told: { name: '', nameState: 'none' }, sum: 5, because: 'it has no name' },
    { told: { name: '', nameState: 'unknown' }, sum: 0, because: 'nobody knows why there is none' },
    { told: { name: '', nameState: 'unrecorded' }, sum: 0, because: 'nothing was written down' },
    { told: { nameState: 'unverified' }, sum: 4, because: 'its name leads elsewhere' },
    { told: { helo: 'MarineGuy' }, sum: 10, because: 'its HELO is no name' },
    { told: { helo: '' }, sum: 0, because: 'a HELO that is not known is not judged' },
    { told: { name: line }, sum: 7, because: 'its name is that of a line' },
    { told: { name: line, helo: line }, sum: 21, because: 'and it has no other to say' },
    {
      told: { name: `mail.${line}` },
      sum: 0,
      because: 'a word for servers excuses, in a name that was verified',
    },
    { told: { earlyTalk: 'EHLO x\r\n' }, sum: 10, because: 'it talked early' },
    { told: { sender: null }, sum: 0, because: 'a sender need not be known' },
  ]
  for (const { told, sum, because } of cases) {
    it(`${JSON.stringify(told)} comes to ${sum}: ${because}`, async () => {
      const judgement = await judge({ ...plain, ...told }, judging())
      assert.equal(judgement.sum, sum)
      assert.equal(judgement.fraction, Math.min(1, sum / 10))
    })
  }

  it('asks DNS when there is one', async () => {
    const ip = ['192.0.2.1']
    const a = { [line]: ip, 'example.org': ip, 'mail.example.org': ip }
    const dns = fakeDns({ ptr: { '192.0.2.1': [line] }, a })
    const { weighed, sum } = await judge(plain, judging(), dns)
    assert.equal(sum, 0)
    const excuse = weighed.find(({ finding }) => finding.reason === 'botnet-soho')
    assert.equal(excuse?.finding.evidence, 'example.org leads to 192.0.2.1')
  })

  it('tells what only observes, and does not count it', async () => {
    const observing = judging('reasons.botnet-nordns.action = "observe"')
    const { findings, sum } = await judge({ ...plain, name: '', nameState: 'none' }, observing)
    assert.deepEqual([findings.map(({ reason }) => reason), sum], [['botnet-nordns'], 0])
  })
})

describe('recordedDns', () => {
  it('knows what was recorded and nothing else', async () => {
    const dns = recordedDns(plain)
    const answers = [
      await dns.pointers(plain.ip, stays()),
      await dns.pointers(ipOf('192.0.2.2'), stays()),
      await dns.addresses('mail.example.org', 4, stays()),
      await dns.addresses('mail.example.org', 6, stays()),
      await dns.addresses('other.example.org', 4, stays()),
      await dns.exchanges('example.org', stays()),
      await dns.texts('example.org', stays()),
    ]
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ['found', 'unavailable', 'found', ...Array<string>(4).fill('unavailable')],
    )
  })
})

function judging(toml = '') {
  const clock = new FakeClock()
  return makeJudging(parseConfig(configSchema, toml, 'test.toml'), {
    files: new ListFiles(shippedFolder),
    clock,
    log: new Log(clock, { level: 'silent', format: 'json' }),
  })
}
