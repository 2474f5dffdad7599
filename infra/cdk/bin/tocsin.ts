// The app: one stack, described by context (`cdk deploy -c alarmEmail=on-call@example.com`).

import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

import { TocsinStack } from '../lib/stack';

const app = new App();
const text = (name: string): string | undefined => app.node.tryGetContext(name);
const given = <T>(name: string, as: (value: string) => T) => {
  const value = text(name);
  return value === undefined ? {} : { [name]: as(value) };
};

const alarmEmail = text('alarmEmail');
if (!alarmEmail)
  throw new Error('say who is mailed when Tocsin itself is in trouble: -c alarmEmail=on-call@example.com');

const top = join(__dirname, '..', '..', '..');
new TocsinStack(app, text('stackName') ?? 'tocsin', {
  description: 'Tocsin: an anomaly webhook in, exactly one incident out.',
  alarmEmail,
  binaries: text('binaries') ?? join(top, 'target', 'lambda'),
  layer: text('layer') ?? join(top, 'infra', 'layer'),
  ...given('secretName', String),
  ...given('secretVersion', String),
  ...given('logLevel', (value) => value as 'info'),
  ...given('logRetention', Number),
  ...given('receiveConcurrency', Number),
  ...given('keyArn', String),
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
