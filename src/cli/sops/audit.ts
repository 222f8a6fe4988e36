import { readFile } from 'node:fs/promises';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { parseYaml } from '../../text/yaml/index.ts';

const AUDIT_FILE = '/etc/sops/audit.yaml';

/**
 * Somebody who configured an audit log relies on it: without one to write to, nothing runs.
 *
 * @throws SottoError SOPS_AUDIT_UNSUPPORTED when the file names a backend, or cannot be read
 */
export async function refuseAudit(world: World, path = AUDIT_FILE): Promise<void> {
  const text = await world
    .outside(() => readFile(path, 'utf8'))
    .catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return '';
      throw new SottoError('SOPS_AUDIT_UNSUPPORTED', `cannot read the audit configuration ${path}: ${codeOf(error)}`);
    });
  const [document] = parseYaml(text, { profile: 'goYaml3', file: path });
  const backends = fieldOf(document?.value, 'backends');
  const names = typeof backends === 'object' && backends !== null ? Object.keys(backends) : [];
  if (names.length > 0)
    throw new SottoError('SOPS_AUDIT_UNSUPPORTED', `audit backends are not supported yet: ${names.join(', ')}`, { at: { file: path } });
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
