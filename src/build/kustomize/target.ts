/**
 * One kustomization directory and its pipeline (k:api/internal/target/kusttarget.go).
 */
import { posix } from 'node:path';

import { messageOf, SottoError } from '../../base/errors/index.ts';
import { stringifyJson } from '../../kube/objects/index.ts';
import { toJson } from '../../text/yaml/index.ts';
import { newAccumulator, type Accumulator, type Target } from './accumulator.ts';
import { loadConfigurations } from './configurations.ts';
import { loadCrds } from './crds.ts';
import { absorb, generate, withGlobalOptions, type GeneratorKind } from './generators.ts';
import type { GeneratorArguments } from './kustomization.ts';
import { parseKustomization } from './kustomizationfile.ts';
import type { Loader } from './loader.ts';
import { parseManifests } from './manifests.ts';
import { cloneNode } from './node.ts';
import { useOpenApi } from './openapi.ts';
import { builtinOrigin, type Origin } from './origin.ts';
import { loadPlugins, pluginGenerated, pluginTransformer } from './plugins.ts';
import { Resource } from './resource.ts';
import type { Session } from './session.ts';
import { mergeConfigs } from './transformerconfig.ts';
import type { FieldSource } from './types.ts';
import { transformersOf } from './transformers.ts';
import { mergeVariables } from './variables.ts';

const COMPONENT = 'Component';

export interface TargetOptions {
  readonly loader: Loader;
  readonly session: Session;
  readonly originPath: string | undefined;
  /** Used in place of the file's text. */
  readonly text?: string;
}

export function loadTarget({ loader, session, originPath, text }: TargetOptions): Target {
  const found = loader.kustomization(text);
  const kustomization = parseKustomization(found.text, found.file, loader.directory || '.', session.warn);
  useOpenApi(session, loader, kustomization.openapi, found.file);
  return { loader, session, originPath, file: found.file, kustomization };
}

/** Runs the whole pipeline of a directory on an accumulator, which is its own, or for a component its parent's. */
export function accumulate(target: Target, accumulator: Accumulator): void {
  const { kustomization } = target;
  addResources(target, accumulator, kustomization.resources ?? []);
  addConfiguration(target, accumulator);
  addGenerated(target, accumulator);
  addComponents(target, accumulator);
  transform(target, accumulator);
  validate(target, accumulator);
  mergeVariables(accumulator, kustomization.vars ?? [], target.file);
}

/** Objects from files, and from directories, each of which is built first. */
function addResources(target: Target, accumulator: Accumulator, entries: readonly string[]): void {
  for (const entry of entries) {
    const failed = addFile(target, accumulator, entry);
    if (failed !== undefined) addDirectory(target, accumulator, entry, failed);
  }
}

/** Undefined when the entry was read as a file, else why it could not be. */
function addFile(target: Target, accumulator: Accumulator, entry: string): SottoError | undefined {
  try {
    const resources = parseManifests(target.loader.text(entry), target.loader.locate(entry));
    const origin = originOf(target, entry);
    for (const resource of resources) {
      resource.origin = origin;
      accumulator.collection.append(resource);
      target.session.trace?.note([resource], sourceOf(resource));
    }
    return undefined;
  } catch (error) {
    if (error instanceof SottoError) return error;
    throw error;
  }
}

function addDirectory(target: Target, accumulator: Accumulator, entry: string, notAFile: SottoError): void {
  let loader: Loader;
  try {
    loader = target.loader.enter(entry);
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    throw resourceFailure(entry, notAFile, error, target.file);
  }
  const sub = enter(target, loader, entry, false);
  target.session.within(loader.directory || '.', () => {
    const own = newAccumulator();
    accumulate(sub, own);
    accumulator.collection.appendAll(own.collection.resources);
    accumulator.config = mergeConfigs(accumulator.config, own.config);
    mergeVariableMaps(accumulator, own, target.file);
  });
}

function mergeVariableMaps(accumulator: Accumulator, own: Accumulator, file: string): void {
  for (const [name, variable] of own.variables) {
    if (accumulator.variables.has(name)) throw new SottoError('KUSTOMIZE_VARS', `var '${name}' already encountered`, { at: { file } });
    accumulator.variables.set(name, variable);
  }
}

/** One error for both attempts. Text that is clearly a broken file is reported alone. */
function resourceFailure(entry: string, notAFile: SottoError, notADirectory: SottoError, file: string): SottoError {
  if (notADirectory.code === 'KUSTOMIZE_REMOTE') return rethrown(notADirectory, `accumulating resources: ${notADirectory.message}`, file);
  if (notAFile.code === 'KUSTOMIZE_LIMIT' || notAFile.message.includes('MalformedYAMLError')) {
    return rethrown(notAFile, `accumulating resources: accumulating resources from '${entry}': ${notAFile.message}`, file);
  }
  const text = `accumulating resources: accumulation err='accumulating resources from '${entry}': ${notAFile.message}': ${notADirectory.message}`;
  const shown = notAFile.code === 'KUSTOMIZE_LOAD' ? notADirectory : notAFile;
  return rethrown(shown, text, file);
}

