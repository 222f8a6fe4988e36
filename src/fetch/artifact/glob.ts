/** What one position of a pattern accepts: any run of characters, or one character that passes a test. */
type Token = 'run' | ((char: string) => boolean);

/**
 * Matches one path segment against a shell pattern, as Go's filepath.Match does on Unix: `*`, `?`,
 * `[a-z]`, `[^a-z]`, `\` escapes. A malformed pattern matches nothing. Time is at most the product of both lengths.
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  const tokens = parseGlob(Array.from(pattern));
  return tokens === undefined ? () => false : (name) => matchTokens(tokens, Array.from(name));
}

/** Greedy, with one way back: to the latest run, which then takes one character more. */
function matchTokens(tokens: readonly Token[], name: readonly string[]): boolean {
  let [token, at] = [0, 0];
  let retry: { token: number; at: number } | undefined;
  for (;;) {
    const current = tokens[token];
    const char = name[at];
    if (current === 'run') {
      retry = { token, at };
      token += 1;
    } else if (current === undefined && char === undefined) {
      return true;
    } else if (current !== undefined && char !== undefined && current(char)) {
      token += 1;
      at += 1;
    } else if (retry === undefined || retry.at >= name.length) {
      return false;
    } else {
      retry = { token: retry.token, at: retry.at + 1 };
      [token, at] = [retry.token + 1, retry.at];
    }
  }
}

function parseGlob(pattern: readonly string[]): Token[] | undefined {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === '*') {
      if (tokens.at(-1) !== 'run') tokens.push('run');
    } else if (char === '?') {
      tokens.push(() => true);
    } else if (char === '[') {
      const found = parseClass(pattern, i + 1);
      if (found === undefined) return undefined;
      tokens.push(found.accepts);
      i = found.end;
    } else {
      const literal = char === '\\' ? pattern[++i] : char;
      if (literal === undefined) return undefined;
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

/** Reads a character class whose `[` is just before `start`; `end` is the index of its `]`. */
function parseClass(pattern: readonly string[], start: number): { accepts: (char: string) => boolean; end: number } | undefined {
  const isNegated = pattern[start] === '^';
  const ranges: (readonly [number, number])[] = [];
  let at = isNegated ? start + 1 : start;
  const next = (): number | undefined => {
    if (pattern[at] === '-' || pattern[at] === ']') return undefined;
    if (pattern[at] === '\\') at += 1;
    return pattern[at++]?.codePointAt(0);
  };
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = next();
    const hasRange = pattern[at] === '-';
    if (hasRange) at += 1;
    const high = hasRange ? next() : low;
    if (low === undefined || high === undefined || at >= pattern.length) return undefined;
    ranges.push([low, high]);
  }
  const accepts = (char: string): boolean => {
    const code = char.codePointAt(0) ?? 0;
    return ranges.some(([low, high]) => low <= code && code <= high) !== isNegated;
  };
  return { accepts, end: at };
}
