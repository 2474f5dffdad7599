// Alarms on Tocsin itself, by a way to a person that leads through nothing of it.
//
// Invariant: each function and each queue has its alarms, and each alarm says what to look at.

import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

import { QueuePair } from './queues';

/** What an alarm watches. */
interface Watch {
  readonly describe: string;
  readonly metric: cloudwatch.IMetric;
  /** Breached above this; below it where `comparison` says so. */
  readonly threshold: number;
  readonly periods?: number;
  readonly comparison?: cloudwatch.ComparisonOperator;
  readonly missing?: cloudwatch.TreatMissingData;
}

export class Alarms {
  readonly topic: sns.Topic;

  constructor(
    private readonly scope: Construct,
    private readonly name: string,
    email: string,
    key: kms.IKey | undefined,
  ) {
    const topicName = `${name}-alarms`;
    this.topic = new sns.Topic(scope, 'AlarmTopic', { topicName, enforceSSL: true, ...(key && { masterKey: key }) });
    this.topic.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
      }),
    );
    const protocol = sns.SubscriptionProtocol.EMAIL;
    new sns.Subscription(scope, 'AlarmEmailSubscription', { topic: this.topic, protocol, endpoint: email });
  }

  /** The dead letters, the age of the oldest message, and what is tried again and again. */
  queue(id: string, word: string, pair: QueuePair, oldestSecs: number): void {
    const inbox = word === 'inbox';
    this.alarm(`${id}DeadLettersAlarm`, `${word}-dead-letters`, {
      describe: inbox
        ? "An alert could not be settled and stands in the dead letters: read triage's log, mend, redrive."
        : `A delivery to ${word} was rejected or failed for good: its incident's timeline says why.`,
      metric: held(pair.deadLetters.queueName),
      threshold: 0,
    });
    this.alarm(`${id}OldestAlarm`, `${word}-oldest`, {
      describe: inbox
        ? 'Alerts wait for triage: is it throttled or failing?'
        : `Deliveries to ${word} wait: is their function throttled or failing?`,
      metric: queueMetric(pair.queue.queueName, 'ApproximateAgeOfOldestMessage', 'Maximum'),
      threshold: oldestSecs,
    });
    // SQS leaves a message out of the age once it was handed out three times; it stays hidden between its tries.
    this.alarm(`${id}RetriedAlarm`, `${word}-retried`, {
      describe: inbox
        ? "For 15 minutes some alert has been tried again and again: read triage's log."
        : `For 15 minutes some delivery has been tried again and again: is ${word} away?`,
      metric: queueMetric(pair.queue.queueName, 'ApproximateNumberOfMessagesNotVisible', 'Minimum'),
      threshold: 0,
      periods: 15,
    });
  }

  /** Errors and throttles. */
  function(id: string, word: string, own: lambda.Function): void {
    this.alarm(`${id}ErrorsAlarm`, `${word}-errors`, {
      describe: `${word} ends in errors: read its log.`,
      metric: functionMetric(own, 'Errors'),
      threshold: 0,
    });
    this.alarm(`${id}ThrottlesAlarm`, `${word}-throttles`, {
      describe: `${word} is throttled: raise its concurrency or the account's.`,
      metric: functionMetric(own, 'Throttles'),
      threshold: 0,
    });
  }

  /** A webhook that was answered 5xx: its sender must send it again. */
  unavailable(id: string, word: string, own: lambda.Function): void {
    this.alarm(`${id}UnavailableAlarm`, `${word}-unavailable`, {
      describe: `${word} answered 5xx: alerts are not durable, and their senders must send again.`,
      metric: functionMetric(own, 'Url5xxCount'),
      threshold: 0,
    });
  }

  /** A schedule that has not called its function. */
  stopped(id: string, word: string, own: lambda.Function): void {
    this.alarm(`${id}StoppedAlarm`, `${word}-stopped`, {
      describe: `${word} has not run for 5 minutes: look at its schedule.`,
      metric: functionMetric(own, 'Invocations', Duration.minutes(5)),
      threshold: 1,
      comparison: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      missing: cloudwatch.TreatMissingData.BREACHING,
    });
  }

  private alarm(id: string, word: string, watch: Watch): void {
    const alarm = new cloudwatch.Alarm(this.scope, id, {
      alarmName: `${this.name}-${word}`,
      alarmDescription: watch.describe,
      metric: watch.metric,
      threshold: watch.threshold,
      evaluationPeriods: watch.periods ?? 1,
      comparisonOperator: watch.comparison ?? cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: watch.missing ?? cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
  }
}

/** Dead letters that `sweep` has looked at are hidden for a while, and are there all the same. */
function held(queueName: string): cloudwatch.MathExpression {
  return new cloudwatch.MathExpression({
    label: 'held',
    expression: 'visible + hidden',
    period: Duration.minutes(1),
    usingMetrics: {
      visible: queueMetric(queueName, 'ApproximateNumberOfMessagesVisible', 'Maximum'),
      hidden: queueMetric(queueName, 'ApproximateNumberOfMessagesNotVisible', 'Maximum'),
    },
  });
}

function queueMetric(queueName: string, metricName: string, statistic: string): cloudwatch.Metric {
  const dimensionsMap = { QueueName: queueName };
  return new cloudwatch.Metric({
    namespace: 'AWS/SQS',
    metricName,
    dimensionsMap,
    statistic,
    period: Duration.minutes(1),
  });
}

function functionMetric(own: lambda.Function, metricName: string, period = Duration.minutes(1)): cloudwatch.Metric {
  const dimensionsMap = { FunctionName: own.functionName };
  return new cloudwatch.Metric({ namespace: 'AWS/Lambda', metricName, dimensionsMap, statistic: 'Sum', period });
}
