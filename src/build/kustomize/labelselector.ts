import { SottoError } from '../../base/errors/index.ts';

type Requirement = (labels: ReadonlyMap<string, string>) => boolean;

const TOKENS = /\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/y;
const KEY = /^([a-zA-Z0-9.-]{1,253}\/)?[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$/;

/**
 * A Kubernetes label selector: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, `a>1`, `a<1`, joined
 * by commas. The empty selector matches everything.
 *
 * @throws SottoError KUSTOMIZE_SELECTOR
 */
export function parseLabelSelector(text: string): Requirement {
  const parser = new SelectorParser(text);
  const requirements: Requirement[] = [];
  while (!parser.atEnd) {
    requirements.push(parser.requirement());
    if (!parser.atEnd) parser.expect(',');
  }
  return (labels) => requirements.every((requirement) => requirement(labels));
}

class SelectorParser {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text, () => this.fail('an unexpected character'));
  }

  get atEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  requirement(): Requirement {
    if (this.#accept('!')) {
      const absent = this.#key();
      return (labels) => !labels.has(absent);
    }
    const key = this.#key();
    const operator = this.atEnd || this.#tokens[this.#next] === ',' ? '' : this.#take();
    switch (operator) {
      case '':
        return (labels) => labels.has(key);
      case '=':
      case '==': {
        const value = this.#value();
        return (labels) => labels.get(key) === value;
      }
      case '!=': {
        const value = this.#value();
        return (labels) => labels.get(key) !== value;
      }
      case 'in':
      case 'notin':
        return this.#membership(key, operator === 'in');
      case '>':
      case '<':
        return this.#comparison(key, operator);
      default:
        throw this.fail(`'${operator}' where an operator was expected`);
    }
  }

  expect(token: string): void {
    if (!this.#accept(token)) throw this.fail(`'${this.#tokens[this.#next] ?? 'the end'}' where '${token}' was expected`);
  }

  fail(found: string): SottoError {
    return new SottoError('KUSTOMIZE_SELECTOR', `unable to parse requirement: found ${found} in selector '${this.#text}'`);
  }

  #membership(key: string, wanted: boolean): Requirement {
    this.expect('(');
    const values = new Set<string>();
    do values.add(this.#value());
    while (this.#accept(','));
    this.expect(')');
    return (labels) => {
      const value = labels.get(key);
      return (value !== undefined && values.has(value)) === wanted;
    };
  }

  #comparison(key: string, operator: '>' | '<'): Requirement {
    const text = this.#value();
    if (!/^-?\d+$/.test(text)) throw this.fail(`'${text}' where an integer was expected`);
    const limit = BigInt(text);
    return (labels) => {
      const value = labels.get(key);
      if (value === undefined || !/^-?\d+$/.test(value)) return false;
      return operator === '>' ? BigInt(value) > limit : BigInt(value) < limit;
    };
  }

  #key(): string {
    const key = this.#take();
    if (!KEY.test(key)) throw this.fail(`'${key}' where a label key was expected`);
    return key;
  }

  /** A value can be empty: `a=` or `in (a,)`. */
  #value(): string {
    const token = this.#tokens[this.#next];
    if (token === undefined || token === ',' || token === ')') return '';
    return this.#take();
  }

  #take(): string {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw this.fail('the end where something was expected');
    this.#next++;
    return token;
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#next] !== token) return false;
    this.#next++;
    return true;
  }
}

function tokenize(text: string, fail: () => SottoError): string[] {
  const tokens: string[] = [];
  TOKENS.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKENS.lastIndex < end) {
    const match = TOKENS.exec(text);
    if (match?.[1] === undefined) throw fail();
    tokens.push(match[1]);
  }
  return tokens;
}
