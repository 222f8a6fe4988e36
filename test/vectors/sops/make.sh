#!/bin/sh
# Makes encrypted/ and decrypted/ from plain/ with the real sops. Run by hand; npm test does not need it.
set -eu
cd "$(dirname "$0")"
SOPS=${SOPS:-sops}
export SOPS_DISABLE_VERSION_CHECK=1 SOPS_AGE_KEY_FILE="$(mktemp)"
trap 'rm -f "$SOPS_AGE_KEY_FILE"' EXIT
cat TEST-KEY-x25519.agekey TEST-KEY-second.agekey > "$SOPS_AGE_KEY_FILE"
X=$(grep -o 'age1[a-z0-9]*' TEST-KEY-x25519.agekey | head -1)
PQ=$(grep -o 'age1pq1[a-z0-9]*' TEST-KEY-hybrid.agekey | head -1)
make() { # NAME SOURCE FLAGS…: encrypted/NAME from plain/SOURCE, and decrypted/NAME as sops gives it back
  name=$1 source=$2; shift 2
  "$SOPS" encrypt "$@" "plain/$source" > "encrypted/$name"
  "$SOPS" decrypt "encrypted/$name" > "decrypted/$name"
}
rm -f encrypted/* decrypted/*
make worked-example.yaml worked-example.yaml --age "$X"
make types.yaml types.yaml --age "$X"
make types-everything.yaml types.yaml --age "$X" --unencrypted-suffix NONE
make multi.yaml multi.yaml --age "$X"
make secret.yaml secret.yaml --age "$X" --encrypted-regex '^(data|stringData)$'
make secret-two-recipients.yaml secret.yaml --age "$X,$PQ" --encrypted-regex '^(data|stringData)$'
make types.json types.json --age "$X"
make types.env types.env --age "$X"
make blob.bin blob.bin --age "$X"
make text.txt text.txt --age "$X"
make empty.bin empty.bin --age "$X"
make config.ini config.ini --age "$X"
make wild.ini wild.ini --age "$X"
make suffix.yaml secret.yaml --age "$X" --encrypted-suffix word
make unregex.yaml secret.yaml --age "$X" --unencrypted-regex '^(kind|apiVersion|metadata)$'
"$SOPS" -e --age "$X" --encrypted-comment-regex 'sops:enc' plain/comments.yaml > encrypted/comments-enc.yaml
"$SOPS" decrypt encrypted/comments-enc.yaml > decrypted/comments-enc.yaml
# sops 3.13.3 cannot decrypt this one itself: an encrypted comment in a list ends the run of comments there
"$SOPS" -e --age "$X" --encrypted-comment-regex 'sops:enc' plain/comments-list.yaml > encrypted/comments-list.yaml
"$SOPS" -e --age "$X" --unencrypted-comment-regex 'sops:enc' plain/comments.yaml > encrypted/comments-unenc.yaml
"$SOPS" decrypt encrypted/comments-unenc.yaml > decrypted/comments-unenc.yaml
"$SOPS" --mac-only-encrypted encrypt --age "$X" plain/worked-example.yaml > encrypted/mac-only.yaml
"$SOPS" decrypt encrypted/mac-only.yaml > decrypted/mac-only.yaml
"$SOPS" --config shamir.sops.yaml encrypt plain/secret.yaml > encrypted/shamir.yaml
"$SOPS" decrypt encrypted/shamir.yaml > decrypted/shamir.yaml
"$SOPS" --config shamir.sops.yaml encrypt --filename-override plain/x.env plain/types.env > encrypted/shamir.env
"$SOPS" decrypt encrypted/shamir.env > decrypted/shamir.env
"$SOPS" encrypt --age "$PQ" plain/types.env > encrypted/hybrid.env
SOPS_AGE_KEY_FILE=$PWD/TEST-KEY-hybrid.agekey "$SOPS" decrypt encrypted/hybrid.env > decrypted/hybrid.env
"$SOPS" decrypt --output-type json encrypted/types.env > decrypted/types.env.as-json
"$SOPS" decrypt --output-type yaml encrypted/types.env > decrypted/types.env.as-yaml
"$SOPS" decrypt --output-type json encrypted/secret.yaml > decrypted/secret.yaml.as-json
