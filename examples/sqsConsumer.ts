// The handler of a Lambda, in a container: the messages of a queue into a table, without an end of time.
//   HEADRACE_QUEUE_URL=… HEADRACE_TABLE=… node .build/examples/sqsConsumer.js

import { sqsHandler } from 'headrace/lambda'
import { Consumer } from 'sqs-consumer'

const queueUrl = process.env['HEADRACE_QUEUE_URL']!
const work = sqsHandler({ visibilityTimeoutSeconds: 30, onWarning: (text) => console.error(text) })
const consumer = Consumer.create({
  queueUrl,
  batchSize: 10,
  handleMessageBatch: async (messages) => {
    const Records = messages.map(({ MessageId, ReceiptHandle, Body }) => {
      return { messageId: MessageId!, receiptHandle: ReceiptHandle!, body: Body! }
    })
    const { batchItemFailures } = await work({ Records })
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    // What is given back is deleted.
    return messages.filter(({ MessageId }) => !failed.has(MessageId!))
  },
})
consumer.on('error', (error) => console.error(error.message))
consumer.on('stopped', () => void work.close())
process.once('SIGTERM', () => consumer.stop())
consumer.start()
