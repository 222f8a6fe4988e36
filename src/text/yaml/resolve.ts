import { SottoError } from '../../base/errors/index.ts';
import { formatTimestamp, isTimestamp } from './timestamps.ts';
import { parseGoFloat, parseGoInteger, toInteger } from './numbers.ts';
import type { ScalarStyle, YamlProfile } from './types.ts';

/** What a scalar is: its tag and its JavaScript value. A timestamp's value is its text. */
export interface ResolvedScalar {
  readonly tag: string;
  readonly value: null | boolean | number | bigint | string;
}

const spellings = (...words: readonly string[]): readonly string[] =>
  words.flatMap((word) => [word, word.charAt(0).toUpperCase() + word.slice(1), word.toUpperCase()]);

type Row = readonly [texts: readonly string[], resolved: ResolvedScalar];

function table(...rows: readonly Row[]): ReadonlyMap<string, ResolvedScalar> {
  return new Map(rows.flatMap(([texts, resolved]) => texts.map((text) => [text, resolved] as const)));
}

const bool = (value: boolean): ResolvedScalar => ({ tag: '!!bool', value });
const float = (value: number): ResolvedScalar => ({ tag: '!!float', value });
const NULL: ResolvedScalar = { tag: '!!null', value: null };
const MERGE: ResolvedScalar = { tag: '!!merge', value: '<<' };

const COMMON: readonly Row[] = [
  [['', '~', ...spellings('null')], NULL],
  [spellings('true'), bool(true)],
  [spellings('false'), bool(false)],
  [['.nan', '.NaN', '.NAN'], float(Number.NaN)],
  [['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'], float(Number.POSITIVE_INFINITY)],
  [['-.inf', '-.Inf', '-.INF'], float(Number.NEGATIVE_INFINITY)],
  [['<<'], MERGE],
];

const WORDS_V3 = table(...COMMON);
const WORDS_V2 = table(
  ...COMMON,
  [['y', 'Y', ...spellings('yes', 'on')], bool(true)],
  [['n', 'N', ...spellings('no', 'off')], bool(false)],
);

/** Words of YAML 1.1 that were booleans; go-yaml v3 reads them as strings but quotes them for others' sake. */
export function isOldBoolean(text: string): boolean {
  return WORDS_V2.get(text)?.tag === '!!bool' && !WORDS_V3.has(text);
}

/**
 * The type and value of a scalar. `tag` is an explicit core tag (`!!int`), or undefined; quoted and block scalars
 * without a tag are strings. Unknown tags give a string.
 *
 * Follows resolve.go of go.yaml.in/yaml v3 (`goYaml3`) and v2 (`goYaml2`; `yaml11` differs in that timestamps stay
 * strings, as sigs.k8s.io/yaml returns them).
 *
 * @throws SottoError YAML_TAG when the text does not fit its explicit tag
 */
export function resolveScalar(text: string, style: ScalarStyle, tag: string | undefined, profile: YamlProfile): ResolvedScalar {
  if (tag === undefined) return style === 'plain' ? resolvePlain(text, profile) : { tag: '!!str', value: text };
  const explicit = Object.hasOwn(EXPLICIT, tag) ? EXPLICIT[tag] : string;
  const resolved = explicit?.(text, profile);
  if (resolved === undefined) throw new SottoError('YAML_TAG', `the value cannot be decoded as a ${tag}`);
  return resolved;
}

function resolvePlain(text: string, profile: YamlProfile): ResolvedScalar {
  const word = (profile === 'goYaml3' ? WORDS_V3 : WORDS_V2).get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return { tag: '!!str', value: text };
  if (profile !== 'yaml11' && isTimestamp(text)) return { tag: '!!timestamp', value: text };
  return resolveNumber(text) ?? { tag: '!!str', value: text };
}

function resolveNumber(text: string): ResolvedScalar | undefined {
  const integer = text.startsWith('.') ? undefined : parseGoInteger(text);
  if (integer !== undefined) return { tag: '!!int', value: toInteger(integer) };
  const number = parseGoFloat(text);
  return number === undefined ? undefined : float(number);
}

type Explicit = (text: string, profile: YamlProfile) => ResolvedScalar | undefined;

const ofTag = (tag: string): Explicit => {
  return (text, profile) => {
    const resolved = resolvePlain(text, profile === 'yaml11' ? 'goYaml2' : profile);
    return resolved.tag === tag ? resolved : undefined;
  };
};

const string: Explicit = (text) => ({ tag: '!!str', value: text });

const EXPLICIT: Readonly<Record<string, Explicit>> = {
  '!!str': string,
  '!!null': ofTag('!!null'),
  '!!bool': ofTag('!!bool'),
  '!!int': ofTag('!!int'),
  '!!float': (text, profile) => {
    const resolved = resolvePlain(text, profile);
    return resolved.tag === '!!float' || resolved.tag === '!!int' ? float(Number(resolved.value)) : undefined;
  },
  '!!timestamp': (text) => (formatTimestamp(text) === undefined ? undefined : { tag: '!!timestamp', value: text }),
  '!!merge': (text) => (text === '<<' ? MERGE : undefined),
  '!!binary': (text) => decodeBinary(text),
};

function decodeBinary(text: string): ResolvedScalar | undefined {
  const base64 = text.replaceAll(/[\r\n]/g, '');
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined;
  return { tag: '!!binary', value: Buffer.from(base64, 'base64').toString('utf8') };
}
