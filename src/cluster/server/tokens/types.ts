import type { World } from '../../../base/world/index.ts';
import type { Store } from '../../store/index.ts';
import type { SigningKey } from './key.ts';

/** What every part of the token service works with. */
export interface TokenContext {
  readonly world: World;
  readonly store: Store;
  readonly issuer: string;
  /** Loaded or made when first needed. */
  readonly key: () => Promise<SigningKey>;
}
