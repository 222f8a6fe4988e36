import { entry, map, str, type SopsMap, type SopsTree, type SopsValue } from './tree.ts';
import type { SopsFormat } from './types.ts';

const GREETING = 'This file will be encrypted. Replace these examples with your own values.';
const FLAT = [entry('hello', str(GREETING)), entry('example_key', str('example_value'))];

const list = (...items: readonly SopsValue[]): SopsValue => ({ kind: 'list', items });

const NESTED: SopsMap = map([
  ...FLAT,
  { kind: 'comment', text: ' Example comment' },
  entry('example_array', list(str('example_value1'), str('example_value2'))),
  entry('example_number', { kind: 'float', value: 1234.56789 }),
  entry('example_booleans', list({ kind: 'bool', value: true }, { kind: 'bool', value: false })),
]);

/** What an editor shows for a file that does not exist yet; keys as upstream's. */
const EXAMPLES: Readonly<Record<SopsFormat, SopsMap>> = {
  yaml: NESTED,
  json: NESTED,
  dotenv: map([{ kind: 'comment', text: ' Example comment' }, ...FLAT, entry('example_multiline', str('foo\nbar\nbaz'))]),
  ini: map([entry('Welcome!', map([{ kind: 'comment', text: 'Example comment' }, ...FLAT]))]),
  binary: map([entry('data', str(GREETING))]),
};

/** Content for a new file. */
export function exampleTree(format: SopsFormat): SopsTree {
  return { branches: [EXAMPLES[format]] };
}
