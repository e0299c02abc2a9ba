#!/usr/bin/env bash
# corpus: every image of the public corpus against its truth file. KVALI_CORPUS names the corpus; ../shared/corpus beside the project
# is looked for otherwise; where neither is there the test is skipped, and says so.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
corpus=${KVALI_CORPUS:-$top/../shared/corpus}
if [ ! -d "$corpus/images" ]; then
  echo "no corpus in $corpus (KVALI_CORPUS): skipped"
  exit 77
fi
exec python3 "$top/tests/integration/corpus.py" "$KVALI" "$corpus" "$@"
