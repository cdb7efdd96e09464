/**
 * What the client sent before our greeting is not SMTP: a TLS hello, an HTTP request, SOCKS.
 *
 * Somebody else's web browser was told to talk to port 25, or an open proxy is being looked for.
 * Found only with greeting.early_talk = "delay"; otherwise such clients do not come this far.
 */
import { defineReason, reasonOptions } from './reason.ts'

const protocols: readonly (readonly [name: string, form: RegExp])[] = [
  ['TLS', /^\x16\x03[\x00-\x04]/],
  ['HTTP', /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PRI) [^\r\n]* HTTP\/\d/],
  ['SOCKS', /^(?:\x04[\x01\x02]|\x05[\x01-\x0a])/],
  ['SSH', /^SSH-\d/],
]

export const otherProtocol = defineReason({
  name: 'other-protocol',
  stage: 'greeting',
  summary: 'What the client sent before our greeting is another protocol: TLS, HTTP, SOCKS, SSH.',
  source: 'postscreen; smtpd_forbidden_commands',
  options: reasonOptions({ weight: 10 }, {}),

  prepare() {
    return {
      find({ earlyTalk }) {
        const protocol = protocols.find(([, form]) => form.test(earlyTalk ?? ''))
        return protocol === undefined ? null : `talks ${protocol[0]}`
      },
    }
  },
})
