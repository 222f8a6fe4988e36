import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { ApiError, isJsonObject, type Json, type JsonObject } from '../objects/index.ts';
import { textOf } from './access.ts';
import { decodeProtobuf } from './index.ts';
import { protoFacts } from './table.ts';

interface Case {
  readonly command: string;
  readonly protobuf: string;
  readonly expected: Json;
}

const cases = JSON.parse(readFileSync(new URL('fixtures/protobuf.json', import.meta.url), 'utf8')) as Case[];

/** kubectl's JSON and protobuf differ in which empty structs they write. */
function withoutEmpty(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).map(([key, item]) => [key, withoutEmpty(item)] as const);
  return Object.fromEntries(kept.filter(([, item]) => !isJsonObject(item) || Object.keys(item).length > 0));
}

/** A message field by field: `[number, bytes | text | number]`. */
type Field = readonly [number, Uint8Array | string | number | bigint];

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

function message(...fields: Field[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number' || typeof value === 'bigint') return [...varint(BigInt(number) << 3n), ...varint(BigInt(value))];
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      return [...varint((BigInt(number) << 3n) | 2n), ...varint(BigInt(bytes.length)), ...bytes];
    }),
  );
}

function envelope(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  return Uint8Array.from([0x6b, 0x38, 0x73, 0, ...message([1, message([1, apiVersion], [2, kind])], [2, raw], [3, ''], [4, ''])]);
}

