/** What one position of a pattern matches. */
type Token = { readonly kind: 'many' } | { readonly kind: 'one'; readonly matches: (character: string) => boolean };

/**
 * The lengths, in characters (code points), of the non-empty prefixes of `text` that a glob pattern matches whole, in
 * ascending order. `*` matches any text, slashes included, `?` one character, `[a-z]` and `[^a-z]` classes, `\` quotes.
 * A malformed pattern matches nothing. Linear in text times pattern.
 */
export function matchedPrefixes(pattern: string, text: string): number[] {
  const tokens = compile(Array.from(pattern));
  if (tokens === undefined) return [];
  const lengths: number[] = [];
  let states = withSkips(new Set([0]), tokens);
  for (const [index, character] of Array.from(text).entries()) {
    states = withSkips(step(states, tokens, character), tokens);
    if (states.size === 0) break;
    if (states.has(tokens.length)) lengths.push(index + 1);
  }
  return lengths;
}

function step(states: ReadonlySet<number>, tokens: readonly Token[], character: string): Set<number> {
  const next = new Set<number>();
  for (const state of states) {
    const token = tokens[state];
    if (token?.kind === 'many') next.add(state);
    else if (token?.matches(character) === true) next.add(state + 1);
  }
  return next;
}

/** A star may match nothing. */
function withSkips(states: Set<number>, tokens: readonly Token[]): Set<number> {
  for (const state of states) if (tokens[state]?.kind === 'many') states.add(state + 1);
  return states;
}

function compile(pattern: readonly string[]): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const character = pattern[at] ?? '';
    if (character === '*') tokens.push({ kind: 'many' });
    else if (character === '?') tokens.push({ kind: 'one', matches: () => true });
    else if (character === '[') {
      const found = characterClass(pattern, at + 1);
      if (found === undefined) return undefined;
      tokens.push(found.token);
      at = found.end;
      continue;
    } else {
      if (character === '\\') at += 1;
      const literal = pattern[at];
      if (literal === undefined) return undefined;
      tokens.push({ kind: 'one', matches: (other) => other === literal });
    }
    at += 1;
  }
  return tokens;
}

/** From behind `[` to behind `]`. A class must have at least one range. */
function characterClass(pattern: readonly string[], start: number): { token: Token; end: number } | undefined {
  const negated = pattern[start] === '^';
  const ranges: [low: number, high: number][] = [];
  let at = negated ? start + 1 : start;
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = classCharacter(pattern, at);
    if (low === undefined) return undefined;
    at = low.end;
    let high = low.code;
    if (pattern[at] === '-') {
      const upper = classCharacter(pattern, at + 1);
      if (upper === undefined) return undefined;
      high = upper.code;
      at = upper.end;
    }
    ranges.push([low.code, high]);
  }
  const matches = (character: string): boolean => {
    const code = character.codePointAt(0) ?? 0;
    return ranges.some(([low, high]) => low <= code && code <= high) !== negated;
  };
  return { token: { kind: 'one', matches }, end: at + 1 };
}

function classCharacter(pattern: readonly string[], at: number): { code: number; end: number } | undefined {
  const character = pattern[at];
  if (character === undefined || character === '-' || character === ']') return undefined;
  const quoted = character === '\\' ? pattern[at + 1] : character;
  return quoted === undefined ? undefined : { code: quoted.codePointAt(0) ?? 0, end: at + (character === '\\' ? 2 : 1) };
}
