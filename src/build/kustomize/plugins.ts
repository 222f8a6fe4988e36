/**
 * Builtin transformers and generators that are configured by files of their own: `generators`, `transformers`,
 * `validators` (k:api/internal/plugins). Everything else that could stand there is refused by name.
 */
import { SottoError } from '../../base/errors/index.ts';
import { newAccumulator, type Accumulator, type Target } from './accumulator.ts';
import { decode, type Fields, type Shape } from './decode.ts';
import { addHashes, generate, type GeneratorKind } from './generators.ts';
import { contentHash } from './hash.ts';
import {
  FIELD_SPEC,
  GENERATOR_FIELDS,
  IMAGE,
  OBJECT_META,
  PATCH_FIELDS,
  REPLACEMENT_FIELD,
  REPLICA,
  SELECTOR,
  type FieldSpec,
  type GeneratorArguments,
  type ImageEntry,
  type Patch,
  type Replacement,
  type Selector,
} from './kustomization.ts';
import { parseManifests } from './manifests.ts';
import type { Origin } from './origin.ts';
import type { Resource } from './resource.ts';
import { formatId } from './resourceid.ts';
import { addAffix } from './transform/affix.ts';
import { setImage } from './transform/images.ts';
import { addEntries } from './transform/metadata.ts';
import { setNamespace, SUBJECT_MODES, type SubjectMode } from './transform/namespace.ts';
import { applyOldJsonPatch, applyOldMergePatches, applyPatch } from './transform/patches.ts';
import { applyReplacements, loadReplacements } from './transform/replacements.ts';
import { setReplicas } from './transform/replicas.ts';
import type { Transformer } from './transformers.ts';

type Entries = Readonly<Record<string, string>>;

/** A decoded configuration: the fields of all kinds, each optional. */
interface PluginFields {
  readonly annotations?: Entries;
  readonly labels?: Entries;
  readonly fieldSpecs?: readonly FieldSpec[];
  readonly imageTag?: ImageEntry;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly unsetOnly?: boolean;
  readonly setRoleBindingSubjects?: string;
  readonly target?: Selector;
  readonly path?: string;
  readonly jsonOp?: string;
  readonly patch?: string;
  readonly options?: NonNullable<Patch['options']>;
  readonly paths?: readonly string[];
  readonly patches?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly replacements?: readonly Replacement[];
  readonly replica?: { readonly name?: string; readonly count?: number };
}

interface Run {
  readonly fields: PluginFields;
  readonly target: Target;
  readonly accumulator: Accumulator;
  readonly file: string;
}

interface Kind {
  readonly shape: Readonly<Record<string, Shape>>;
  run(this: void, run: Run): void;
}

const TEXTS: Shape = { map: 'string' };
const SPECS: Shape = { list: FIELD_SPEC };

const AFFIX_SHAPE = { prefix: 'string', suffix: 'string', fieldSpecs: SPECS } as const;

