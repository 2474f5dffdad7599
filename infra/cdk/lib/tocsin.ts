// Tocsin as one construct: the same resources as ../../template.yaml, which a test compares.
//
// Invariant: a function may make the calls that it makes, on what it makes them, and holds the secrets that it uses.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, RemovalPolicy, SecretValue, Stack, SymlinkFollowMode, Validations } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';

import { Alarms } from './alarms';
import { FunctionName, readRequirements, RECEIVER_KINDS, Requirements, standIn } from './config';
import { QueuePair, queuePair, READER_TIMEOUT } from './queues';

export interface TocsinProps {
  /** Who is mailed when Tocsin itself is in trouble. */
  readonly alarmEmail: string;
  /** The folder where `cargo lambda build` leaves `<function>/bootstrap`: `target/lambda`. */
  readonly binaries: string;
  /** A folder with `tocsin/tocsin.yaml` and `tocsin/templates`; links are followed. */
  readonly layer: string;
  /** What every name begins with. Default: the stack's name. */
  readonly name?: string;
  /** The Secrets Manager secret whose JSON has a key for each variable that the config names. Default: `tocsin`. */
  readonly secretName?: string;
  /** Its version id: give the new one to roll out a rotation. Default: the current one at the first deploy. */
  readonly secretVersion?: string;
  /** Default: `info`. */
  readonly logLevel?: 'error' | 'warn' | 'info' | 'debug';
  /** Default: 30 days. */
  readonly logRetention?: logs.RetentionDays;
  /** Executions set aside for `receive`, and its bound against a flood; 0 sets none aside. Default: 20. */
  readonly receiveConcurrency?: number;
  /** A key of your own for the table, variables, logs and alarms. Default: AWS's keys. */
  readonly key?: kms.IKey;
}

/** One function, before its secrets and its role's logs and traces are added. */
interface Shape {
  readonly binary: string;
  readonly timeout?: Duration;
  readonly memoryMb?: number;
  readonly concurrency?: number;
  readonly readsMetrics?: boolean;
  readonly scheduled?: boolean;
  /** Where an event goes that AWS hands over and that is not taken, however often Lambda tries. */
  readonly untaken?: QueuePair['deadLetters'];
  readonly variables: Record<string, string>;
  readonly calls: [actions: string[], resources: string[]][];
}

const RECEIVE_QUEUE = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
const READ_AND_ADD = ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'];
const READ_AND_WRITE = [...READ_AND_ADD, 'dynamodb:UpdateItem'];
const TEMPLATES = { TOCSIN_TEMPLATES: '/opt/tocsin/templates' };

/** Seconds after which a kind's oldest message is an alarm: less where it is a page. */
const OLDEST_SECS: Record<string, number> = { pagerduty: 300 };
const OLDEST_SECS_DEFAULT = 900;

export class Tocsin extends Construct {
  readonly table: dynamodb.Table;
  readonly inbox: QueuePair;
  /** By receiver kind. */
  readonly deliveries: Map<string, QueuePair>;
  readonly functions = {} as Record<FunctionName, lambda.Function>;
  readonly receiveUrl: lambda.FunctionUrl;
  readonly alarms: Alarms;
  /** The names of the config's sources. */
  readonly sources: string[];

