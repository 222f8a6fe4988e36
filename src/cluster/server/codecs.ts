import { apiErrors } from '../../kube/objects/index.ts';
import { decodeProtobuf } from '../../kube/schema/index.ts';

/** A YAML body as a JSON value; the parser is loaded when first used. @throws ApiError 400 */
export async function parseYamlBody(text: string): Promise<unknown> {
  const { parseYaml } = await import('../../text/yaml/index.ts');
  try {
    return parseYaml(text, { profile: 'yaml11' }).at(0)?.value;
  } catch {
    // The parser's message may quote the text, which may hold secrets.
    throw apiErrors.badRequest('the body of the request is not valid YAML');
  }
}

/** The object of a protobuf envelope. @throws ApiError 400, 415 */
export function decodeProtobufBody(bytes: Uint8Array): unknown {
  return decodeProtobuf(bytes);
}
