/** Host lists as Exim reads them (facts.md 2.6), and the one difference that is meant. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HostListError } from '../../src/core/errors.ts'
import { listLines, nobody, parseHostList } from '../../src/core/host-list.ts'
import { ipOf } from '../dns/worlds.ts'

interface Case {
  readonly list: readonly string[]
  readonly ip?: string
  readonly name?: string
  readonly is: boolean
  readonly because: string
}

const cases: readonly Case[] = [
  { list: [], is: false, because: 'an empty list is nobody' },
  { list: ['192.0.2.1'], is: true, because: 'the address is on it' },
  { list: ['192.0.2.2'], is: false, because: 'another address is on it' },
  { list: ['::ffff:192.0.2.1'], is: true, because: 'it is the same address' },
  { list: ['192.0.2.0/24'], is: true, because: 'the network has the address' },
  { list: ['192.0.3.0/24'], is: false, because: 'the network has not' },
  { list: ['2001:db8::/32'], ip: '2001:db8::1', is: true, because: 'IPv6 has networks too' },
  { list: ['0.0.0.0/0'], ip: '2001:db8::1', is: false, because: 'that is all of IPv4 only' },
  { list: ['*'], is: true, because: '* is everybody' },
  { list: ['*'], ip: '2001:db8::1', is: true, because: '* is everybody' },
  { list: ['a.example'], name: 'a.example', is: true, because: 'the name is on it' },
  { list: ['A.Example'], name: 'a.example', is: true, because: 'case does not matter' },
  { list: ['a.example'], name: 'b.a.example', is: false, because: 'a name is not those below it' },
  { list: ['*.example'], name: 'b.a.example', is: true, because: '*. is all below' },
  { list: ['*.a.example'], name: 'a.example', is: false, because: '*. is not the name itself' },
  { list: ['*.a.example'], name: 'ba.example', is: false, because: 'labels are whole' },
  { list: ['*.a.example'], name: 'x.a.example.evil', is: false, because: 'it must end there' },
  { list: ['*a.example'], name: 'ba.example', is: true, because: 'as in Exim, * is any beginning' },
  { list: ['aXexample'], name: 'a.example', is: false, because: 'a dot is a dot' },
  { list: ['a.example'], is: false, because: 'the name is not known' },
  { list: ['a.example', '192.0.2.1'], is: true, because: 'an unknown name is passed over' },
  { list: ['!192.0.2.1', '192.0.2.0/24'], is: false, because: 'the first that matches decides' },
  { list: ['192.0.2.0/24', '!192.0.2.1'], is: true, because: 'the first that matches decides' },
  { list: ['! 192.0.2.1', '*'], is: false, because: 'there may be a space after !' },
  { list: ['!192.0.2.2'], is: true, because: 'it ends in a negative item: everybody else' },
  { list: ['!192.0.2.1'], is: false, because: 'it is the one excepted' },
  {
    list: ['198.51.100.1', '!192.0.2.2'],
    is: true,
    because: 'only the last item says what becomes of the rest',
  },
  {
    list: ['!192.0.2.2', '198.51.100.1'],
    is: false,
    because: 'it ends in a positive item: nobody else',
  },
  { list: ['!*'], is: false, because: 'everybody is excepted' },
  { list: ['!*.example'], name: 'a.test', is: true, because: 'the name is another' },
  { list: ['!*.example'], name: 'a.example', is: false, because: 'the name is excepted' },
  { list: ['!*.example'], is: false, because: 'an unknown name might be the one excepted' },
  { list: ['!*.example', '192.0.2.1'], is: true, because: 'the address is named afterwards' },
]

describe('parseHostList', () => {
  for (const { list, ip = '192.0.2.1', name = null, is, because } of cases) {
    it(`[${list.join(' : ')}] ${is ? 'has' : 'has not'} ${name ?? ip}: ${because}`, () => {
      const host = { ip: ipOf(ip), name }
      assert.equal(parseHostList(list.join('\n'), 'list').matches(host), is)
    })
  }

  const readings = [
    { text: '\ufeff192.0.2.1', because: 'some editors begin a file with a mark' },
    { text: '# all\r\n\r\n  192.0.2.1  \r\n', because: 'of Windows line ends and blanks' },
    { text: '192.0.2.1 # the relay', because: 'a comment may follow' },
    { text: '192.0.2.1# the relay', because: 'as in Exim, # begins a comment anywhere' },
    { text: '192.0.2.1', because: 'the last line may lack its end' },
  ]
  for (const { text, because } of readings) {
    it(`reads ${JSON.stringify(text)}: ${because}`, () => {
      const list = parseHostList(text, 'list')
      assert.equal(list.matches({ ip: ipOf('192.0.2.1'), name: null }), true)
      assert.equal(list.matches({ ip: ipOf('192.0.2.9'), name: null }), false)
    })
  }

  it('knows whether it needs names', () => {
    assert.equal(parseHostList('192.0.2.1\n!10.0.0.0/8\n*', 'list').addressesOnly, true)
    assert.equal(parseHostList('192.0.2.1\n!a.example', 'list').addressesOnly, false)
    assert.equal(parseHostList('', 'list').addressesOnly, true)
    assert.equal(nobody.matches({ ip: ipOf('192.0.2.1'), name: 'a.example' }), false)
  })

  it('names every line that means nothing, all at once', () => {
    const text = ['192.0.2.256', 'a.example', '', '10.0.0.0/33 # too long', 'a b', '!'].join('\n')
    assert.throws(
      () => parseHostList(text, 'hosts'),
      (error: unknown) => {
        assert.ok(error instanceof HostListError)
        const lines = error.message.split('\n')
        assert.deepEqual(
          lines.map((line) => line.split(' is no ')[0]),
          ['hosts:1: "192.0.2.256"', 'hosts:4: "10.0.0.0/33"', 'hosts:5: "a b"', 'hosts:6: "!"'],
        )
        assert.match(lines[0] ?? '', /mend or remove the line$/)
        return true
      },
    )
  })

  const wrong = [
    { item: '192.0.2', because: 'an address that was cut short is no name' },
    { item: '192.0.2.0-192.0.2.9', because: 'ranges are not known, and no name ends in a number' },
    { item: '2001:db8::/129', because: 'the network is too long' },
    { item: '*.', because: 'there is nothing below nothing' },
    { item: '*.example.', because: 'names are kept without the final dot: it would never match' },
    { item: '*.*.example', because: 'only the beginning may be open' },
    { item: '^mail\\d', because: 'patterns are not known' },
    { item: '!!192.0.2.1', because: 'one ! is enough' },
    { item: '+named', because: 'named lists are not known' },
    { item: 'net24-lsearch;/etc/x', because: 'look-ups are not known' },
  ]
  for (const { item, because } of wrong) {
    it(`refuses ${item}: ${because}`, () => {
      assert.throws(() => parseHostList(item, 'list'), HostListError)
    })
  }
})

describe('listLines', () => {
  it('keeps the numbers of the lines that say something', () => {
    assert.deepEqual(listLines('# a\n b \n\nc # d\n'), [
      { line: 2, value: 'b' },
      { line: 4, value: 'c' },
    ])
  })
})
