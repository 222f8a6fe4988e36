import { SottoError } from '../../base/errors/index.ts';
import { apply, providesDefault } from './functions.ts';
import { parse, type Expression, type Template } from './parse.ts';

/** The value of a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

export interface ExpandOptions {
  /** An unset variable is an error, unless the operator supplies a default. Otherwise it is empty. */
  readonly strict: boolean;
}

/**
 * Expands all expressions of a text. Words of an expression are expanded before its variable is looked at, so a nested
 * variable must be set in strict mode even where its value is not needed.
 *
 * @throws SottoError ENVSUBST with upstream's message (`bad substitution`, `missing closing brace`,
 *   `variable not set (strict mode): "name"`, …) and the line of the text; values are never part of it
 */
export function expand(text: string, lookup: Lookup, options: ExpandOptions): string {
  return text.includes('$') ? expandTemplate(parse(text), lookup, options) : text;
}

function expandTemplate(template: Template, lookup: Lookup, options: ExpandOptions): string {
  return template.map((word) => (typeof word === 'string' ? word : expandExpression(word, lookup, options))).join('');
}

function expandExpression(expression: Expression, lookup: Lookup, options: ExpandOptions): string {
  const words = expression.words.map((word) => expandTemplate([word], lookup, options));
  const { name, operator, line } = expression;
  const value = lookup(name);
  if (value === undefined && options.strict && !providesDefault(operator)) {
    throw new SottoError('ENVSUBST', `variable not set (strict mode): ${JSON.stringify(name)}`, {
      at: { line },
      hint: `set it in postBuild, give a default with \${${name}:=}, or write $\${${name}} for literal text`,
    });
  }
  try {
    return apply(operator, value ?? '', words);
  } catch (error) {
    if (error instanceof SottoError) throw new SottoError(error.code, error.message, { at: { line } });
    throw error;
  }
}
