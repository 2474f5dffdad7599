// What the deployment must know of the config: which secrets it names, and which function uses each.
//
// Invariant: a secret that no section of this file accounts for is an error, so that no function runs without it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const SCHEMA = join(__dirname, '..', '..', 'config', 'tocsin.schema.json');

/** The receiver kinds, as the config's schema has a form of each. Each has a queue and a function of its own. */
export const RECEIVER_KINDS: readonly string[] = kindsOf(JSON.parse(readFileSync(SCHEMA, 'utf8')));

/** The functions, by the name that follows the stack's. */
export type FunctionName = 'receive' | 'triage' | 'pull' | 'sweep' | `deliver-${string}`;

/** Stands for a secret in a function that does not use it: 24 bytes of Base64, so that it passes for a key or a token. */
export const NOT_FOR_THIS_FUNCTION = 'bm90IGZvciB0aGlzIGZ1bmN0aW9uIC4u';

/** The same for a secret that is an address, as its name says. */
export const NOT_AN_ADDRESS = 'https://not-for-this-function.invalid/';

/** What a function is given in the place of a secret that it does not use. */
export function standIn(secret: string): string {
  return secret.endsWith('_URL') ? NOT_AN_ADDRESS : NOT_FOR_THIS_FUNCTION;
}

/** Who uses the secrets of a top-level section; `sources` and `receivers` are read one by one. */
const READERS: Record<string, FunctionName[]> = {
  prometheus: ['triage', 'pull'],
  datadog: ['triage', 'pull'],
  arize_api: ['triage', 'pull'],
  github: ['triage'],
};

/** What a config asks of its deployment. */
export interface Requirements {
  /** The names of `sources:`, which are reached at `/alerts/<name>`. */
  readonly sources: string[];
  /** Whether `cloudwatch:` is there. */
  readonly readsCloudWatch: boolean;
  /** Every variable that the file names as `${NAME}`. */
  readonly secrets: string[];
  /** Those that one function uses. */
  secretsOf(name: FunctionName): string[];
}

/** Reads a config file. Its form is checked by `tocsin check`, not here. */
export function readRequirements(path: string): Requirements {
  return requirements(parse(readFileSync(path, 'utf8')), path);
}

/** The same from a parsed file; `path` is for messages. */
export function requirements(config: Record<string, unknown>, path: string): Requirements {
  const users = new Map<string, Set<FunctionName>>();
  for (const [section, value] of Object.entries(config)) {
    for (const [readers, part] of readersOf(section, value)) {
      for (const secret of secretsIn(part)) {
        if (readers.length === 0) {
          throw new Error(
            `${path}: ${section} names the secret ${secret}, and lib/config.ts does not say who reads it`,
          );
        }
        const known = users.get(secret) ?? new Set();
        readers.forEach((reader) => known.add(reader));
        users.set(secret, known);
      }
    }
  }
  return {
    sources: Object.keys((config['sources'] as object | undefined) ?? {}),
    readsCloudWatch: 'cloudwatch' in config,
    secrets: [...users.keys()],
    secretsOf: (name) => [...users.entries()].filter(([, readers]) => readers.has(name)).map(([secret]) => secret),
  };
}

function readersOf(section: string, value: unknown): [FunctionName[], unknown][] {
  if (section === 'sources') return [[['receive'], value]];
  if (section !== 'receivers') return [[READERS[section] ?? [], value]];
  return Object.values(value as Record<string, { kind?: unknown }>).map((receiver) => {
    const kind = RECEIVER_KINDS.find((known) => known === receiver.kind);
    return [kind ? [`deliver-${kind}`] : [], receiver];
  });
}

function kindsOf(schema: {
  properties: { receivers: { additionalProperties: { anyOf: { properties: { kind: { const: string } } }[] } } };
}): string[] {
  const forms = schema.properties.receivers.additionalProperties.anyOf;
  return [...new Set(forms.map((form) => form.properties.kind.const))];
}

function secretsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^\$\{([A-Z_][A-Z0-9_]*)\}$/.exec(value)?.slice(1) ?? [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}
