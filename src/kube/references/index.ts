/**
 * Which object consumes or produces which Secret or ConfigMap: one table, a line per field, used by everybody who
 * asks (status columns, audit, who-can, blast radius, reloader).
 *
 * @module
 */
export { consumedKinds, producesOf, referencesOf, type Product, type Reference } from './references.ts';
export { usuallyProvidedBy } from './providers.ts';
