#!/bin/sh
# embed: a text file as a C string. usage: embed.sh INPUT OUTPUT NAME
set -eu
{
  echo "/* Made by the build from $(basename "$1"). */"
  echo "extern const char $3[];"
  echo "const char $3[] ="
  sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$/\\n"/' "$1"
  echo "    ;"
} >"$2"
