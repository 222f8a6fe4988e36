/**
 * How far an object is: the rules of kstatus (cli-utils pkg/kstatus, as flux uses it), one small function per kind.
 *
 * @module
 */
export { statusOf, type Health, type HealthStatus } from './status.ts';