  private readonly name: string;
  private readonly requirements: Requirements;
  private readonly layer: lambda.LayerVersion;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: TocsinProps,
  ) {
    super(scope, id);
    this.name = props.name ?? Stack.of(this).stackName;
    this.requirements = readRequirements(join(props.layer, 'tocsin', 'tocsin.yaml'));
    this.sources = this.requirements.sources;
    this.table = this.makeTable();
    this.layer = new lambda.LayerVersion(this, 'Config', {
      layerVersionName: `${this.name}-config`,
      description: '/opt/tocsin/tocsin.yaml and /opt/tocsin/templates',
      code: lambda.Code.fromAsset(props.layer, { followSymlinks: SymlinkFollowMode.ALWAYS }),
      compatibleRuntimes: [lambda.Runtime.PROVIDED_AL2023],
      compatibleArchitectures: [lambda.Architecture.ARM_64],
    });
    // Five hours in which the table may be away; and more than a delivery's attempts, so that it ends by its own count.
    this.inbox = queuePair(this, 'Inbox', `${this.name}-inbox`, 100);
    this.deliveries = new Map(
      RECEIVER_KINDS.map((kind) => [kind, queuePair(this, camel(kind), `${this.name}-${kind}`, 1000)]),
    );
    for (const [name, shape] of this.shapes()) this.functions[name] = this.makeFunction(name, shape);
    // It authenticates each request over the raw body, which an authorizer does not see.
    this.receiveUrl = this.functions.receive.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.NONE });
    this.mapQueue('TriageInbox', this.functions.triage, this.inbox, 10);
    for (const [kind, pair] of this.deliveries) {
      this.mapQueue(`Deliver${camel(kind)}Deliveries`, this.functions[`deliver-${kind}`]!, pair, 5);
    }
    this.scheduleEachMinute(['pull', 'sweep']);
    this.alarms = this.makeAlarms();
  }

  private makeTable(): dynamodb.Table {
    const table = new dynamodb.Table(this, 'Table', {
      partitionKey: { name: 'PK', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'SK', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: this.props.key ? dynamodb.TableEncryption.CUSTOMER_MANAGED : dynamodb.TableEncryption.AWS_MANAGED,
      ...(this.props.key && { encryptionKey: this.props.key }),
      // Expiry is checked in conditions; this only clears away.
      timeToLiveAttribute: 'expires',
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    table.addGlobalSecondaryIndex({
      indexName: 'unfinished',
      partitionKey: { name: 'unfinished', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'due', type: dynamodb.AttributeType.NUMBER },
      projectionType: dynamodb.ProjectionType.KEYS_ONLY,
    });
    return table;
  }

  private shapes(): [FunctionName, Shape][] {
    const { table, inbox } = this;
    const tableName = { TOCSIN_TABLE: table.tableName };
    const inboxUrl = { TOCSIN_INBOX_QUEUE_URL: inbox.queue.queueUrl };
    const kinds = [...this.deliveries].map(([kind, pair]) => ({ kind, upper: kind.toUpperCase(), pair }));
    const kindUrls = Object.fromEntries(kinds.map((k) => [`TOCSIN_${k.upper}_QUEUE_URL`, k.pair.queue.queueUrl]));
    const kindArns = kinds.map((k) => k.pair.queue.queueArn);
    const deadUrl = (k: (typeof kinds)[number]): [string, string] => [
      `TOCSIN_${k.upper}_DEAD_LETTER_QUEUE_URL`,
      k.pair.deadLetters.queueUrl,
    ];
    const minutely = { timeout: Duration.seconds(55), scheduled: true };
    return [
      [
        'receive',
        {
          binary: 'receive',
          timeout: Duration.seconds(15),
          concurrency: this.props.receiveConcurrency ?? 20,
          variables: inboxUrl,
          calls: [[['sqs:SendMessage'], [inbox.queue.queueArn, inbox.deadLetters.queueArn]]],
          untaken: inbox.deadLetters,
        },
      ],
      [
        'triage',
        {
          binary: 'triage',
          memoryMb: 512,
          readsMetrics: true,
          variables: { ...tableName, ...inboxUrl, ...kindUrls },
          calls: [
            [RECEIVE_QUEUE, [inbox.queue.queueArn]],
            [['sqs:SendMessage'], [inbox.queue.queueArn, ...kindArns]],
            [READ_AND_WRITE, [table.tableArn]],
          ],
        },
      ],
      // One binary, once per kind. It may send to every kind's queue: a receiver's fallback may be of another kind.
      ...kinds.map((k): [FunctionName, Shape] => [
        `deliver-${k.kind}`,
        {
          binary: 'deliver',
          variables: { ...TEMPLATES, ...tableName, ...kindUrls, ...Object.fromEntries([deadUrl(k)]) },
          calls: [
            [[...RECEIVE_QUEUE, 'sqs:ChangeMessageVisibility'], [k.pair.queue.queueArn]],
            [['sqs:SendMessage'], [...kindArns, k.pair.deadLetters.queueArn]],
            [READ_AND_WRITE, [table.tableArn]],
          ],
        },
      ]),
      [
        'pull',
        {
          ...minutely,
          binary: 'pull',
          memoryMb: 512,
          readsMetrics: true,
          variables: { ...tableName, ...inboxUrl },
          calls: [
            [['sqs:SendMessage'], [inbox.queue.queueArn]],
            [READ_AND_ADD, [table.tableArn]],
          ],
        },
      ],
      [
        'sweep',
        {
          ...minutely,
          binary: 'sweep',
          variables: {
            ...tableName,
            ...inboxUrl,
            ...kindUrls,
            TOCSIN_INBOX_DEAD_LETTER_QUEUE_URL: inbox.deadLetters.queueUrl,
            ...Object.fromEntries(kinds.map(deadUrl)),
          },
          calls: [
            // It looks at the dead letters and leaves them where they are.
            [['sqs:ReceiveMessage'], [inbox.deadLetters.queueArn, ...kinds.map((k) => k.pair.deadLetters.queueArn)]],
            [['sqs:GetQueueAttributes'], kindArns],
            [['sqs:SendMessage'], [inbox.queue.queueArn, ...kindArns]],
            [READ_AND_ADD, [table.tableArn]],
            [['dynamodb:Query'], [`${table.tableArn}/index/unfinished`]],
          ],
        },
      ],
    ];
  }

  private makeFunction(name: FunctionName, shape: Shape): lambda.Function {
    const id = camel(name);
    const logGroup = new logs.LogGroup(this, `${id}Logs`, {
      logGroupName: `/aws/lambda/${this.name}-${name}`,
      retention: this.props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(this.props.key && { encryptionKey: this.props.key }),
    });
    const made = new lambda.Function(this, id, {
      functionName: `${this.name}-${name}`,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: lambda.Architecture.ARM_64,
      handler: 'bootstrap',
      code: this.code(shape.binary),
      layers: [this.layer],
      role: this.makeRole(id, shape, logGroup),
      timeout: shape.timeout ?? READER_TIMEOUT,
      memorySize: shape.memoryMb ?? 256,
      tracing: lambda.Tracing.ACTIVE,
      loggingFormat: lambda.LoggingFormat.JSON,
      logGroup,
      environment: this.variables(name, shape),
      ...(shape.concurrency && { reservedConcurrentExecutions: shape.concurrency }),
      ...(this.props.key && { environmentEncryption: this.props.key }),
    });
    // The next tick comes in a minute: what is older is of no use.
    if (shape.scheduled) made.configureAsyncInvoke({ retryAttempts: 1, maxEventAge: Duration.minutes(1) });
    const { untaken } = shape;
    if (untaken) {
      const onFailure = { bind: () => ({ destination: untaken.queueArn }) };
      made.configureAsyncInvoke({ retryAttempts: 2, maxEventAge: Duration.hours(6), onFailure });
    }
    return made;
  }

  private code(binary: string): lambda.Code {
    const folder = join(this.props.binaries, binary);
    if (!existsSync(join(folder, 'bootstrap'))) {
      throw new Error(
        `${folder} holds no bootstrap: run \`cargo lambda build --release --arm64 -p ${binary}\` at the top of the repository`,
      );
    }
    return lambda.Code.fromAsset(folder);
  }

  private makeRole(id: string, shape: Shape, logGroup: logs.LogGroup): iam.Role {
    const role = new iam.Role(this, `${id}Role`, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const allow = (actions: string[], resources: string[]) =>
      role.addToPolicy(new iam.PolicyStatement({ actions, resources }));
    shape.calls.forEach(([actions, resources]) => allow(actions, resources));
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
    if (shape.readsMetrics && this.requirements.readsCloudWatch) allow(['cloudwatch:GetMetricData'], ['*']);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray has no resource for PutTraceSegments and PutTelemetryRecords, nor CloudWatch for GetMetricData.',
    });
    return role;
  }

  private variables(name: FunctionName, shape: Shape): Record<string, string> {
    const own = this.requirements.secretsOf(name);
    const secrets = this.requirements.secrets.map((secret) => [
      secret,
      own.includes(secret) ? this.secret(secret) : standIn(secret),
    ]);
    return {
      RUST_LOG: this.props.logLevel ?? 'info',
      TOCSIN_CONFIG: '/opt/tocsin/tocsin.yaml',
      ...shape.variables,
      ...Object.fromEntries(secrets),
    };
  }

  /** A reference that CloudFormation resolves at deploy; the value is never in the template. */
  private secret(jsonField: string): string {
    const { secretName = 'tocsin', secretVersion } = this.props;
    const options = { jsonField, ...(secretVersion && { versionId: secretVersion }) };
    return SecretValue.secretsManager(secretName, options).unsafeUnwrap();
  }

  private mapQueue(id: string, target: lambda.Function, pair: QueuePair, maxConcurrency: number): void {
    new lambda.EventSourceMapping(this, id, {
      target,
      eventSourceArn: pair.queue.queueArn,
      batchSize: 10,
      maxConcurrency,
      reportBatchItemFailures: true,
    });
  }

  private scheduleEachMinute(names: ('pull' | 'sweep')[]): void {
    const role = new iam.Role(this, 'ScheduleRole', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    const arns = names.map((name) => this.functions[name].functionArn);
    role.addToPolicy(new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: arns }));
    for (const name of names) {
      const schedule = new scheduler.CfnSchedule(this, `${camel(name)}Schedule`, {
        name: `${this.name}-${name}`,
        scheduleExpression: 'rate(1 minute)',
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          arn: this.functions[name].functionArn,
          roleArn: role.roleArn,
          retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 1 },
        },
      });
      schedule.node.addDependency(role);
    }
  }

  private makeAlarms(): Alarms {
    const alarms = new Alarms(this, this.name, this.props.alarmEmail, this.props.key);
    // A later look waits in the inbox for up to 900 s, and is no trouble.
    alarms.queue('Inbox', 'inbox', this.inbox, 1200);
    for (const [kind, pair] of this.deliveries) {
      alarms.queue(camel(kind), kind, pair, OLDEST_SECS[kind] ?? OLDEST_SECS_DEFAULT);
    }
    for (const [name, own] of Object.entries(this.functions)) alarms.function(camel(name), name, own);
    alarms.unavailable('Receive', 'receive', this.functions.receive);
    alarms.stopped('Pull', 'pull', this.functions.pull);
    alarms.stopped('Sweep', 'sweep', this.functions.sweep);
    return alarms;
  }
}

/** `deliver-slack` as `DeliverSlack`. */
export function camel(name: string): string {
  return name
    .split(/[-_]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