function rethrown(error: SottoError, message: string, file: string): SottoError {
  return new SottoError(error.code, message, {
    at: error.at ?? { file },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

function enter(target: Target, loader: Loader, entry: string, isComponent: boolean): Target {
  const { session, originPath } = target;
  return session.within(loader.directory || '.', () => {
    const sub = loadTarget({ loader, session, originPath: originPath === undefined ? undefined : posix.join(originPath, entry) });
    const { kind } = sub.kustomization;
    const where = loader.directory || '.';
    if (isComponent && kind !== COMPONENT) {
      throw new SottoError(
        'KUSTOMIZE_COMPONENT',
        `accumulating components: accumulateDirectory: "expected kind '${COMPONENT}' for path '${where}' but got '${kind ?? ''}'"`,
        { at: { file: sub.file } },
      );
    }
    if (!isComponent && kind === COMPONENT) {
      throw new SottoError('KUSTOMIZE_COMPONENT', `expected kind != '${COMPONENT}' for path '${where}'`, { at: { file: sub.file } });
    }
    return sub;
  });
}

function addConfiguration(target: Target, accumulator: Accumulator): void {
  const { loader, kustomization } = target;
  accumulator.config = mergeConfigs(accumulator.config, loadConfigurations(loader, kustomization.configurations ?? []));
  accumulator.config = mergeConfigs(accumulator.config, loadCrds(loader, kustomization.crds ?? []));
}

function addGenerated(target: Target, accumulator: Accumulator): void {
  const { kustomization, loader, file, session } = target;
  const generated: [GeneratorKind, GeneratorArguments][] = [
    ...(kustomization.configMapGenerator ?? []).map((entry) => ['ConfigMap', entry] as [GeneratorKind, GeneratorArguments]),
    ...(kustomization.secretGenerator ?? []).map((entry) => ['Secret', entry] as [GeneratorKind, GeneratorArguments]),
  ];
  for (const [kind, entry] of generated) {
    const resource = generate(kind, withGlobalOptions(entry, kustomization.generatorOptions), loader, file);
    resource.origin = builtinOriginOf(target, `${kind}Generator`);
    absorb(accumulator.collection, resource, session.warn);
    session.trace?.note(accumulator.collection.resources, { by: `${kind}Generator`, file });
  }
  for (const plugin of pluginsIn(target, kustomization.generators)) {
    absorb(accumulator.collection, pluginGenerated(plugin, target), session.warn);
    session.trace?.note(accumulator.collection.resources, { by: plugin.kind, file: plugin.source.file });
  }
}

function pluginsIn(target: Target, entries: readonly string[] | undefined): Resource[] {
  return loadPlugins(target, entries ?? [], (accumulator, paths) => addResources(target, accumulator, paths));
}

/** Components work on the accumulator of the directory that lists them. */
function addComponents(target: Target, accumulator: Accumulator): void {
  for (const entry of target.kustomization.components ?? []) {
    const loader = componentLoader(target, entry);
    const sub = enter(target, loader, entry, true);
    target.session.within(loader.directory || '.', () => {
      accumulate(sub, accumulator);
    });
  }
}

function componentLoader(target: Target, entry: string): Loader {
  try {
    return target.loader.enter(entry);
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    throw rethrown(error, `accumulating components: loader.New "${messageOf(error)}"`, target.file);
  }
}

function transform(target: Target, accumulator: Accumulator): void {
  const { collection } = accumulator;
  const plugins = pluginsIn(target, target.kustomization.transformers).map((plugin) => pluginTransformer(plugin, target, accumulator));
  for (const transformer of [...transformersOf(target, accumulator), ...plugins]) {
    transformer.run();
    target.session.trace?.note(collection.resources, { by: transformer.kind, file: transformer.file ?? target.file });
    const origin = transformer.origin ?? builtinOriginOf(target, transformer.kind);
    if (origin !== undefined) for (const resource of collection.resources) recordTransformation(resource, origin);
    collection.keep((resource) => !resource.deleted);
  }
}

const VALIDATED_BY = 'validated-by';

/** Validators may set the label `validated-by` and change nothing else. */
function validate(target: Target, accumulator: Accumulator): void {
  for (const plugin of pluginsIn(target, target.kustomization.validators)) {
    const before = contentOf(accumulator);
    pluginTransformer(plugin, target, accumulator).run();
    if (contentOf(accumulator) === before) continue;
    throw new SottoError('KUSTOMIZE_PLUGIN', `validator shouldn't modify the resource map: ${plugin.kind} '${plugin.name}'`, {
      at: { file: plugin.source.file },
    });
  }
}

function contentOf({ collection }: Accumulator): string {
  return collection.resources
    .map((resource) => {
      const copy = new Resource(cloneNode(resource.root), resource.source);
      const { labels } = copy;
      if (labels.delete(VALIDATED_BY)) copy.writeTexts('labels', labels);
      return stringifyJson(toJson(copy.root, { profile: 'goYaml3' }));
    })
    .join('\n');
}

/** Notes a transformer's run; upstream does so in annotations, all of which become strings by that. */
function recordTransformation(resource: Resource, origin: Origin): void {
  if (resource.deleted) return;
  if (resource.origin === undefined) resource.origin = origin;
  else resource.transformations.push(origin);
  const { annotations } = resource;
  if (annotations.size > 0) resource.writeTexts('annotations', annotations);
}

/** What read an object. */
function sourceOf({ source: { file, line } }: Resource): FieldSource {
  return { by: 'resource', file, ...(line === undefined ? {} : { line }) };
}

function originOf(target: Target, entry: string): Origin | undefined {
  return target.originPath === undefined ? undefined : { path: posix.join(target.originPath, entry) };
}

function builtinOriginOf(target: Target, kind: string): Origin | undefined {
  if (target.originPath === undefined) return undefined;
  return builtinOrigin(posix.join(target.originPath, posix.basename(target.file)), kind);
}
