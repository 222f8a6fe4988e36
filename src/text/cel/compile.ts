import { charge, CEL_COST_LIMIT } from './budget.ts';
import { TYPE_NAMES } from './conversions.ts';
import { hasField, index, indexOptional, selectField, selectOptional } from './fields.ts';
import type { CelFunction } from './function.ts';
import { GLOBAL_FUNCTIONS, METHODS } from './functions.ts';
import { decide } from './logic.ts';
import { COMPREHENSIONS, iterate, type Comprehension } from './macros.ts';
import { BINARY_OPERATORS, negate, not } from './operators.ts';
import { celError, parseCel, UnsignedInt, type ASTNode } from './parse.ts';
import { type Evaluate, withLocal, type Scope } from './scope.ts';
import type { CelExpression, CelOptions, CelStaticType } from './types.ts';
import { CelType, checkedInt, CelUint, failure, fromCel, toCel, type CelTypeName, type CelValue } from './values.ts';

/** A compiled node: how to run it and what it gives. */
interface Compiled {
  readonly run: Evaluate;
  readonly type: CelStaticType;
}

/**
 * Compiles a CEL expression. Unknown functions and variables are found here, never while running.
 *
 * @throws SottoError CEL_SYNTAX, CEL_UNKNOWN_FUNCTION or CEL_UNKNOWN_VARIABLE, with line and column inside
 *   the expression
 */
export function compileCel(expression: string, options: CelOptions): CelExpression {
  const compiler = new Compiler(expression, options.variables);
  const { run, type } = compiler.node(parseCel(expression), []);
  return {
    expression,
    resultType: type,
    variables: [...compiler.used],
    evaluate: (variables, budget = { remaining: CEL_COST_LIMIT }) => fromCel(run({ budget, locals: new Map(), variables })),
  };
}

type Locals = readonly string[];
type Node<Op extends ASTNode['op']> = Extract<ASTNode, { readonly op: Op }>;

class Compiler {
  readonly used = new Set<string>();
  readonly #expression: string;
  readonly #declared: readonly string[] | 'any';

  constructor(expression: string, declared: readonly string[] | 'any') {
    this.#expression = expression;
    this.#declared = declared;
  }

  node(ast: ASTNode, locals: Locals): Compiled {
    const { run, type } = this.#bare(ast, locals);
    return {
      type,
      run: (scope) => {
        charge(scope.budget, 1);
        return run(scope);
      },
    };
  }

