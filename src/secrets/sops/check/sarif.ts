import { CHECKS, type Finding } from './types.ts';

/**
 * Findings in SARIF 2.1.0, as code scanning services read it.
 *
 * @param version of the program that checked
 */
export function toSarif(findings: readonly Finding[], version: string): unknown {
  const rules = Object.entries(CHECKS).map(([id, { level, meaning }]) => ({
    id,
    shortDescription: { text: meaning },
    defaultConfiguration: { level },
  }));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'sotto sops check', version, rules } },
        results: findings.map(({ code, level, file, message }) => ({
          ruleId: code,
          ruleIndex: rules.findIndex(({ id }) => id === code),
          level,
          message: { text: message },
          locations: [{ physicalLocation: { artifactLocation: { uri: encodeURI(file) }, region: { startLine: 1 } } }],
        })),
      },
    ],
  };
}
