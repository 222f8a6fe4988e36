import { formatPosition, SottoError } from '../../base/errors/index.ts';
import type { BuildResult, BuiltObject } from '../../build/kustomize/index.ts';

/**
 * What set the fields of the objects that `wanted` names: `KIND/NAME`, `KIND/NAME:FIELD` (with all below it) or `*`. A
 * line per field: the field, the file, and the transformer. Values are not shown.
 *
 * @throws SottoError KUSTOMIZE_EXPLAIN when nothing has that name
 */
export function explanation(result: BuildResult, wanted: string): string {
  const [object = '', ...rest] = wanted.split(':');
  const field = rest.join(':');
  const lines = result.objects
    .filter((built) => object === '*' || nameOf(built) === object)
    .flatMap((built) =>
      [...(built.fields ?? [])]
        .filter(([path]) => isAtOrBelow(path, field))
        .map(([path, source]) => `${nameOf(built)}:${path}  ${formatPosition(source)}  ${source.by}\n`),
    );
  if (lines.length > 0) return lines.join('');
  throw new SottoError('KUSTOMIZE_EXPLAIN', `nothing in the output is '${wanted}'`, {
    hint: 'give KIND/NAME as it is in the output, or KIND/NAME:FIELD',
  });
}

function nameOf({ object }: BuiltObject): string {
  return `${object.kind}/${object.metadata.name ?? ''}`;
}

function isAtOrBelow(path: string, field: string): boolean {
  return field === '' || path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
}
