/** A schema with one setting of every kind, for the tests of the config folder. */
import { z } from 'zod'
import { duration, size } from '../../src/core/duration.ts'

const list = z
  .strictObject({
    zone: z.string().min(1).describe('The zone to ask.'),
    codes: z.array(z.string()).default(['127.0.0.2']).describe('Answers that mean "listed".'),
    weight: z.number().gt(0).max(1).default(0.5),
  })
  .describe('One DNS list.')

const part = z.strictObject({
  wait: duration('60s').describe('Longest wait before one reply.'),
  range: z
    .tuple([duration('75s'), duration('150s')])
    .refine(([low, high]) => low < high, 'expected the shorter one first')
    .prefault(['75s', '150s']),
  slots: z.int().min(0).max(100_000).default(2_000).describe('Clients kept waiting at once.'),
  share: z.number().min(0).default(0.5),
  even: z.int().gt(1).lt(10).multipleOf(2).default(4),
  most: size('25MB'),
  mode: z.enum(['delay', 'observe', 'off']).default('delay'),
  quiet: z.boolean().default(false),
  pause: z.union([z.literal('auto'), z.int().min(1)]).default('auto'),
  names: z.array(z.string().min(1)).max(3).default([]),
  pattern: z.string().default('^\\d+\\.dsl$').meta({ expects: 'a regular expression' }),
  label: z.string().min(2).max(5).default('abc'),
})

const way = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path: z.string() }),
  z.strictObject({ kind: z.literal('port'), port: z.int().min(1) }),
])

export const sample = z.strictObject({
  name: z.string().optional().describe('Our host name.').meta({ example: 'mx.example.org' }),
  backend: z
    .strictObject({
      addresses: z
        .array(z.string().regex(/^\S+:\d+$/, 'expected "host:port"'))
        .default(['127.0.0.1:10025']),
    })
    .prefault({}),
  listen: z.strictObject({ addresses: z.array(z.string()).default(['[::]:25']) }).prefault({}),
  part: part.prefault({}).describe('A table with one setting of every kind. '.repeat(3).trim()),
  reasons: z
    .strictObject({
      'sorbs-dul': z.strictObject({ action: z.enum(['delay', 'off']).default('off') }).prefault({}),
      'no ptr': z.strictObject({ action: z.enum(['delay', 'off']).default('off') }).prefault({}),
    })
    .prefault({})
    .describe('What makes a client wait.'),
  lists: z
    .record(z.string().regex(/^[a-z-]+$/, 'expected lower-case letters'), list)
    .default({})
    .describe('DNS lists.')
    .meta({ example: { pbl: { zone: 'pbl.spamhaus.org' } } }),
  admin: z.strictObject({ port: z.int().default(8025), token: z.string().optional() }).optional(),
  ways: z.array(way).default([]),
})
