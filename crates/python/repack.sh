#!/usr/bin/env bash
# Packs wheels again with 7-Zip, whose streams are smaller than those of maturin and unpacked by the same programs.
#
# usage: repack.sh WHEEL...
set -euo pipefail

for wheel in "$@"; do
    folder=$(mktemp -d)
    python3 -m zipfile -e "$wheel" "$folder/files"
    (cd "$folder/files" && find . -type f | sed 's|^\./||' | sort >"$folder/list")
    (cd "$folder/files" && 7z a -tzip -mx=9 -mpass=15 "$folder/new.zip" "@$folder/list" >/dev/null)
    python3 - "$wheel" "$folder/new.zip" <<'END'
import sys, zipfile

old, new = (zipfile.ZipFile(path) for path in sys.argv[1:])
members = [{member.filename: member.CRC for member in archive.infolist()} for archive in (old, new)]
if members[0] != members[1] or new.testzip():
    sys.exit(f"{sys.argv[2]} has other members than {sys.argv[1]}")
END
    before=$(wc -c <"$wheel")
    mv "$folder/new.zip" "$wheel"
    echo "$wheel: $before bytes, now $(wc -c <"$wheel")"
    rm -rf "$folder"
done