function thrown(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The inverse of the decoder, by the same table: what a Go client would send for this JSON. */
function encode(name: string, json: JsonObject): Uint8Array {
  const fields = (protoFacts(name) ?? []).flatMap(([number, key, type, inline]): Field[] => {
    if (inline === 1) return [[number, encode(type, json)]];
    const value = json[key];
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((item) => [number, encodeValue(type.slice(2), item)]);
    if (type.startsWith('{}')) {
      return Object.entries(value as JsonObject).map(([entry, item]) => [
        number,
        message([1, entry], [2, encodeValue(type.slice(2), item)]),
      ]);
    }
    return [[number, encodeValue(type, value)]];
  });
  return message(...fields);
}

function encodeValue(type: string, value: Json): Uint8Array | string | bigint {
  if (type === 'bytes') return Buffer.from(textOf(value), 'base64');
  if (type === '~api.resource.Quantity') return message([1, textOf(value)]);
  if (type === '~util.intstr.IntOrString')
    return typeof value === 'string' ? message([1, 1], [3, value]) : message([1, 0], [2, value as number]);
  if (type === '~apis.meta.v1.Time') return message([1, Date.parse(textOf(value)) / 1000]);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return BigInt(value);
  return encode(type, value as JsonObject);
}

describe('decodeProtobuf', () => {
  it('apiserver/ENC-02: reads inline messages, maps, quantities, ports by number and name, times', () => {
    const pod: JsonObject = {
      metadata: {
        name: 'p',
        labels: { a: 'b', c: '' },
        creationTimestamp: '2026-01-02T03:04:05Z',
        ownerReferences: [{ apiVersion: 'v1', kind: 'K', name: 'n', uid: 'u', controller: true }],
        finalizers: ['f'],
      },
      spec: {
        volumes: [
          { name: 's', secret: { secretName: 'x', items: [{ key: 'k', path: 'p', mode: 420 }], optional: false } },
          { name: 'e', emptyDir: { sizeLimit: '1Gi' } },
          { name: 'p', projected: { sources: [{ configMap: { name: 'c' } }, { secret: { name: 's' } }] } },
        ],
        containers: [
          {
            name: 'c',
            image: 'i',
            env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
            envFrom: [{ secretRef: { name: 's' } }],
            resources: { limits: { cpu: '500m', memory: '1Gi' } },
            livenessProbe: { httpGet: { path: '/x', port: 'http' }, periodSeconds: 5 },
            readinessProbe: { tcpSocket: { port: 8080 } },
          },
        ],
        terminationGracePeriodSeconds: 0,
        nodeSelector: { x: 'y' },
        hostNetwork: true,
      },
    };
    expect(decodeProtobuf(envelope('v1', 'Pod', encode('core.v1.Pod', pod)))).toEqual({ apiVersion: 'v1', kind: 'Pod', ...pod });
  });

  it('apiserver/ENC-02: reads extra values and rules of reviews', () => {
    const review: JsonObject = {
      metadata: {},
      spec: { user: 'u', groups: ['g'], extra: { scopes: ['a', 'b'] }, resourceAttributes: { verb: 'get', resource: 'pods' } },
    };
    const number = (protoFacts('authorization.v1.SubjectAccessReviewSpec') ?? []).find(([, key]) => key === 'extra')?.[0] ?? 0;
    const extra = message([number, message([1, 'scopes'], [2, message([1, 'a'], [1, 'b'])])]);
    const spec = Uint8Array.from([
      ...encode('authorization.v1.SubjectAccessReviewSpec', {
        user: 'u',
        groups: ['g'],
        resourceAttributes: { verb: 'get', resource: 'pods' },
      }),
      ...extra,
    ]);
    expect(decodeProtobuf(envelope('authorization.k8s.io/v1', 'SubjectAccessReview', message([1, message()], [2, spec])))).toEqual({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      ...review,
    });
  });

  it('apiserver/ENC-02: nesting without end is a 400', () => {
    const number = (protoFacts('^apiextensions.v1.JSONSchemaProps') ?? []).find(([, key]) => key === 'not')?.[0] ?? 0;
    let schema = message();
    for (let i = 0; i < 2000; i++) schema = message([number, schema]);
    const find = (name: string, key: string): number => (protoFacts(name) ?? []).find(([, field]) => field === key)?.[0] ?? 0;
    const version = message([find('^apiextensions.v1.CustomResourceDefinitionVersion', 'schema'), message([1, schema])]);
    const spec = message([find('^apiextensions.v1.CustomResourceDefinitionSpec', 'versions'), version]);
    const crd = envelope('apiextensions.k8s.io/v1', 'CustomResourceDefinition', message([2, spec]));
    expect(thrown(() => decodeProtobuf(crd)).status.code).toBe(400);
  });

  it.each(cases.filter((each) => each.expected !== null))('apiserver/ENC-02: $command', ({ protobuf, expected }) => {
    const decoded = decodeProtobuf(Buffer.from(protobuf, 'base64')) as unknown as Json;
    expect(withoutEmpty(decoded)).toEqual(withoutEmpty(expected));
  });

  const reviews: [command: string, spec: Json][] = [
    ['create token', { audiences: ['a'], boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'u' }, expirationSeconds: 600 }],
    ['auth can-i get', { nonResourceAttributes: { path: '/healthz', verb: 'get' } }],
    ['auth can-i --list', { namespace: 'n' }],
  ];
  it.each(reviews)('apiserver/ENC-02: reads the review that kubectl %s sends', (command, spec) => {
    const found = cases.find((each) => each.command.includes(command));
    expect(decodeProtobuf(Buffer.from(found?.protobuf ?? '', 'base64'))['spec']).toEqual(spec);
  });

  it('apiserver/ENC-02: an empty time is absent, times have seconds and micro times six decimals', () => {
    const metadata = message([1, 'x'], [8, message()], [9, message([1, 1_700_000_000])]);
    const spec = message([1, 'holder'], [2, 15], [4, message([1, 1_700_000_000], [2, 123_456_789])]);
    const lease = decodeProtobuf(envelope('coordination.k8s.io/v1', 'Lease', message([1, metadata], [2, spec])));
    expect(lease).toEqual({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'x', deletionTimestamp: '2023-11-14T22:13:20Z' },
      spec: { holderIdentity: 'holder', leaseDurationSeconds: 15, renewTime: '2023-11-14T22:13:20.123456Z' },
    });
  });

  it('apiserver/ENC-02: map entries may lack key or value, negative and large integers survive, unknown fields are skipped', () => {
    const data = message([1, 'only-key']);
    const secret = decodeProtobuf(
      envelope('v1', 'Secret', message([1, message([1, 's'], [99, 'later'], [7, 2n ** 60n])], [2, data], [77, 5])),
    );
    expect(secret).toEqual({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', generation: 2n ** 60n }, data: { 'only-key': '' } });
    const priority = decodeProtobuf(envelope('scheduling.k8s.io/v1', 'PriorityClass', message([2, -10n])));
    expect(priority['value']).toBe(-10);
  });

  it('apiserver/ENC-02: a pointer to zero stays, a plain zero is absent', () => {
    const spec = message([1, 0], [5, 0]);
    expect(decodeProtobuf(envelope('apps/v1', 'Deployment', message([2, spec])))['spec']).toEqual({ replicas: 0 });
  });

  it('apiserver/ENC-02: keys of maps never reach a prototype', () => {
    const labels = message([1, '__proto__'], [2, 'p']);
    const { metadata } = decodeProtobuf(envelope('v1', 'ConfigMap', message([1, message([11, labels])])));
    expect(Object.entries(metadata.labels ?? {})).toEqual([['__proto__', 'p']]);
  });

  it('apiserver/ENC-02: reads DeleteOptions of any version', () => {
    expect(decodeProtobuf(envelope('apps/v1', 'DeleteOptions', message([4, 'Background'])))['propagationPolicy']).toBe('Background');
  });

  it('apiserver/ENC-02: a kind that is not known is a 415 that says what to do', () => {
    const error = thrown(() => decodeProtobuf(envelope('example.org/v1', 'Thing', message())));
    expect(error.status.code).toBe(415);
    expect(error.message).toContain('--dry-run=client -o yaml | kubectl apply -f -');
  });

  const broken: [string, Uint8Array][] = [
    ['nothing', new Uint8Array()],
    ['another magic', Uint8Array.from([1, 2, 3, 4])],
    ['a length beyond the end', Uint8Array.from([0x6b, 0x38, 0x73, 0, 0x0a, 0x7f])],
    ['an endless varint', Uint8Array.from([0x6b, 0x38, 0x73, 0, ...Array.from({ length: 12 }, () => 0xff)])],
    ['a text that is no UTF-8', envelope('v1', 'ConfigMap', message([1, message([1, Uint8Array.from([0xff])])]))],
    ['a number where a message belongs', envelope('v1', 'ConfigMap', message([1, 5]))],
  ];
  it.each(broken)('apiserver/ENC-02: %s is a 400', (_name, bytes) => {
    expect(thrown(() => decodeProtobuf(bytes)).status.code).toBe(400);
  });

  it('apiserver/ENC-02: bytes of any kind give an object or an ApiError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeProtobuf(envelope('apps/v1', 'Deployment', bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });
});
