// A queue with its dead letters.
//
// Invariant: visibility is six times the timeout of the function that reads; nothing is kept shorter than SQS can.

import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** What a function that reads a queue may take. */
export const READER_TIMEOUT = Duration.seconds(30);

const RETENTION = Duration.days(14);

export interface QueuePair {
  readonly queue: sqs.Queue;
  readonly deadLetters: sqs.Queue;
}

/** `<id>Queue` and `<id>DeadLetters`, named `name` and `name-dead`. */
export function queuePair(scope: Construct, id: string, name: string, maxReceiveCount: number): QueuePair {
  const shared = { retentionPeriod: RETENTION, encryption: sqs.QueueEncryption.SQS_MANAGED, enforceSSL: true };
  // By its ARN: the two name each other.
  const arn = Stack.of(scope).formatArn({
    service: 'sqs',
    resource: name,
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  });
  const deadLetters = new sqs.Queue(scope, `${id}DeadLetters`, {
    ...shared,
    queueName: `${name}-dead`,
    redriveAllowPolicy: {
      redrivePermission: sqs.RedrivePermission.BY_QUEUE,
      sourceQueues: [sqs.Queue.fromQueueArn(scope, `${id}Source`, arn)],
    },
  });
  const queue = new sqs.Queue(scope, `${id}Queue`, {
    ...shared,
    queueName: name,
    visibilityTimeout: Duration.seconds(6 * READER_TIMEOUT.toSeconds()),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount },
  });
  return { queue, deadLetters };
}
