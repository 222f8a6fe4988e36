#!/bin/sh
# Checks that the real sops reads what we write: encrypts plain/ with Sotto, decrypts with sops, compares with decrypted/.
# Run by hand after changes: crosscheck.sh [NODE]. Needs sops; not part of npm test.
set -eu
cd "$(dirname "$0")"
NODE=${1:-../../../node_modules/.bin/node}
SOPS=${SOPS:-sops}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cat TEST-KEY-x25519.agekey TEST-KEY-second.agekey TEST-KEY-hybrid.agekey > "$WORK/keys"
export SOPS_DISABLE_VERSION_CHECK=1 SOPS_AGE_KEY_FILE="$WORK/keys"
X=$(grep -o 'age1[a-z0-9]*' TEST-KEY-x25519.agekey | head -1)
PQ=$(grep -o 'age1pq1[a-z0-9]*' TEST-KEY-hybrid.agekey | head -1)
cat > "$WORK/sotto.mjs" <<JS
import { systemEntropy, systemWorld } from '$PWD/../../../src/base/world/index.ts';
import { main } from '$PWD/../../../src/cli/sops/index.ts';
process.exitCode = await main(process.argv.slice(2), systemWorld(), systemEntropy);
JS
check() { # NAME SOURCE FLAGS…
  name=$1 source=$2; shift 2
  "$NODE" "$WORK/sotto.mjs" encrypt --output "$WORK/$name" "$@" "plain/$source"
  "$SOPS" decrypt "$WORK/$name" > "$WORK/out" && cmp "$WORK/out" "decrypted/$name" && echo "ok $name"
}
check worked-example.yaml worked-example.yaml --age "$X"
check types.yaml types.yaml --age "$X"
check types-everything.yaml types.yaml --age "$X" --unencrypted-suffix NONE
check multi.yaml multi.yaml --age "$X"
check secret.yaml secret.yaml --age "$X" --encrypted-regex '^(data|stringData)$'
check secret-two-recipients.yaml secret.yaml --age "$X,$PQ" --encrypted-regex '^(data|stringData)$'
check types.json types.json --age "$X"
check types.env types.env --age "$X"
check hybrid.env types.env --age "$PQ"
check blob.bin blob.bin --age "$X"
check text.txt text.txt --age "$X"
check empty.bin empty.bin --age "$X"
check suffix.yaml secret.yaml --age "$X" --encrypted-suffix word
check unregex.yaml secret.yaml --age "$X" --unencrypted-regex '^(kind|apiVersion|metadata)$'
check comments-enc.yaml comments.yaml --age "$X" --encrypted-comment-regex sops:enc
check comments-unenc.yaml comments.yaml --age "$X" --unencrypted-comment-regex sops:enc
check mac-only.yaml worked-example.yaml --mac-only-encrypted --age "$X"
check shamir.yaml secret.yaml --config shamir.sops.yaml
check shamir.env types.env --config shamir.sops.yaml --filename-override plain/x.env
check config.ini config.ini --age "$X"
check wild.ini wild.ini --age "$X"
