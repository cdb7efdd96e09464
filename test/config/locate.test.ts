/** Where settings stand, in every way that TOML has of writing them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import { keyText, locator, tomlKey, tomlValue } from '../../src/config/locate.ts'

const text = `# [fooled] = 1
top = 1

[a.b]
c = "x # [no]" # no = 1
"quoted key" = 'it''s' # not TOML; replaced below
d.e = 2
d.f = 3

[reasons."sorbs-dul"]
action = "off"

["tab\\u0041"]
'lit.eral' = true
inline = { x = 1, y = { "z" = [1, 2] }, "w w".v = 2 }

[long]
list = [ # a ] comment
  1,
  [2, 3], { k = "]" },

  4, # five
]
text = """
[not.a.table]
key = "\\""" ]
"""
raw = '''
key = 1
''''
quotes = """a"""""
after = 1979-05-27 07:32:00

[[rule]]
name = "first"
[rule.sub]
x = 1
[[rule]]
name = "second"
[rule.sub]
x = 2
[[rule.deep]]
y = 1
[[rule.deep]]
y = 2

[a]
late = 1
more = ["""a""""", '''b'''', 2,
3]
`.replace("'it''s' # not TOML; replaced below", "'it is'")

const cases: [path: PropertyKey[], line: number, because: string][] = [
  [['top'], 2, 'a key above all tables'],
  [['a', 'b'], 4, 'a table'],
  [['a'], 47, 'a table that was implied before it was opened'],
  [['a', 'late'], 48, 'a table that was opened late'],
  [['a', 'b', 'c'], 5, 'a key of a table, with signs of all kinds in its text'],
  [['a', 'b', 'quoted key'], 6, 'a quoted key'],
  [['a', 'b', 'd'], 7, 'a table made by a dotted key'],
  [['a', 'b', 'd', 'f'], 8, 'a dotted key'],
  [['reasons'], 10, 'a table that is only implied'],
  [['reasons', 'sorbs-dul', 'action'], 11, 'a key below a quoted table'],
  [['tabA', 'lit.eral'], 14, 'escapes and literal keys'],
  [['tabA', 'inline', 'y', 'z', 1], 15, 'an inline table'],
  [['tabA', 'inline', 'w w', 'v'], 15, 'a dotted key in an inline table'],
  [['long', 'list'], 18, 'a long list'],
  [['long', 'list', 0], 19, 'its first item'],
  [['long', 'list', 1, 1], 20, 'a list in a list'],
  [['long', 'list', 2, 'k'], 20, 'a table in a list'],
  [['long', 'list', 3], 22, 'an item after an empty line'],
  [['long', 'text'], 24, 'a long text'],
  [['long', 'raw'], 28, 'a long text after one that is full of traps'],
  [['long', 'quotes'], 31, 'a text that ends with quotes'],
  [['long', 'after'], 32, 'a date with a blank'],
  [['rule'], 34, 'a list of tables'],
  [['rule', 0, 'name'], 35, 'a key of the first of them'],
  [['rule', 0, 'sub', 'x'], 37, 'a table of the first'],
  [['rule', 1], 38, 'the second of them'],
  [['rule', 1, 'sub', 'x'], 41, 'a table of the second'],
  [['rule', 1, 'deep', 1, 'y'], 45, 'lists of tables in lists of tables'],
  [['a', 'more', 3], 50, 'an item after texts that end with quotes'],
  [['a', 'b', 'missing'], 4, 'what is not there: its table'],
  [['rule', 1, 'sub', 'missing', 'too'], 40, 'what is not there: the nearest table'],
  [['nowhere', 'at', 'all'], 1, 'what is nowhere: the first line'],
  [['fooled'], 1, 'a comment is nothing'],
  [['long', 'key'], 17, 'the inside of a text is nothing'],
]

describe('locator', () => {
  it('is tested with valid TOML', () => {
    assert.ok(parse(text))
  })

  const locate = locator(text)
  for (const [path, line, because] of cases) {
    it(`${keyText(path)}: ${because}`, () => assert.equal(locate(path), line))
  }

  it('counts lines that end in CRLF', () => {
    assert.equal(locator('a = """\r\nx\r\n"""\r\n# x\r\nb = 1\r\n')(['b']), 5)
  })

  it('ends on any text, even on such as no parser would accept', () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '"""',
      '\\',
      '=',
      ',',
      '#',
      '\n',
      'a',
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          locator(pieces.join(''))
        } catch (error) {
          assert.ok(
            error instanceof Error && error.message.startsWith('Invalid TOML'),
            String(error),
          )
        }
      }),
    )
  })

  it('finds every key of what a printer writes on the line where it wrote it', () => {
    const key = fc.oneof(fc.string({ minLength: 1, maxLength: 5 }), fc.constantFrom('a', '#', ' ]'))
    const flat = fc.dictionary(key, fc.oneof(fc.string(), fc.integer(), fc.boolean()))
    fc.assert(
      fc.property(fc.dictionary(key, flat), (document) => {
        const printed = stringify(document)
        const lines = printed.split('\n')
        const locateIn = locator(printed)
        for (const [table, settings] of Object.entries(document)) {
          for (const name of Object.keys(settings)) {
            const line = lines[locateIn([table, name]) - 1] ?? ''
            assert.deepEqual(Object.keys(parse(line)), [name])
          }
        }
      }),
    )
  })
})

describe('spelling', () => {
  it('writes paths as a program would', () => {
    assert.equal(keyText(['a', 'b_c', 1, 'no-ptr', 'x']), 'a.b_c[1]["no-ptr"].x')
    assert.equal(keyText([]), '')
    assert.equal(keyText(['no ptr']), '["no ptr"]')
  })

  it('writes values that the parser reads back', () => {
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string(),
        fc.constantFrom('\\d+', "it's \\d", '"', '\n\t', ''),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.array(tie('value')),
        fc.dictionary(fc.string(), tie('value')),
      ),
    })).value
    fc.assert(
      fc.property(fc.string(), value, (key, written) => {
        fc.pre(key !== '__proto__')
        const read = parse(`${tomlKey(key)} = ${tomlValue(written)}`)[key]
        assert.equal(JSON.stringify(read), JSON.stringify(written))
      }),
    )
  })
})
