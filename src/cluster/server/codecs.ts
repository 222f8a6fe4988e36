import { codeOf, SottoError } from '../../base/errors/index.ts';
import { apiErrors } from '../../kube/objects/index.ts';
import { decodeProtobuf } from '../../kube/schema/index.ts';

/** A YAML body as a JSON value, and what stands twice in it; the parser is loaded when first used. @throws ApiError 400 */
export async function parseYamlBody(text: string): Promise<{ value: unknown; duplicates: string[] }> {
  const { parseYaml } = await import('../../text/yaml/index.ts');
  const read = (duplicateKeys: 'error' | 'last'): unknown => parseYaml(text, { profile: 'yaml11', duplicateKeys }).at(0)?.value;
  try {
    return { value: read('error'), duplicates: [] };
  } catch (error) {
    if (codeOf(error) !== 'YAML_DUPLICATE_KEY') throw unreadable();
    const line = error instanceof SottoError ? error.at?.line : undefined;
    return { value: read('last'), duplicates: [`line ${line ?? 0}`] };
  }
}

/** The parser's message may quote the text, which may hold secrets. */
function unreadable(): Error {
  return apiErrors.badRequest('the body of the request is not valid YAML');
}

/** The object of a protobuf envelope. @throws ApiError 400, 415 */
export function decodeProtobufBody(bytes: Uint8Array): unknown {
  return decodeProtobuf(bytes);
}
