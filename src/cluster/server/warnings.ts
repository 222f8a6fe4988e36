import type { ApiResponse } from '../../kube/client/index.ts';

const MAX_RUNES = 4096;
const MAX_ITEM_RUNES = 256;

/** Warnings of one request, answered as `Warning` headers (REST-12; apiserver:pkg/endpoints/filters/warning.go). */
export interface Warnings {
  add(message: string): void;
  addTo(response: ApiResponse): ApiResponse;
}

export function warnings(): Warnings {
  const messages = new Set<string>();
  return {
    add: (message) => void messages.add(message),
    addTo: (response) => {
      if (messages.size === 0) return response;
      return { ...response, headers: { ...response.headers, warning: headerOf([...messages]) } };
    },
  };
}

function headerOf(messages: readonly string[]): string {
  const total = messages.reduce((sum, message) => sum + runes(message).length, 0);
  const items = total > MAX_RUNES ? messages.map((message) => runes(message).slice(0, MAX_ITEM_RUNES).join('')) : messages;
  let left = MAX_RUNES;
  const kept = items.filter((item) => (left -= runes(item).length) >= 0);
  return kept.map((item) => `299 - ${quoted(item)}`).join(', ');
}

/** Code points, as Go counts runes. */
function runes(text: string): string[] {
  return Array.from(text);
}

/** A quoted string of an HTTP header: no control characters, nothing beyond Latin-1 as it is. */
function quoted(text: string): string {
  const safe = text.replaceAll(/\p{Cc}/gu, ' ').replaceAll(/[\\"]/g, '\\$&');
  return `"${safe.replaceAll(/[^\u0020-\u00ff]/gu, '?')}"`;
}
