/** What follows from findings, and what the recipient's domain changes about it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Finding } from '../../src/core/ledger.ts'
import {
  consequencesOf,
  findingsFor,
  recipientsOptions,
  wantedFor,
} from '../../src/delay/actions.ts'

describe('consequencesOf', () => {
  const excuse = finding('excuse', 'delay', { weight: 5, excuses: ['b', 'c'] })
  const cases = [
    { findings: [finding('a', 'delay')], is: 'delay a', because: 'it delays' },
    { findings: [finding('a', 'observe')], is: '', because: 'it is only written down' },
    { findings: [finding('b', 'greylist')], is: 'greylist b', because: 'it greylists' },
    { findings: [finding('c', 'reject')], is: 'reject c', because: 'it rejects' },
    {
      findings: [finding('a', 'delay'), finding('b', 'greylist'), finding('c', 'reject')],
      is: 'delay a greylist b reject c',
      because: 'each has its own',
    },
    {
      findings: [finding('b', 'greylist'), excuse],
      is: 'delay excuse',
      because: 'what is excused altogether has no consequence',
    },
    {
      findings: [finding('b', 'greylist'), finding('c', 'reject'), excuse],
      is: 'delay excuse reject c',
      because: 'an excuse is used up',
    },
    {
      findings: [finding('b', 'reject', { weight: 0 })],
      is: 'reject b',
      because: 'to weigh nothing is not to be excused',
    },
    {
      findings: [finding('b', 'reject'), { ...excuse, action: 'observe' as const }],
      is: 'reject b',
      because: 'an excuse that is only written down excuses nothing',
    },
  ]
  for (const { findings, is, because } of cases) {
    it(`${is}: ${because}`, () => {
      const { delay, greylist, reject } = consequencesOf(findings)
      const shown = Object.entries({ delay, greylist, reject }).flatMap(([what, list]) =>
        list.map(({ reason }) => `${what} ${reason}`),
      )
      assert.equal(shown.join(' '), is)
    })
  }
})

describe('[recipients]', () => {
  const recipients = recipientsOptions.parse({
    'Example.NET': { actions: { a: 'observe', b: 'reject', c: 'off' } },
  })
  const findings = ['a', 'b', 'c', 'd'].map((name) => finding(name, 'delay'))

  it('changes actions for mail to its domain, and for no other', () => {
    const shown = findingsFor(findings, 'example.net', recipients).map(
      ({ reason, action }) => `${reason} ${action}`,
    )
    assert.deepEqual(shown, ['a observe', 'b reject', 'd delay'])
    assert.equal(findingsFor(findings, 'example.org', recipients), findings)
  })

  it('has reasons looked for that are off elsewhere', () => {
    assert.deepEqual([...wantedFor(recipients)], ['a', 'b'])
  })

  it('knows no other actions', () => {
    assert.equal(recipientsOptions.safeParse({ x: { actions: { a: 'bounce' } } }).success, false)
  })
})

function finding(reason: string, action: Finding['action'], more: Partial<Finding> = {}): Finding {
  const plain = { stage: 'helo', evidence: '', weight: 5, excuses: [], header: null } as const
  return { reason, action, ...plain, ...more }
}