/** One line per builtin transformer. Those without fieldSpecs use none: there are no defaults here. */
const TRANSFORMERS: Readonly<Record<string, Kind>> = {
  AnnotationsTransformer: {
    shape: { annotations: TEXTS, fieldSpecs: SPECS },
    run: ({ fields, accumulator }) => addEntries(accumulator.collection, fields.annotations ?? {}, fields.fieldSpecs ?? []),
  },
  HashTransformer: { shape: {}, run: ({ accumulator }) => addHashes(accumulator.collection, contentHash) },
  ImageTagTransformer: {
    shape: { imageTag: IMAGE, fieldSpecs: SPECS },
    run: ({ fields, accumulator, target }) =>
      setImage(accumulator.collection, fields.imageTag ?? {}, fields.fieldSpecs ?? [], target.session.warn),
  },
  LabelTransformer: {
    shape: { labels: TEXTS, fieldSpecs: SPECS },
    run: ({ fields, accumulator }) => addEntries(accumulator.collection, fields.labels ?? {}, fields.fieldSpecs ?? []),
  },
  NamespaceTransformer: {
    shape: { metadata: OBJECT_META, fieldSpecs: SPECS, unsetOnly: 'bool', setRoleBindingSubjects: 'string' },
    run: ({ fields, accumulator, target, file }) => {
      const options = {
        namespace: fields.metadata?.namespace ?? '',
        specs: fields.fieldSpecs ?? [],
        subjects: subjectMode(fields.setRoleBindingSubjects ?? '', file),
        unsetOnly: fields.unsetOnly === true,
      };
      setNamespace(accumulator.collection, options, target.session);
    },
  },
  PatchJson6902Transformer: {
    shape: { target: SELECTOR, path: 'string', jsonOp: 'string' },
    run: ({ fields, accumulator, target, file }) =>
      applyOldJsonPatch(
        accumulator.collection,
        { ...optional('target', fields.target), ...optional('path', fields.path), ...optional('patch', fields.jsonOp) },
        target.loader,
        file,
        target.session,
      ),
  },
  PatchStrategicMergeTransformer: {
    shape: { paths: { list: 'string' }, patches: 'string' },
    run: ({ fields, accumulator, target, file }) => {
      const entries = [...(fields.paths ?? []), ...((fields.patches ?? '') === '' ? [] : [fields.patches ?? ''])];
      if (entries.length === 0) throw failure('empty file path and empty patch content', file);
      applyOldMergePatches(accumulator.collection, entries, target.loader, file, target.session);
    },
  },
  PatchTransformer: {
    shape: PATCH_FIELDS,
    run: ({ fields, accumulator, target, file }) => applyPatch(accumulator.collection, fields, target.loader, file, target.session),
  },
  PrefixTransformer: { shape: AFFIX_SHAPE, run: (run) => affix(run, 'prefix') },
  SuffixTransformer: { shape: AFFIX_SHAPE, run: (run) => affix(run, 'suffix') },
  PrefixSuffixTransformer: {
    shape: AFFIX_SHAPE,
    run: (run) => {
      affix(run, 'prefix');
      affix(run, 'suffix');
    },
  },
  ReplacementTransformer: {
    shape: { replacements: { list: REPLACEMENT_FIELD } },
    run: ({ fields, accumulator, target, file }) =>
      applyReplacements(accumulator.collection, loadReplacements(fields.replacements ?? [], target.loader, file), file, target.session),
  },
  ReplicaCountTransformer: {
    shape: { replica: REPLICA, fieldSpecs: SPECS },
    run: ({ fields, accumulator }) =>
      setReplicas(accumulator.collection, fields.replica?.name ?? '', fields.replica?.count ?? 0, fields.fieldSpecs ?? []),
  },
};

const GENERATORS: Readonly<Record<string, GeneratorKind>> = { ConfigMapGenerator: 'ConfigMap', SecretGenerator: 'Secret' };

/** Builtin kinds that are known but not carried out. */
const REFUSED = new Set(['ValueAddTransformer', 'IAMPolicyGenerator', 'HelmChartInflationGenerator']);

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: V });
}

function affix({ fields, accumulator, file }: Run, where: 'prefix' | 'suffix'): void {
  if (fields.fieldSpecs === undefined) throw failure('fieldSpecs is not expected to be nil', file);
  addAffix(accumulator.collection, where, fields[where] ?? '', fields.fieldSpecs);
}

function subjectMode(text: string, file: string): SubjectMode {
  const mode = SUBJECT_MODES.find((known) => known === text);
  if (mode !== undefined) return mode;
  if (text === '') return 'defaultOnly';
  throw failure(`invalid value "${text}" for setRoleBindingSubjects: must be one of ${SUBJECT_MODES.join(', ')}`, file);
}

/** Reads the objects that configure plugins: inline text, or resource entries. */
export function loadPlugins(
  target: Target,
  entries: readonly string[],
  addResources: (accumulator: Accumulator, entries: readonly string[]) => void,
): Resource[] {
  const accumulator = newAccumulator();
  const paths: string[] = [];
  for (const entry of entries) {
    const inline = inlineObjects(target, entry);
    if (inline === undefined) paths.push(entry);
    else accumulator.collection.appendAll(inline);
  }
  addResources(accumulator, paths);
  return [...accumulator.collection.resources];
}

