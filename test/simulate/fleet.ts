import type { Random } from '../../src/base/world/index.ts';

/** One object of a generated app. */
interface Item {
  readonly kind: 'ConfigMap' | 'Secret' | 'Generated' | 'Deployment';
  readonly name: string;
  value: number;
}

interface App {
  readonly name: string;
  readonly dependsOn?: string;
  readonly items: Item[];
  /** A broken build: a resource that is not there. */
  broken: boolean;
}

/** The state of the fleet at one commit, before it is written as files. */
export interface FleetState {
  readonly apps: App[];
  nextName: number;
}

/** Largest number of apps that a generated fleet grows to. */
const MAX_APPS = 5;
const MAX_ITEMS = 5;
const KINDS = ['ConfigMap', 'Secret', 'Generated', 'Deployment'] as const;

/** A first commit: two to four apps with a few objects each; later ones may depend on earlier ones. */
export function firstState(random: Random): FleetState {
  const state: FleetState = { apps: [], nextName: 0 };
  for (let count = 2 + random.below(3); count > 0; count--) addApp(state, random);
  return state;
}

function addApp(state: FleetState, random: Random): void {
  const app: App = {
    name: `app${state.nextName++}`,
    ...(state.apps.length > 0 && random.below(2) === 0 ? { dependsOn: random.pick(state.apps).name } : {}),
    items: [],
    broken: false,
  };
  for (let count = 1 + random.below(3); count > 0; count--) addItem(state, app, random);
  state.apps.push(app);
}

function addItem(state: FleetState, app: App, random: Random): void {
  app.items.push({ kind: random.pick(KINDS), name: `item${state.nextName++}`, value: random.below(1000) });
}

type Mutation = (state: FleetState, random: Random) => void;

const MUTATIONS: readonly Mutation[] = [
  (state, random) => {
    const item = random.pick(random.pick(state.apps).items);
    item.value = (item.value + 1 + random.below(999)) % 1000;
  },
  (state, random) => {
    const app = random.pick(state.apps);
    if (app.items.length < MAX_ITEMS) addItem(state, app, random);
  },
  (state, random) => {
    const app = random.pick(state.apps);
    if (app.items.length > 1) app.items.splice(random.below(app.items.length), 1);
  },
  (state, random) => {
    if (state.apps.length < MAX_APPS) addApp(state, random);
  },
  (state, random) => {
    const removable = state.apps.filter((app) => !state.apps.some((other) => other.dependsOn === app.name));
    if (state.apps.length > 1 && removable.length > 0) state.apps.splice(state.apps.indexOf(random.pick(removable)), 1);
  },
  (state, random) => {
    random.pick(state.apps).broken = true;
  },
];

/** The next commit: one to three changes; whatever was broken before may stay broken or be mended. */
export function nextState(before: FleetState, random: Random, mayBreak: boolean): FleetState {
  const state = structuredClone(before);
  for (const app of state.apps) if (app.broken && (!mayBreak || random.below(2) === 0)) app.broken = false;
  const mutations = mayBreak ? MUTATIONS : MUTATIONS.slice(0, -1);
  for (let count = 1 + random.below(3); count > 0; count--) random.pick(mutations)(state, random);
  return state;
}

/** The files of a commit. */
export function filesOf(state: FleetState): Map<string, string> {
  const files = new Map<string, string>();
  files.set('clusters/sim/kustomization.yaml', `resources:\n${state.apps.map((app) => `  - ${app.name}.yaml`).join('\n')}\n`);
  for (const app of state.apps) {
    files.set(`clusters/sim/${app.name}.yaml`, kustomizationOf(app));
    files.set(`apps/${app.name}/kustomization.yaml`, buildFileOf(app));
    for (const item of app.items) {
      if (item.kind !== 'Generated') files.set(`apps/${app.name}/${item.name}.yaml`, manifestOf(item));
    }
  }
  return files;
}

const kustomizationOf = (app: App): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${app.name}
  namespace: flux-system
spec:
  interval: 10m
  retryInterval: 2m
  path: ./apps/${app.name}
  prune: true
  targetNamespace: default
  sourceRef:
    kind: GitRepository
    name: flux-system
${app.dependsOn === undefined ? '' : `  dependsOn:\n    - name: ${app.dependsOn}\n`}`;

function buildFileOf(app: App): string {
  const plain = app.items.filter((item) => item.kind !== 'Generated');
  const generated = app.items.filter((item) => item.kind === 'Generated');
  const resources = [...plain.map((item) => `${item.name}.yaml`), ...(app.broken ? ['forgotten.yaml'] : [])];
  const lines = [`resources: [${resources.join(', ')}]`];
  if (generated.length > 0)
    lines.push('secretGenerator:', ...generated.map((item) => `  - name: ${item.name}\n    literals: [value=${item.value}]`));
  return `${lines.join('\n')}\n`;
}

function manifestOf(item: Item): string {
  if (item.kind === 'Deployment') {
    return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${item.name}
spec:
  replicas: ${1 + (item.value % 3)}
  selector: { matchLabels: { app: ${item.name} } }
  template:
    metadata: { labels: { app: ${item.name} } }
    spec:
      containers:
        - name: main
          image: registry.example/${item.name}:${item.value}
`;
  }
  const field = item.kind === 'Secret' ? 'stringData' : 'data';
  return `apiVersion: v1\nkind: ${item.kind}\nmetadata:\n  name: ${item.name}\n${field}:\n  value: "${item.value}"\n`;
}
