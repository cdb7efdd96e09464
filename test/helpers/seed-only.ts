/** Leaves only the reasons of the seed: what most dialogues are about, and what their clients give. */

const others = [
  ...['botnet-nordns', 'botnet-baddns', 'botnet-ipinhostname', 'botnet-clientwords'],
  ...['botnet-client', 'botnet-serverwords', 'botnet-soho', 'newcomer', 'crowd', 'other-protocol'],
  ...['helo-bare-ip', 'helo-localhost', 'helo-is-us', 'helo-changed', 'helo-dynamic'],
  ...['pipelined-too-soon', 'unknown-recipients', 'many-recipients'],
]

/** Settings that switch the others off, as keys and values of TOML. */
export const seedOnly: readonly (readonly [key: string, value: string])[] = others.map((name) => [
  `reasons.${name}.action`,
  '"off"',
])
