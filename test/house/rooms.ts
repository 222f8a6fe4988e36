/** The floors and rooms of the design, bottom up, and which room may import which on its own floor. */
export interface Floor {
  readonly folder: string;
  /** Room → rooms of the same floor that it may import (`*`: all of them). */
  readonly rooms: Readonly<Record<string, readonly string[]>>;
}

export const FLOORS: readonly Floor[] = [
  {
    folder: 'base',
    rooms: {
      errors: [],
      sensitive: ['errors'],
      world: ['errors'],
      log: ['errors', 'world'],
      files: ['errors'],
      cache: ['errors', 'world'],
      pool: ['errors'],
    },
  },
  { folder: 'text', rooms: { regexp: [], yaml: [], envsubst: ['regexp'], gotemplate: ['regexp'], cel: ['regexp'] } },
  {
    folder: 'kube',
    rooms: {
      objects: [],
      schema: ['objects'],
      client: ['objects'],
      health: ['objects'],
      references: ['objects'],
      fieldset: ['objects', 'schema'],
      apply: ['objects', 'client', 'fieldset', 'health', 'schema'],
      runtime: ['objects', 'client'],
    },
  },
  {
    folder: 'secrets',
    rooms: {
      identity: [],
      keys: ['identity'],
      stores: ['identity'],
      sops: ['keys'],
      sealed: ['keys'],
      atrest: ['keys'],
      access: ['stores'],
    },
  },
  { folder: 'fetch', rooms: { artifact: [], git: ['artifact'], oci: ['artifact'], bucket: ['artifact'] } },
  { folder: 'build', rooms: { kustomize: [], fleet: ['kustomize'] } },
  {
    folder: 'cluster',
    rooms: {
      store: [],
      registry: ['store'],
      admission: ['registry', 'store'],
      loops: ['registry', 'store'],
      workloads: ['registry', 'store', 'loops'],
      server: ['*'],
    },
  },
  {
    folder: 'controllers',
    rooms: {
      source: [],
      kustomization: [],
      notification: [],
      sealedsecrets: [],
      externalsecrets: [],
      onepassword: [],
      secretsstore: [],
      reloader: [],
      rotation: [],
    },
  },
  { folder: 'services', rooms: { kmsplugin: [], csidriver: [], keyservice: [], agent: [] } },
  {
    folder: 'posture',
    rooms: {
      fleetgraph: [],
      checks: ['fleetgraph'],
      access: ['fleetgraph'],
      failure: ['fleetgraph'],
      rehearsal: ['fleetgraph'],
      breakglass: ['fleetgraph'],
      report: ['fleetgraph'],
    },
  },
];

/** Faces: they may import anything below; each is one room. */
export const FACES = ['cli', 'dashboard', 'sdk'];

/** Controllers meet in the API: they never import the embedded server. */
export const FORBIDDEN: readonly (readonly [from: string, to: string])[] = [['controllers', 'cluster']];
