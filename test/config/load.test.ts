/** What operators are told about their config file, word by word. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { parseConfig } from '../../src/config/load.ts'
import { complaints } from './complaints.ts'
import { sample } from './sample.ts'

const lengthOfTime = 'a length of time such as "90s", "4m30s" or "500ms"'

const cases: { text: string; says: string[]; because: string }[] = [
  {
    because: 'a length of time needs its unit',
    text: '[part]\nwait = "1 min"',
    says: [`t:2: part.wait: "1 min" is wrong: expected ${lengthOfTime}`],
  },
  {
    because: 'a slip of the pen is named',
    text: '[part]\nslotz = 3',
    says: ['t:2: part.slotz: unknown setting; did you mean "slots"?'],
  },
  {
    because: 'cases, dashes and underscores are no great slip',
    text: '[reasons.SORBS_DUL]',
    says: ['t:1: reasons.SORBS_DUL: unknown setting; did you mean "sorbs-dul"?'],
  },
  {
    because: 'a setting in the wrong table is told its place',
    text: 'quiet = true',
    says: ['t:1: quiet: unknown setting here; did you mean part.quiet?'],
  },
  {
    because: 'of a strange setting we say what we know',
    text: '\n[backend]\nelephants = 1',
    says: ['t:3: backend.elephants: unknown setting; known here: addresses'],
  },
  {
    because: 'text is no number',
    text: '[part]\nslots = "many"',
    says: ['t:2: part.slots: expected a whole number from 0 to 100000, found text'],
  },
  {
    because: 'a range has ends',
    text: '[part]\nslots = 100_001\nshare = -0.1\neven = 3',
    says: [
      't:2: part.slots: 100001 is wrong: expected a whole number from 0 to 100000',
      't:3: part.share: -0.1 is wrong: expected a number of at least 0',
      't:4: part.even: 3 is wrong: expected a whole number above 1 and below 10, a multiple of 2',
    ],
  },
  {
    because: 'a whole number has no fraction and is a number',
    text: '[part]\nslots = 1.5\neven = nan',
    says: [
      't:2: part.slots: expected a whole number from 0 to 100000, found 1.5',
      't:3: part.even: expected a whole number above 1 and below 10, a multiple of 2, found NaN',
    ],
  },
  {
    because: 'a choice is among those offered',
    text: '[part]\nmode = "obsreve"',
    says: [
      't:2: part.mode: "obsreve" is wrong: did you mean "observe"? ' +
        'expected one of "delay", "observe", "off"',
    ],
  },
  {
    because: 'a boolean is not text',
    text: '[part]\nquiet = "yes"',
    says: ['t:2: part.quiet: expected true or false, found text'],
  },
  {
    because: 'a union tells all its forms',
    text: '[part]\npause = 0',
    says: ['t:2: part.pause: 0 is wrong: expected "auto" or a whole number of at least 1'],
  },
  {
    because: 'the item of a list has its own line',
    text: '[backend]\naddresses = [\n  "a:25", # good\n  "b",\n  3,\n]',
    says: [
      't:4: backend.addresses[1]: "b" is wrong: expected "host:port"',
      't:5: backend.addresses[2]: expected "host:port", found a whole number',
    ],
  },
  {
    because: 'a list is not one text',
    text: '[backend]\naddresses = "a:25"',
    says: ['t:2: backend.addresses: expected a list, each "host:port", found text'],
  },
  {
    because: 'the two ends of a range stand in order',
    text: '[part]\nrange = ["3s", "2s"]',
    says: ['t:2: part.range: ["3s","2s"] is wrong: expected the shorter one first'],
  },
  {
    because: 'what is wrong inside is not reported again outside',
    text: '[part]\nrange = ["3x", "2s"]',
    says: [`t:2: part.range[0]: "3x" is wrong: expected ${lengthOfTime}`],
  },
  {
    because: 'a table is not a value, and a date is not a table',
    text: 'reasons = 3\npart = 1979-05-27\n[[listen]]',
    says: [
      't:1: reasons: expected a table, found a whole number',
      't:2: part: expected a table, found a date',
      't:3: listen: expected a table, found a list',
    ],
  },
  {
    because: 'a name that is none for a program is quoted',
    text: '[reasons]\nsorbs-dul.action = 1\n"no ptr" = { action = 1979-05-27 }',
    says: [
      't:2: reasons["sorbs-dul"].action: 1 is wrong: expected one of "delay", "off"',
      't:3: reasons["no ptr"].action: expected one of "delay", "off", found a date',
    ],
  },
  {
    because: 'what is missing is reported at its table',
    text: '[lists.pbl]\nweight = 1\n\n[lists.pbl.x]',
    says: [
      't:1: lists.pbl.zone: missing: expected text, not empty',
      't:4: lists.pbl.x: unknown setting; known here: zone, codes, weight',
    ],
  },
  {
    because: 'names may have a form, too',
    text: '[lists.P4]\nzone = "x"',
    says: ['t:1: lists.P4: "P4" is wrong as a name: expected lower-case letters'],
  },
  {
    because: 'of several forms of a table we look into the one that is meant',
    text: 'ways = [\n{ kind = "port" },\n{ kind = "file", path = 3, z = 1 },\n{ kind = "fils" }]',
    says: [
      't:2: ways[0].port: missing: expected a whole number of at least 1',
      't:3: ways[1].path: expected text, found a whole number',
      't:3: ways[1].z: unknown setting; known here: kind, path, port',
      't:4: ways[2].kind: "fils" is wrong: did you mean "file"? expected "file" or "port"',
    ],
  },
  {
    because: 'text needs quotes',
    text: '\n[part]\nwait = 90s',
    says: [
      't:3: not valid TOML, at column 10: illegal character in numeric literal; text needs quotes',
    ],
  },
  {
    because: 'a table that is opened twice is no TOML',
    text: '[part]\n[part]',
    says: [
      't:2: not valid TOML, at column 2: trying to redefine an already defined table or value',
    ],
  },
  {
    because: 'a name with a meaning in the language is refused',
    text: '[lists.__proto__]\nzone = "x"',
    says: ['t:1: not valid TOML, at column 2: document contains an unsafe property'],
  },
  {
    because: 'everything is told at once, in the order of the file',
    text: 'nam = "x"\n[reasons]\nx = 1\n[part]\nmode = ""\nslots = -1\nlabel = "toolong"',
    says: [
      't:1: nam: unknown setting; did you mean "name"?',
      't:3: reasons.x: unknown setting; known here: sorbs-dul, no ptr',
      't:5: part.mode: "" is wrong: expected one of "delay", "observe", "off"',
      't:6: part.slots: -1 is wrong: expected a whole number from 0 to 100000',
      't:7: part.label: "toolong" is wrong: expected text of 2 to 5 characters',
    ],
  },
]

describe('parseConfig', () => {
  for (const { text, says, because } of cases) {
    it(because, () => assert.deepEqual(complaints(text), says))
  }

  it('fills an empty file with the defaults, in their inner form', () => {
    const { part, lists } = parseConfig(sample, '', 't')
    assert.deepEqual([part.wait, part.range, part.most], [60_000, [75_000, 150_000], 25_000_000])
    assert.deepEqual(lists, {})
  })

  it('reads what editors make of a file: a byte order mark and CRLF', () => {
    assert.equal(parseConfig(sample, '\ufeffname = "a"\r\n[part]\r\nslots = 1\r\n', 't').name, 'a')
    assert.deepEqual(complaints('\r\n[part]\r\nslots = ""\r\n'), [
      't:3: part.slots: expected a whole number from 0 to 100000, found text',
    ])
  })

  it('freezes all of it, and leaves alone what only looks like a table', () => {
    const made = z.strictObject({
      at: z
        .string()
        .transform(() => new Map())
        .prefault(''),
    })
    const config = parseConfig(sample, 'ways = [{ kind = "file", path = "x" }]', 't')
    for (const part of [config, config.part, config.part.range, config.ways, config.ways[0]]) {
      assert.ok(Object.isFrozen(part))
    }
    assert.ok(!Object.isFrozen(parseConfig(made, '', 't').at))
  })

  it('says a check of a whole table in its own words', () => {
    const one = z
      .strictObject({ a: z.int().default(1), b: z.int().default(2) })
      .refine(({ a, b }) => a < b, 'a must be below b')
    const schema = z.strictObject({ one: one.prefault({}) })
    assert.deepEqual(complaints('\n[one]\na = 3', { schema }), ['t:2: one: a must be below b'])
  })

  it('keeps what it quotes short and on one line', () => {
    const [says = ''] = complaints(`[part]\nwait = """${'x\n'.repeat(500)}"""`)
    assert.ok(says.length < 200 && !says.includes('\n'), says)
  })
})
