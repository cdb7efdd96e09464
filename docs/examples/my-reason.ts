/**
 * An example of a reason of one's own: the sender has a top-level domain that nobody here writes to.
 *
 * Copy it beside the config file, and set:
 *
 *     reasons.modules = ["./my-reason.ts"]
 *     reasons.settings.rare-sender-domain = { weight = 4, endings = ["top", "xyz"] }
 *
 * The import below is of types only and is gone at run time, so its path need not lead anywhere
 * where the file is used; the kit brings all that there is.
 */
import type { Kit } from '../../src/reasons/modules.ts'

export default ({ defineReason, reasonOptions, z }: Kit) =>
  defineReason({
    name: 'rare-sender-domain',
    stage: 'mail',
    summary: 'The domain of the sender ends in something rare.',
    source: 'our own logs',
    options: reasonOptions({ weight: 3 }, { endings: z.array(z.string()).default(['top']) }),

    prepare({ endings }) {
      return {
        find({ sender }) {
          const ending = endings.find((each) => sender.address.toLowerCase().endsWith(`.${each}`))
          return ending === undefined ? null : `sender in .${ending}`
        },
      }
    },
  })
