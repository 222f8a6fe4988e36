import { SottoError } from '../../base/errors/index.ts';

/** Runs work whose errors do not know the file they are about. */
export function inFile<T>(file: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withFile(error, file);
  }
}

export async function inFileAsync<T>(file: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw withFile(error, file);
  }
}

function withFile(error: unknown, file: string | undefined): unknown {
  if (file === undefined || !(error instanceof SottoError) || error.at?.file !== undefined || error.constructor !== SottoError)
    return error;
  const { code, message, hint, retry, cause, at } = error;
  return new SottoError(code, message, { ...(hint === undefined ? {} : { hint }), retry, cause, at: { ...at, file } });
}