  #bare(ast: ASTNode, locals: Locals): Compiled {
    switch (ast.op) {
      case 'value':
        return literal(ast.args);
      case 'id':
        return this.#identifier(ast, locals);
      case '.':
        return this.#unary('dyn', ast.args[0], locals, (operand) => selectField(operand, ast.args[1]));
      case '.?':
        return this.#unary('optional', ast.args[0], locals, (operand) => selectOptional(operand, ast.args[1]));
      case '[]':
        return this.#pair('dyn', ast.args, locals, index);
      case '[?]':
        return this.#pair('optional', ast.args, locals, indexOptional);
      case 'call':
        return this.#call(ast, locals);
      case 'rcall':
        return this.#methodCall(ast, locals);
      case 'list':
        return this.#list(ast, locals);
      case 'map':
        return this.#map(ast, locals);
      case '?:':
        return this.#conditional(ast, locals);
      case '&&':
      case '||':
        return this.#logic(ast, locals);
      case '!_':
        return this.#unary('bool', ast.args, locals, not);
      case '-_':
        return this.#negation(ast, locals);
      default:
        return this.#binary(ast, locals);
    }
  }

  #identifier(ast: Node<'id'>, locals: Locals): Compiled {
    const name = ast.args;
    if (locals.includes(name)) return { type: 'dyn', run: (scope) => scope.locals.get(name) ?? null };
    const type = TYPE_NAMES.has(name) ? new CelType(name as CelTypeName) : undefined;
    if (this.#isDeclared(name)) {
      if (type === undefined) this.used.add(name);
      return { type: 'dyn', run: (scope) => readVariable(scope, name, type) };
    }
    if (type !== undefined) return constant(type, 'type');
    throw celError('CEL_UNKNOWN_VARIABLE', `undeclared reference to '${name}'`, this.#expression, ast.start);
  }

  #isDeclared(name: string): boolean {
    return this.#declared === 'any' || this.#declared.includes(name);
  }

  #unary(type: CelStaticType, operand: ASTNode, locals: Locals, apply: (value: CelValue) => CelValue): Compiled {
    const { run } = this.node(operand, locals);
    return { type, run: (scope) => apply(run(scope)) };
  }

  #pair(
    type: CelStaticType,
    [left, right]: readonly [ASTNode, ASTNode],
    locals: Locals,
    apply: (a: CelValue, b: CelValue) => CelValue,
  ): Compiled {
    const a = this.node(left, locals);
    const b = this.node(right, locals);
    return { type, run: (scope) => apply(a.run(scope), b.run(scope)) };
  }

  /** `-9223372036854775808` is one literal: its positive half would overflow. */
  #negation(ast: Node<'-_'>, locals: Locals): Compiled {
    const operand = ast.args;
    if (operand.op === 'value' && typeof operand.args === 'bigint') return constant(checkedInt(-operand.args), 'int');
    const { run, type } = this.node(operand, locals);
    return { type, run: (scope) => negate(run(scope)) };
  }

  #binary(ast: Extract<ASTNode, { readonly args: readonly [ASTNode, ASTNode] }>, locals: Locals): Compiled {
    const operator = BINARY_OPERATORS[ast.op];
    if (operator === undefined) throw celError('CEL_SYNTAX', `unknown operator '${ast.op}'`, this.#expression, ast.start);
    const left = this.node(ast.args[0], locals);
    const right = this.node(ast.args[1], locals);
    const type = operator.result === 'dyn' && left.type === right.type ? left.type : operator.result;
    return { type, run: (scope) => operator.apply(left.run(scope), right.run(scope), scope.budget) };
  }

  /** A chain `a || b || c` becomes one node, so that long chains do not nest. */
  #logic(ast: Node<'&&'> | Node<'||'>, locals: Locals): Compiled {
    const operands: Evaluate[] = [];
    let left: ASTNode = ast;
    while (left.op === ast.op) {
      operands.unshift(this.node(left.args[1], locals).run);
      left = left.args[0];
    }
    operands.unshift(this.node(left, locals).run);
    const deciding = ast.op === '||';
    return { type: 'bool', run: (scope) => decide(operands, scope, deciding) };
  }

  #conditional(ast: Node<'?:'>, locals: Locals): Compiled {
    const [condition, yes, no] = ast.args.map((part) => this.node(part, locals)) as [Compiled, Compiled, Compiled];
    return {
      type: yes.type === no.type ? yes.type : 'dyn',
      run: (scope) => {
        const chosen = condition.run(scope);
        if (typeof chosen !== 'boolean') throw failure('the condition of ?: must be a bool');
        return chosen ? yes.run(scope) : no.run(scope);
      },
    };
  }

  #list(ast: Node<'list'>, locals: Locals): Compiled {
    const items = ast.args.map((item) => this.node(item, locals).run);
    return { type: 'list', run: (scope) => items.map((item) => item(scope)) };
  }

  #map(ast: Node<'map'>, locals: Locals): Compiled {
    const entries = ast.args.map(([key, value]) => [this.node(key, locals).run, this.node(value, locals).run] as const);
    return { type: 'map', run: (scope) => new Map(entries.map(([key, value]) => [key(scope), value(scope)])) };
  }

  #call(ast: Node<'call'>, locals: Locals): Compiled {
    const [name, args] = ast.args;
    const [argument] = args;
    if (name === 'has' && args.length === 1 && argument?.op === '.') {
      const field = argument.args[1];
      return this.#unary('bool', argument.args[0], locals, (operand) => hasField(operand, field));
    }
    return this.#function(GLOBAL_FUNCTIONS.get(name), name, args, ast, locals);
  }

  #methodCall(ast: Node<'rcall'>, locals: Locals): Compiled {
    const [name, receiver, args] = ast.args;
    const [variable, ...bodies] = args;
    if (receiver.op === 'id' && !locals.includes(receiver.args)) {
      const qualified = `${receiver.args}.${name}`;
      if (qualified === 'cel.bind') return this.#bind(ast, locals);
      const namespaced = GLOBAL_FUNCTIONS.get(qualified);
      if (namespaced !== undefined) return this.#function(namespaced, qualified, args, ast, locals);
    }
    const comprehension = COMPREHENSIONS.get(name);
    if (comprehension !== undefined && variable?.op === 'id' && comprehension.bodies.includes(bodies.length)) {
      return this.#comprehension(comprehension, receiver, variable.args, bodies, locals);
    }
    return this.#function(METHODS.get(name), name, [receiver, ...args], ast, locals);
  }

  #comprehension(macro: Comprehension, receiver: ASTNode, variable: string, bodies: readonly ASTNode[], locals: Locals): Compiled {
    const range = this.node(receiver, locals).run;
    const runs = bodies.map((body) => this.node(body, [...locals, variable]).run);
    return { type: macro.result, run: (scope) => macro.run(iterate(range(scope), variable, scope), runs, variable) };
  }

  #bind(ast: Node<'rcall'>, locals: Locals): Compiled {
    const [variable, init, body] = ast.args[2];
    if (variable?.op !== 'id' || init === undefined || body === undefined) throw this.#unknownFunction('cel.bind', ast);
    const name = variable.args;
    const value = this.node(init, locals).run;
    const inner = this.node(body, [...locals, name]);
    return { type: inner.type, run: (scope) => inner.run(withLocal(scope, name, value(scope))) };
  }

  #function(fn: CelFunction | undefined, name: string, args: readonly ASTNode[], ast: ASTNode, locals: Locals): Compiled {
    if (fn === undefined || !fn.arity.includes(args.length)) throw this.#unknownFunction(name, ast);
    const runs = args.map((arg) => this.node(arg, locals).run);
    return {
      type: fn.result,
      run: (scope) =>
        fn.apply(
          runs.map((run) => run(scope)),
          scope.budget,
        ),
    };
  }

  #unknownFunction(name: string, ast: ASTNode): Error {
    return celError('CEL_UNKNOWN_FUNCTION', `unknown function '${name}', or wrong number of arguments`, this.#expression, ast.start);
  }
}

function readVariable({ variables }: Scope, name: string, otherwise: CelValue | undefined): CelValue {
  if (Object.hasOwn(variables, name) && variables[name] !== undefined) return toCel(variables[name]);
  if (otherwise === undefined) throw failure(`no such attribute: ${name}`);
  return otherwise;
}

function constant(value: CelValue, type: CelStaticType): Compiled {
  return { type, run: () => value };
}

function literal(value: Node<'value'>['args']): Compiled {
  if (value === null) return constant(null, 'null');
  if (value instanceof UnsignedInt) return constant(new CelUint(value.value), 'uint');
  if (value instanceof Uint8Array) return constant(value, 'bytes');
  switch (typeof value) {
    case 'bigint':
      return constant(checkedInt(value), 'int');
    case 'number':
      return constant(value, 'double');
    case 'string':
      return constant(value, 'string');
    default:
      return constant(value, 'bool');
  }
}
