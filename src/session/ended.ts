/** The two ways in which a session ends before its command is answered. */
import { type Reply, reply, replyText } from '../core/reply.ts'

/** We ended it. The reply is the last thing that the client hears. */
export class Ended extends Error {
  override readonly name = 'Ended'
  readonly reply: Reply

  constructor(answer: Reply) {
    super(replyText(answer))
    this.reply = answer
  }
}

/** The client is gone; there is nobody left to answer. */
export class ClientLeft extends Error {
  override readonly name = 'ClientLeft'

  constructor() {
    super('the client has left')
  }
}

/** One for all: nobody wants to know the stack of somebody who hangs up. */
export const clientLeft = new ClientLeft()

/** What the client hears of a bug of ours. */
export const ourFault = reply(421, '4.3.0', 'Something went wrong here; try again later')
