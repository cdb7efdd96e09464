/**
 * What the client sent before our greeting is not SMTP: a TLS hello, an HTTP request, SOCKS.
 *
 * Somebody else's web browser was told to talk to port 25, or an open proxy is being looked for.
 * Found only with greeting.early_talk = "delay"; otherwise such clients do not come this far.
 */
import { defineReason, reasonOptions } from './reason.ts'

const requests = /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PRI) [^\r\n]* HTTP\/\d/

/** The protocol whose first words these are. */
function protocolOf(talk: string): string | null {
  const [first, second = 0] = [...talk.slice(0, 2)].map((char) => char.charCodeAt(0))
  if (first === 0x16 && second === 3) return 'TLS'
  if (first === 4 && (second === 1 || second === 2)) return 'SOCKS 4'
  if (first === 5 && second > 0 && second < 11) return 'SOCKS 5'
  if (requests.test(talk)) return 'HTTP'
  return /^SSH-\d/.test(talk) ? 'SSH' : null
}

export const otherProtocol = defineReason({
  name: 'other-protocol',
  stage: 'greeting',
  summary: 'What the client sent before our greeting is another protocol: TLS, HTTP, SOCKS, SSH.',
  source: 'postscreen; smtpd_forbidden_commands',
  options: reasonOptions({ weight: 10 }, {}),

  prepare() {
    return {
      find({ earlyTalk }) {
        const protocol = protocolOf(earlyTalk ?? '')
        return protocol === null ? null : `talks ${protocol}`
      },
    }
  },
})
