import { isJsonObject } from '../../../kube/objects/index.ts';

type Labels = Readonly<Record<string, string>>;

/** How an expression's operator compares the label (absent: undefined) with the values. */
const OPERATORS: Readonly<Record<string, (label: string | undefined, values: readonly unknown[]) => boolean>> = {
  In: (label, values) => label !== undefined && values.includes(label),
  NotIn: (label, values) => label === undefined || !values.includes(label),
  Exists: (label) => label !== undefined,
  DoesNotExist: (label) => label === undefined,
};

const labelOf = (labels: Labels, key: unknown): string | undefined =>
  typeof key === 'string' && Object.hasOwn(labels, key) ? labels[key] : undefined;

/** Whether labels fit a LabelSelector as objects hold it. An empty one fits everything, one that is no object nothing. */
export function matchesLabelSelector(selector: unknown, labels: Labels): boolean {
  if (!isJsonObject(selector)) return false;
  const exact = isJsonObject(selector['matchLabels']) ? Object.entries(selector['matchLabels']) : [];
  const expressions = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'].filter(isJsonObject) : [];
  return (
    exact.every(([key, value]) => labelOf(labels, key) === value) &&
    expressions.every(({ key, operator, values }) => {
      const compare = typeof operator === 'string' && Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
      return compare?.(labelOf(labels, key), Array.isArray(values) ? values : []) ?? false;
    })
  );
}
