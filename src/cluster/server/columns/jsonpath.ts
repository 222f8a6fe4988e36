import { isJsonObject } from '../../../kube/objects/index.ts';

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly Step[]; readonly operator: string; readonly value: string | undefined };

const FIELD = /^\.((?:\\.|[^.[\]\\])+)/;
const QUOTED = /^\[(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\]/;
const INDEX = /^\[(-?\d+)\]/;
const ALL = /^(?:\[\*\]|\.\*)/;
const FILTER = /^\[\?\(\s*@((?:\.[\w-]+|\['[^']*'\])+)\s*(?:(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([^)\s]+)))?\s*\)\]/;

/**
 * The simple JSONPath of printer columns: fields, indexes, `[*]` and `[?(@.type=="Ready")]`. A path that can't be
 * read gives no values.
 */
export function jsonPath(path: string): (value: unknown) => readonly unknown[] {
  const steps = parse(path);
  return steps === undefined ? () => [] : (value) => follow([value], steps);
}

function parse(path: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  for (let rest = path.trim(); rest !== '';) {
    const found = nextStep(rest);
    if (found === undefined) return undefined;
    steps.push(found.step);
    rest = rest.slice(found.length);
  }
  return steps;
}

function nextStep(rest: string): { step: Step; length: number } | undefined {
  const all = ALL.exec(rest);
  if (all !== null) return { step: { kind: 'all' }, length: all[0].length };
  const field = FIELD.exec(rest) ?? QUOTED.exec(rest);
  if (field !== null)
    return { step: { kind: 'field', name: (field[1] ?? field[2] ?? '').replaceAll(/\\(.)/g, '$1') }, length: field[0].length };
  const index = INDEX.exec(rest);
  if (index !== null) return { step: { kind: 'index', index: Number(index[1]) }, length: index[0].length };
  const filter = FILTER.exec(rest);
  if (filter === null) return undefined;
  const inner = parse(filter[1] ?? '');
  if (inner === undefined) return undefined;
  return {
    step: { kind: 'filter', path: inner, operator: filter[2] ?? '', value: filter[3] ?? filter[4] ?? filter[5] },
    length: filter[0].length,
  };
}

function follow(values: readonly unknown[], steps: readonly Step[]): readonly unknown[] {
  return steps.reduce<readonly unknown[]>((current, step) => current.flatMap((value) => take(value, step)), values);
}

function take(value: unknown, step: Step): readonly unknown[] {
  if (step.kind === 'field') return isJsonObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
  if (step.kind === 'all' && isJsonObject(value)) return Object.values(value);
  if (!Array.isArray(value)) return [];
  if (step.kind === 'filter') return value.filter((item) => passes(item, step));
  return step.kind === 'index' ? value.slice(step.index).slice(0, 1) : value;
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function passes(item: unknown, { path, operator, value }: Extract<Step, { kind: 'filter' }>): boolean {
  const found = follow([item], path);
  if (operator === '') return found.length > 0;
  const isEqual = found.some((each) => scalarText(each) === value);
  return (operator === '==') === isEqual;
}
