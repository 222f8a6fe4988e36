/**
 * CEL, the expression language of CRD validation rules, `readyExpr` and `healthCheckExprs`.
 *
 * **Decision: the parser of `@marcbachmann/cel-js`, our evaluator.**
 *
 * Context. An expression comes from a user's manifest and decides whether an object is valid or healthy. The
 * package parses well (positions, size and depth limits, all macros), but its evaluator has no cost limit, its
 * `matches` builds a JavaScript RegExp (other syntax, exponential time), it cannot replace built-in functions,
 * it looks unknown functions up only while type checking against values, its `substring` counts UTF-16 units, and
 * JSON numbers reach it as doubles, so that `self.replicas % 2` fails.
 *
 * Decision. Take its syntax tree through the public `parse(…).ast`, ignore its macro expansion and type
 * checker, and compile the tree to closures here: every node costs a unit, text and lists cost by length (cel-go's
 * rates), `matches` goes through `text/regexp`, and functions are a table. A function or variable that is not in the
 * table is an error when the expression is compiled; nothing unknown ever counts as true.
 *
 * Consequences. There is no full type check: only a shallow result type is inferred (enough for "readyExpr must
 * be a bool"). Numbers of JSON documents carry no type, so integral ones are ints, and an int beside a double is
 * computed as a double. Supported: the whole core language but messages, timestamps and durations; the extensions
 * strings (without `format` and `quote`), sets, encoders, optional values and `cel.bind`; property names escaped the
 * Kubernetes way (`__dash__`). The Kubernetes libraries (quantity, url, ip, cidr, semver, regex, lists) are unknown
 * functions until written: one line in a table each.
 *
 * @module
 */
export { CEL_COST_LIMIT } from './budget.ts';
export { compileCel } from './compile.ts';
export { celOptional } from './values.ts';
export type { CelBudget, CelExpression, CelOptions, CelStaticType } from './types.ts';