function inlineObjects(target: Target, entry: string): Resource[] | undefined {
  try {
    const objects = parseManifests(entry, target.file);
    if (target.originPath !== undefined) for (const object of objects) object.origin = { path: originFileOf(target) };
    return objects;
  } catch (error) {
    if (error instanceof SottoError) return undefined; // no objects, so it is a path
    throw error;
  }
}

function originFileOf({ originPath = '', file }: Target): string {
  const name = file.slice(file.lastIndexOf('/') + 1);
  return originPath === '' ? name : `${originPath}/${name}`;
}

/** A plugin's run as a transformer. Throws SottoError KUSTOMIZE_PLUGIN for what is none. */
export function pluginTransformer(plugin: Resource, target: Target, accumulator: Accumulator): Transformer {
  const { kind } = plugin;
  refuseOthers(plugin);
  const known = Object.hasOwn(TRANSFORMERS, kind) ? TRANSFORMERS[kind] : undefined;
  if (known === undefined) throw failure(`plugin ${formatId(plugin.originalId)} not a transformer`, plugin.source.file);
  const fields = decodePlugin(plugin, known.shape) as PluginFields;
  return {
    kind,
    ...optional('origin', pluginOrigin(plugin)),
    file: plugin.source.file,
    run: () => known.run({ fields, target, accumulator, file: plugin.source.file }),
  };
}

/** The object that a generator plugin makes. */
export function pluginGenerated(plugin: Resource, target: Target): Resource {
  const { kind } = plugin;
  refuseOthers(plugin);
  const generated = Object.hasOwn(GENERATORS, kind) ? GENERATORS[kind] : undefined;
  if (generated === undefined) throw failure(`plugin ${formatId(plugin.originalId)} not a generator`, plugin.source.file);
  const { metadata, ...entry } = decodePlugin(plugin, {
    ...GENERATOR_FIELDS,
    type: 'string',
    metadata: OBJECT_META,
  }) as GeneratorArguments & PluginFields;
  const name = entry.name || (metadata?.name ?? '');
  const namespace = entry.namespace || (metadata?.namespace ?? '');
  const resource = generate(generated, { ...entry, name, namespace }, target.loader, plugin.source.file);
  resource.origin = pluginOrigin(plugin);
  return resource;
}

function refuseOthers(plugin: Resource): void {
  const { kind, gvk, source } = plugin;
  if (gvk.group !== '' || gvk.version !== 'builtin') {
    throw failure(
      `external plugins disabled; unable to load external plugin '${kind}'`,
      source.file,
      'run the plugin beforehand and list its output under resources',
    );
  }
  if (REFUSED.has(kind)) throw failure(`unable to load builtin ${kind}: this plugin is not supported`, source.file);
  if (!Object.hasOwn(TRANSFORMERS, kind) && !Object.hasOwn(GENERATORS, kind)) throw failure(`unable to load builtin ${kind}`, source.file);
}

function decodePlugin(plugin: Resource, fields: Readonly<Record<string, Shape>>): unknown {
  const shape: Fields = { name: plugin.kind, fields };
  return decode(plugin.root, shape, {
    file: plugin.source.file,
    prefix: `plugin ${formatId(plugin.originalId)} fails configuration`,
    struct: plugin.kind,
    path: '',
    lenient: true,
  });
}

function pluginOrigin({ origin, apiVersion, kind, name, namespace }: Resource): Origin | undefined {
  if (origin === undefined) return undefined;
  return {
    ...optional('configuredIn', origin.path),
    configuredBy: { apiVersion, kind, name, namespace },
  };
}

function failure(message: string, file: string, hint?: string): SottoError {
  return new SottoError('KUSTOMIZE_PLUGIN', message, { at: { file }, ...optional('hint', hint) });
}
