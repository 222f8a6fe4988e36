const TOKEN = /\s*(?:([[{])|([\]}])|(,)|(:)|("(?:[^"\\]|\\.)*")|([^\s,\]}:"]+))/y;

interface Frame {
  readonly path: string;
  /** Keys seen in an object; undefined in a list. */
  readonly keys: Set<string> | undefined;
  /** Key or index of the value that comes next. */
  key: string;
  index: number;
}

/**
 * The paths of keys that stand twice in one object of a JSON text: `spec.a`, `spec.items[0].b`. The text must be
 * valid JSON. Does not recurse.
 */
export function duplicateKeys(text: string): string[] {
  const found = new Set<string>();
  const stack: Frame[] = [];
  let isKey = false;
  const key = (name: string, frame: Frame): void => {
    frame.key = name;
    if (frame.keys?.has(name) === true) found.add(pathOfNext(frame));
    frame.keys?.add(name);
  };
  TOKEN.lastIndex = 0;
  for (let token = TOKEN.exec(text); token !== null; token = TOKEN.exec(text)) {
    const [, opening, closing, comma, colon, string] = token;
    const top = stack.at(-1);
    if (opening !== undefined) {
      stack.push({ path: pathOfNext(top), keys: opening === '{' ? new Set() : undefined, key: '', index: 0 });
      isKey = opening === '{';
    } else if (closing !== undefined) {
      stack.pop();
      isKey = false;
    } else if (comma !== undefined) {
      if (top !== undefined) top.index++;
      isKey = top?.keys !== undefined;
    } else if (colon !== undefined) {
      isKey = false;
    } else if (isKey && string !== undefined && top !== undefined) {
      key(JSON.parse(string) as string, top);
    }
  }
  return [...found];
}

function pathOfNext(frame: Frame | undefined): string {
  if (frame === undefined) return '';
  if (frame.keys === undefined) return `${frame.path}[${frame.index}]`;
  return frame.path === '' ? frame.key : `${frame.path}.${frame.key}`;
}
