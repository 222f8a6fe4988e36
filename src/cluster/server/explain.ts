import type { ApiRequest, ApiResponse } from '../../kube/client/index.ts';
import type { AccessExplanation, Attributes, Authorize } from '../registry/index.ts';

/** Asks for an explanation of the decision, as a header or a query parameter; the answer has a header of this name. */
const EXPLAIN = 'sotto-explain';
/** Clients refuse headers that are much longer. */
const MAX_HEADER = 4096;

/** Adds why the request was allowed or refused to the answer, when the caller wants to know. */
export function withExplanation(
  response: ApiResponse,
  request: ApiRequest,
  authorize: Authorize,
  attributes: () => Attributes,
): ApiResponse {
  const isWanted = request.headers[EXPLAIN] !== undefined || request.query.has(EXPLAIN);
  if (!isWanted || authorize.explain === undefined) return response;
  return { ...response, headers: { ...response.headers, [EXPLAIN]: headerText(authorize.explain(attributes())) } };
}

/** JSON in ASCII; bindings that don't fit are left out from the end, and counted. */
function headerText({ allowed, reason, grants }: AccessExplanation): string {
  for (let count = grants.length; ; count--) {
    const rest = grants.length - count;
    const text = ascii(JSON.stringify({ allowed, reason, grants: grants.slice(0, count), ...(rest === 0 ? {} : { more: rest }) }));
    if (text.length <= MAX_HEADER || count === 0) return text;
  }
}

function ascii(text: string): string {
  return text.replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
