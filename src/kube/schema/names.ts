/** Forms of names, each as the reason why a text is none (undefined when it is one). */

const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED_PART = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const MAX_LABEL = 63;
const MAX_SUBDOMAIN = 253;

export type NameCheck = (name: string) => string | undefined;

/** Lower-case letters, digits and `-`, at most 63. */
export const dnsLabel: NameCheck = (name) =>
  name.length <= MAX_LABEL && LABEL.test(name)
    ? undefined
    : "must be a lowercase RFC 1123 label: at most 63 letters, digits or '-', with a letter or digit at both ends";

/** DNS labels joined by dots, at most 253 characters. */
export const dnsSubdomain: NameCheck = (name) =>
  name.length <= MAX_SUBDOMAIN && name.split('.').every((part) => LABEL.test(part))
    ? undefined
    : "must be a lowercase RFC 1123 subdomain: at most 253 letters, digits, '-' or '.', with a letter or digit at both ends of every part";

/** A DNS label that starts with a letter (Service names). */
export const dns1035Label: NameCheck = (name) =>
  name.length <= MAX_LABEL && LABEL.test(name) && /^[a-z]/.test(name)
    ? undefined
    : "must be a DNS-1035 label: at most 63 letters, digits or '-', with a letter first and a letter or digit last";

/** What can stand between two slashes of a URL path. */
export const pathSegment: NameCheck = (name) => {
  if (name === '.' || name === '..') return `may not be '${name}'`;
  const bad = ['/', '%'].find((character) => name.includes(character));
  return bad === undefined ? undefined : `may not contain '${bad}'`;
};

/** `name` or `prefix/name`: keys of labels and annotations, finalizers. */
export const qualifiedName: NameCheck = (name) => {
  const parts = name.split('/');
  const local = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (parts.length > 2 || local.length > MAX_LABEL || !QUALIFIED_PART.test(local)) {
    return "must be a qualified name: at most 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends, after an optional DNS subdomain and '/'";
  }
  return prefix === undefined || dnsSubdomain(prefix) === undefined ? undefined : 'the prefix before the slash must be a DNS subdomain';
};

export const labelValue: NameCheck = (value) =>
  value === '' || (value.length <= MAX_LABEL && QUALIFIED_PART.test(value))
    ? undefined
    : "must be a label value: at most 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends";

/** A key of a Secret or ConfigMap. */
export const configKey: NameCheck = (key) => {
  if (key.length > MAX_SUBDOMAIN || !CONFIG_KEY.test(key)) return "must be a config key: at most 253 letters, digits, '-', '_' or '.'";
  if (key === '.' || key === '..') return `must not be '${key}'`;
  return key.startsWith('..') ? "must not start with '..'" : undefined;
};

/** A service port's name: at most 15 characters, at least one letter. */
export const portName: NameCheck = (name) =>
  name.length <= 15 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(name) && /[a-z]/.test(name) && !name.includes('--')
    ? undefined
    : "must be a port name: at most 15 letters, digits or '-', with at least one letter, no '--' and no '-' at the ends";
