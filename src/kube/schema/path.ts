/** Field paths as the API's errors write them: `spec.containers[0].name`, `data[key]`. */

/** The path of a field of a struct. */
export function fieldPath(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`;
}

/** The path of a list item, or of a value in a map with free keys. */
export function itemPath(parent: string, index: number | string): string {
  return `${parent}[${index}]`;
}
