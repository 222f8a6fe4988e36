import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { CONFIG_SCHEMA, parseConfig } from './index.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A value that has every field of a schema. */
function sample(schema: Schema, depth = 0): unknown {
  const reference = typeof schema['$ref'] === 'string' ? schema['$ref'].replace('#/$defs/', '') : undefined;
  if (reference !== undefined) return sample((CONFIG_SCHEMA['$defs'] as Record<string, Schema>)[reference] ?? {}, depth + 1);
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if (schema['type'] === 'boolean') return false;
  if (schema['type'] === 'integer') return 1;
  if (schema['type'] === 'array') return depth > 4 ? [] : [sample(schema['items'] as Schema, depth)];
  if (schema['type'] !== 'object') return '';
  const fields = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  return Object.fromEntries(fields.map(([name, field]) => [name, sample(field, depth)]));
}

describe('the schema of .sops.yaml', () => {
  it('SOPS-41, SOPS-42, SOPS-43, SOPS-44: has no field that the parser does not know', () => {
    const config = sample(CONFIG_SCHEMA) as { destination_rules: Record<string, unknown>[] };
    for (const rule of config.destination_rules) Object.assign(rule, { s3_bucket: 'b' });
    const { warnings } = parseConfig(JSON.stringify(config), '.sops.yaml');
    expect(warnings.filter((warning) => warning.includes('unknown field'))).toEqual([]);
  });

  it('is the one in docs', () => {
    const file = new URL('../../../../docs/sops.schema.json', import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(CONFIG_SCHEMA);
  });

  it.each(['path_regex', 'age', 'hc_vault_transit_uri', 'key_groups', 'encrypted_comment_regex', 'mac_only_encrypted'])(
    'knows %s',
    (field) => {
      const { properties } = (CONFIG_SCHEMA['$defs'] as Record<string, { properties: Schema }>)['creationRule'] ?? { properties: {} };
      expect(Object.keys(properties)).toContain(field);
    },
  );
});
