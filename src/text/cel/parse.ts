import { Environment, ParseError, type ASTNode } from '@marcbachmann/cel-js';
import { UnsignedInt } from '@marcbachmann/cel-js/evaluator';

import { SottoError, type Position } from '../../base/errors/index.ts';

export type { ASTNode };
export { UnsignedInt };

/** Deep enough for any rule seen, shallow enough for the call stack. */
const LIMITS = { maxAstNodes: 4000, maxDepth: 200 };

const parser = new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true, limits: LIMITS });

/** @throws SottoError CEL_SYNTAX with line and column inside the expression */
export function parseCel(expression: string): ASTNode {
  try {
    return parser.parse(expression).ast;
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause;
    throw celError('CEL_SYNTAX', `syntax error: ${lowerFirst(cause.summary)}`, expression, cause.range?.start ?? 0);
  }
}

/** An error at an offset of the expression. */
export function celError(code: string, message: string, expression: string, offset: number): SottoError {
  return new SottoError(code, message, { at: positionAt(expression, offset) });
}

function positionAt(expression: string, offset: number): Position {
  const before = expression.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
