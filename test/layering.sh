#!/bin/sh
# Fails when a file includes a folder that does not stand to its left in ORDER, or reaches past another
# folder's one public header (<folder>/<folder>.h). Tests may look inside their own folder.
cd "$(dirname "$0")/.." || exit 2
ORDER="core binlog normalize infer store insight pipeline server cli"
bad=$(for folder in $ORDER; do find "$folder" -name '*.h' -o -name '*.cpp'; done | sort | while read -r file; do
  own=${file%%/*}
  left=" ${ORDER%%"$own"*}"
  sed -n 's|^#include "\([a-z]*\)/\(.*\)".*|\1 \2|p' "$file" | while read -r folder header; do
    [ "$folder" = "$own" ] && continue
    case "$left" in
      *" $folder "*) ;;
      *) echo "$file: may not include $folder/, which is not to its left in: $ORDER"; continue ;;
    esac
    [ "$header" = "$folder.h" ] || echo "$file: include $folder/$folder.h, not its private $folder/$header"
  done
done)
[ -z "$bad" ] || { echo "$bad"; exit 1; }
for folder in $ORDER; do
  [ -e "$folder/$folder.h" ] || [ -z "$(ls "$folder"/*.cpp 2> /dev/null)" ] || { echo "$folder/ lacks its public header"; exit 1; }
done
