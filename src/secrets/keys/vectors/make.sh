#!/bin/sh
# Makes the fixtures of this folder again. Needs ssh-keygen, gpg 2.2, and age and sops in PEERS.
set -eu
PEERS=${PEERS:?the folder that holds age, age-keygen and sops}
cd "$(dirname "$0")"
rm -f TEST-KEY-* *.age *.asc *.gpg.txt *.sops.yaml
umask 022

# The data key inside every fixture: bytes 0 to 31.
DATA=$(mktemp -d)
trap 'rm -rf "$DATA"' EXIT
i=0
while [ $i -lt 32 ]; do printf "\\$(printf %03o $i)"; i=$((i + 1)); done > "$DATA/key"

ssh-keygen -q -t ed25519 -N '' -C 'TEST KEY' -f TEST-KEY-ed25519
ssh-keygen -q -t rsa -b 2048 -N '' -C 'TEST KEY' -f TEST-KEY-rsa
cp TEST-KEY-ed25519 TEST-KEY-ed25519-protected
ssh-keygen -q -p -f TEST-KEY-ed25519-protected -P '' -N 'test passphrase' > /dev/null
cp TEST-KEY-rsa TEST-KEY-rsa-protected
ssh-keygen -q -p -Z aes256-cbc -a 8 -f TEST-KEY-rsa-protected -P '' -N 'test passphrase' > /dev/null
cp TEST-KEY-rsa TEST-KEY-rsa-pem-protected
ssh-keygen -q -p -m PEM -f TEST-KEY-rsa-pem-protected -P '' -N 'test passphrase' > /dev/null
for type in ed25519 rsa; do
  "$PEERS/age" -a -R TEST-KEY-$type.pub -o ssh-$type.age "$DATA/key"
done

"$PEERS/age-keygen" -o TEST-KEY-inside.agekey 2> /dev/null
AGE_PASSPHRASE='test passphrase' AGE_PASSPHRASE_WORK_FACTOR=14 PATH="$PEERS:$PATH" "$PEERS/age" -e -j batchpass -o TEST-KEY-protected.agekey.age TEST-KEY-inside.agekey
AGE_PASSPHRASE='test passphrase' AGE_PASSPHRASE_WORK_FACTOR=14 PATH="$PEERS:$PATH" "$PEERS/age" -e -a -j batchpass -o TEST-KEY-protected-armored.agekey.age TEST-KEY-inside.agekey

GNUPGHOME=$DATA/gnupg
export GNUPGHOME
mkdir -m 700 "$GNUPGHOME"
make_key() { # name, primary, subkey
  gpg -q --batch --pinentry-mode loopback --passphrase "$4" --quick-gen-key "TEST KEY $1 <$1@example.invalid>" "$2" default never
  fp=$(gpg --list-keys --with-colons "$1@example.invalid" | awk -F: '/^fpr/ { print $10; exit }')
  [ -z "$3" ] || gpg -q --batch --pinentry-mode loopback --passphrase "$4" --quick-add-key "$fp" "$3" encr never
  gpg -q --batch --pinentry-mode loopback --passphrase "$4" --export-secret-keys -a "$fp" > "TEST-KEY-pgp-$1.asc"
  gpg -q --export -a "$fp" > "TEST-KEY-pgp-$1.pub.asc"
  gpg -q --batch --trust-model always -e -a -r "$fp" < "$DATA/key" > "pgp-$1.gpg.txt"
}
# RSA-1024 with SHA-1 signatures, as in files of 2015
printf 'cert-digest-algo SHA1\npersonal-digest-preferences SHA1\nweak-digest MD5\n' > "$GNUPGHOME/gpg.conf"
make_key rsa1024 rsa1024 rsa1024 ''
rm "$GNUPGHOME/gpg.conf"
make_key rsa2048 rsa2048 rsa2048 ''
make_key curve25519 ed25519 cv25519 ''
make_key elgamal dsa2048 elg2048 ''
make_key protected ed25519 cv25519 'test passphrase'
# session ciphers of old versions
fp=$(gpg --list-keys --with-colons rsa2048@example.invalid | awk -F: '/^fpr/ { print $10; exit }')
for cipher in CAST5 3DES; do
  gpg -q --batch --trust-model always --cipher-algo $cipher --allow-old-cipher-algos -e -a -r "$fp" < "$DATA/key" > "pgp-rsa2048-$cipher.gpg.txt" 2> /dev/null ||
    gpg -q --batch --trust-model always --cipher-algo $cipher -e -a -r "$fp" < "$DATA/key" > "pgp-rsa2048-$cipher.gpg.txt"
done
gpg -q --batch --trust-model always --throw-keyids -e -a -r "$fp" < "$DATA/key" > pgp-rsa2048-hidden.gpg.txt
# a key that has expired since (made in the past)
gpg -q --batch --pinentry-mode loopback --passphrase '' --faked-system-time 20200101T000000 --quick-gen-key 'TEST KEY expired <expired@example.invalid>' rsa2048 default 2020-06-01 
fp=$(gpg --list-keys --with-colons expired@example.invalid | awk -F: '/^fpr/ { print $10; exit }')
gpg -q --batch --faked-system-time 20200102T000000 --pinentry-mode loopback --passphrase '' --quick-add-key "$fp" rsa2048 encr 2020-06-01
gpg -q --batch --pinentry-mode loopback --passphrase '' --export-secret-keys -a "$fp" > TEST-KEY-pgp-expired.asc
gpg -q --batch --faked-system-time 20200103T000000 --trust-model always -e -a -r "$fp" < "$DATA/key" > pgp-expired.gpg.txt
gpgconf --kill all
