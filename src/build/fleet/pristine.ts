import type { Tree } from '../../base/files/index.ts';
import { isJsonObject, type Json } from '../../kube/objects/index.ts';
import { parseYaml } from '../../text/yaml/index.ts';

/** The encrypted document of a file that a built object came from. */
export interface PristineDocument {
  readonly bytes: Uint8Array;
  /** The document as kustomize read it; undefined when the bytes hold several. */
  readonly value: Json | undefined;
}

/**
 * Finds encrypted documents as they lie in Git, by their MAC token, which no two documents share unless SOPS encrypted
 * them together: such a file is one document with one MAC over all its parts.
 */
export class PristineSources {
  readonly #tree: Tree;
  readonly #files = new Map<string, ReadonlyMap<string, PristineDocument>>();
  readonly #checked = new Map<PristineDocument, Promise<unknown>>();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** The document with this MAC in the file; undefined when it is not there. */
  find(file: string, mac: string): PristineDocument | undefined {
    let documents = this.#files.get(file);
    if (documents === undefined) {
      documents = this.#read(file);
      this.#files.set(file, documents);
    }
    return documents.get(mac);
  }

  /** Runs a check of a document, once however many objects came from it. */
  async check(document: PristineDocument, run: () => Promise<unknown>): Promise<void> {
    let checked = this.#checked.get(document);
    if (checked === undefined) {
      checked = run();
      this.#checked.set(document, checked);
    }
    await checked;
  }

  #read(file: string): ReadonlyMap<string, PristineDocument> {
    const bytes = this.#tree.read(file);
    if (bytes === undefined) return new Map();
    const parts = splitDocuments(new TextDecoder().decode(bytes));
    const found = new Map<string, { text: string; value: Json | undefined }>();
    for (const text of parts) {
      const value = parsePart(text);
      const mac = macOf(value);
      if (mac === undefined) continue;
      const earlier = found.get(mac);
      found.set(mac, earlier === undefined ? { text, value } : { text: `${earlier.text}---\n${text}`, value: undefined });
    }
    return new Map([...found].map(([mac, { text, value }]) => [mac, { bytes: new TextEncoder().encode(text), value }]));
  }
}

/** The MAC token of an encrypted object. */
export function macOf(value: unknown): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const { sops } = value;
  const mac = isJsonObject(sops) ? sops['mac'] : undefined;
  return typeof mac === 'string' && mac !== '' ? mac : undefined;
}

/** At column one, three dashes always begin a document. */
function splitDocuments(text: string): string[] {
  return text.split(/^---(?:[ \t]*\r?\n|(?=[ \t])|$)/m);
}

function parsePart(text: string): Json | undefined {
  try {
    return parseYaml(text, { profile: 'goYaml3' })[0]?.value;
  } catch {
    return undefined; // not YAML; the build has its own error for that
  }
}
