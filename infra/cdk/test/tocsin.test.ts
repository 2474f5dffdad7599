// The construct against its snapshot, and what it makes of other configs. `UPDATE_SNAPSHOT=1 npm test` writes a new one.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

import { FunctionName, requirements, standIn } from '../lib/config';
import { TocsinStack, TocsinStackProps } from '../lib/stack';

const SNAPSHOT = join(__dirname, 'snapshot.json');
const LAYER = join(__dirname, '..', '..', 'layer');

const scratch = mkdtempSync(join(tmpdir(), 'tocsin-cdk-'));
after(() => rmSync(scratch, { recursive: true }));

const binaries = join(scratch, 'binaries');
for (const name of ['receive', 'triage', 'pull', 'deliver', 'sweep']) {
  mkdirSync(join(binaries, name), { recursive: true });
  writeFileSync(join(binaries, name, 'bootstrap'), '');
}

function synthesize(props: Partial<TocsinStackProps> = {}): Template {
  const given = { alarmEmail: 'on-call@example.com', binaries, layer: LAYER, ...props };
  return Template.fromStack(new TocsinStack(new App(), 'tocsin', given));
}

/** A layer whose config is this text. */
function layerWith(config: string): string {
  const folder = mkdtempSync(join(scratch, 'layer-'));
  mkdirSync(join(folder, 'tocsin'));
  writeFileSync(join(folder, 'tocsin', 'tocsin.yaml'), config);
  return folder;
}

function variables(template: Template, name: FunctionName): Record<string, unknown> {
  const found = Object.values(
    template.findResources('AWS::Lambda::Function', { Properties: { FunctionName: `tocsin-${name}` } }),
  );
  assert.equal(found.length, 1, name);
  return found[0]?.['Properties'].Environment.Variables;
}

test('the stack is as it was', () => {
  // Archives are named by their content, which an edit of a config changes.
  const text = JSON.stringify(synthesize().toJSON(), null, 1).replace(/[0-9a-f]{64}\.zip/g, '<archive>.zip');
  const stable = text.replace(/"(TocsinConfig)[0-9A-Fa-f]{8,}"/g, '"$1"');
  if (process.env['UPDATE_SNAPSHOT']) writeFileSync(SNAPSHOT, `${stable}\n`);
  assert.deepEqual(JSON.parse(stable), JSON.parse(readFileSync(SNAPSHOT, 'utf8')));
});

test('a secret goes to those who use it, and nowhere else', () => {
  const config = `
sources: { grafana: { auth: { kind: bearer, secrets: [ "\${NEW}", "\${OLD}" ] } } }
datadog: { api_key: "\${DD_API_KEY}", app_key: "\${DD_APP_KEY}" }
receivers:
  page: { kind: pagerduty, routing_key: "\${PAGE}" }
  hook: { kind: slack, webhook_url: "\${SLACK_WEBHOOK_URL}" }
`;
  const template = synthesize({ layer: layerWith(config), secretName: 'team/tocsin', secretVersion: 'v2' });
  const users: Record<string, FunctionName[]> = {
    NEW: ['receive'],
    OLD: ['receive'],
    DD_API_KEY: ['triage', 'pull'],
    DD_APP_KEY: ['triage', 'pull'],
    PAGE: ['deliver-pagerduty'],
    SLACK_WEBHOOK_URL: ['deliver-slack'],
  };
  for (const name of [
    'receive',
    'triage',
    'pull',
    'sweep',
    'deliver-pagerduty',
    'deliver-slack',
    'deliver-jira',
    'deliver-linear',
    'deliver-webhook',
  ] as const) {
    for (const [secret, readers] of Object.entries(users)) {
      const own = `{{resolve:secretsmanager:team/tocsin:SecretString:${secret}::v2}}`;
      assert.equal(
        variables(template, name)[secret],
        readers.includes(name) ? own : standIn(secret),
        `${name} ${secret}`,
      );
    }
  }
  assert.deepEqual(Object.keys(template.toJSON()['Outputs']), [
    'GrafanaWebhook',
    'Health',
    'TableName',
    'AlarmTopicArn',
  ]);
});

test('what stands for a secret is of its kind', () => {
  assert.match(standIn('SLACK_WEBHOOK_URL'), /^https:\/\/[a-z-]+\.invalid\/$/);
  assert.equal(Buffer.from(standIn('SLACK_BOT_TOKEN'), 'base64').toString(), 'not for this function ..');
});

test('a secret that nobody is known to read is an error', () => {
  const config = { pigeons: { key: '${COOP}' } };
  assert.throws(() => requirements(config, 'tocsin.yaml'), /pigeons names the secret COOP/);
  const kind = { receivers: { roof: { kind: 'pigeon', token: '${COOP}' } } };
  assert.throws(() => requirements(kind, 'tocsin.yaml'), /receivers names the secret COOP/);
});

test('metrics of CloudWatch may be read where the config has it', () => {
  const allowed = (template: Template) =>
    JSON.stringify(template.toJSON()).split('"cloudwatch:GetMetricData"').length - 1;
  assert.equal(allowed(synthesize()), 0);
  assert.equal(allowed(synthesize({ layer: layerWith('cloudwatch: { region: eu-central-1 }') })), 2);
});

test('a binary that was not built is said', () => {
  assert.throws(() => synthesize({ binaries: scratch }), /receive holds no bootstrap: run `cargo lambda build/);
});
