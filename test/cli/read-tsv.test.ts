/** Tables of labelled connections. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { brief, collect } from './collect.ts'

const head = 'label\tsource\tip\trdns\thelo\tfrom_domain\thop\trdns_state\tenv_domain'

describe('a TSV table', () => {
  it('is read by the names of its columns', () => {
    const { connections, bad } = collect('tsv', [
      head,
      'spam\tcorpus\t192.0.2.1\tDSL.example.net.\tfoo\texample.org\tfinal\tname\texample.com',
      '',
      'ham\tcorpus\t2001:DB8::1\t\tmail.example.org\texample.org\tfinal\tnone\t',
    ])
    assert.deepEqual(bad, [])
    assert.deepEqual(connections.map(brief), [
      'spam 192.0.2.1 dsl.example.net(verified) HELO foo from @example.com to ',
      'ham 2001:db8::1 (none) HELO mail.example.org from @example.org to ',
    ])
    assert.deepEqual(
      connections.map(({ line, source, hop }) => [line, source, hop]),
      [
        [2, 'corpus', 'final'],
        [4, 'corpus', 'final'],
      ],
    )
  })

  it('takes the domain of the author at the first hop into a list', () => {
    const row = 'ham\tc\t192.0.2.1\t\tx.example\tauthor.example\tlist\tnone\tlists.example'
    assert.equal(collect('tsv', [head, row]).connections[0]?.sender, '@author.example')
  })

  it('makes do with the address alone', () => {
    const { connections } = collect('tsv', ['ip\tother', '192.0.2.1\tx'])
    assert.deepEqual(connections.map(brief), [' 192.0.2.1 (unknown) HELO  from null to '])
  })

  it('says of a line that it cannot read what it expected, and goes on', () => {
    const { connections, bad } = collect('tsv', [
      head,
      'spam\t192.0.2.1',
      'spam\tc\tnowhere\t\tx\ty\tfinal\tname\tz',
      'spam\tc\t192.0.2.1\t\tx\ty\tfinal\tmaybe\tz',
      'spam\tc\t192.0.2.1\t\tx\ty\tfinal\tnone\tz',
    ])
    assert.equal(connections.length, 1)
    assert.deepEqual(bad, [
      '2: 9 columns as in the first line, found 2 columns',
      '3: an address in column "ip", found "nowhere"',
      '4: one of name, verified, unverified, none, unknown, unrecorded in column "rdns_state", ' +
        'found "maybe"',
    ])
  })
})
