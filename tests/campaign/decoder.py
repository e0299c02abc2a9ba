#!/usr/bin/env python3
"""decoder: libFuzzer on what the supervisor makes of workers' messages (S3), with the sanitizers: tests/fuzz/fuzz_intake.c. --count: seconds.
What it learns is kept in build/campaign/decoder and is where the next part begins."""
import re
import shutil
import subprocess

from common import *

FLAGS = "-g -O1 -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined".split()
SOURCES = """tests/fuzz/fuzz_intake.c engine/job/intake.c engine/evidence/found.c engine/job/wire.c engine/scan/record.c engine/scan/record_check.c engine/base/bytes.c
    engine/base/buf.c engine/base/text.c engine/base/settings.c engine/base/why.c engine/base/when.c engine/base/log.c engine/base/json.c engine/base/hash.c""".split()

campaign = Campaign(__doc__, 60)
if not shutil.which("clang"):
    campaign.skip("there is no clang (Debian: clang, libclang-rt-dev)")
built = subprocess.run(["clang", *FLAGS, "-I.", "-o", campaign.path("fuzz"), *SOURCES, "-lcrypto", "-lxxhash"], cwd=TOP, stderr=subprocess.PIPE, text=True)
if built.returncode and "libclang_rt" in built.stderr:
    campaign.skip("clang has no libFuzzer (Debian: libclang-rt-dev)")
if not campaign.check(built.returncode == 0, "clang does not build it:", built.stderr[-300:]):
    campaign.end()
grown = os.environ.get("KVALI_BUILD", TOP + "/build") + "/campaign/decoder"
os.makedirs(grown, exist_ok=True)
run = subprocess.run([campaign.path("fuzz"), f"-max_total_time={campaign.args.count}", "-max_len=20000", "-timeout=20", "-print_final_stats=1",
                      f"-seed={campaign.args.seed}", f"-artifact_prefix={grown}-", grown], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
runs = re.search(r"number_of_executed_units: (\d+)", run.stdout)
campaign.check(run.returncode == 0, "the decoder:", run.stdout[-1500:])
campaign.tried = int(runs.group(1)) if runs else 1
campaign.tell("seconds", campaign.args.count)
campaign.end()
