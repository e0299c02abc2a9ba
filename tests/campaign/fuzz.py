#!/usr/bin/env python3
"""fuzz: libFuzzer with the sanitizers on every harness of tests/fuzz (S3, S4, S5), so many seconds (--count) each. What a harness learns is kept
in build/campaign/fuzz/NAME and is where the next part begins; what breaks it is kept beside it. --only: these harnesses; KVALI_LAYER,
KVALI_INSIDE, KVALI_FORMAT and KVALI_PLUGINS in the environment name one kind for those that know several (tests/fuzz says which). The last
line counts runs, and seconds of the processor."""
import glob
import re
import resource
import shutil
import subprocess

import fuzz_seeds
from common import *

BUILD = os.environ.get("KVALI_BUILD", TOP + "/build")
FOLDER = BUILD + "/campaign/fuzz"
# libyal's libraries are the system's, and not instrumented. What is asked for above limit.memory
# is not given, as in a worker: libewf asks for the four gigabytes that a damaged table lets a chunk have.
# Processes of their own, which begin anew every few seconds, so that a crash in a library does not end it all. What takes long to begin has none.
FORKED, WITH_LIBRARIES = ["-fork=1", "-ignore_crashes=1"], ("inside", "layer", "ewf", "rules")
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=1536", KVALI_FEATURES=TOP + "/rules/features")


def more(parser):
    parser.add_argument("--only", type=lambda text: text.split(","), help="harnesses, ',' between")


def build(campaign):
    """The names of the harnesses, built."""
    if not shutil.which("clang"):
        campaign.skip("there is no clang (Debian: clang, libclang-rt-dev)")
    folder = BUILD + "/fuzzers"
    if not os.path.exists(folder + "/build.ninja"):
        made = subprocess.run(["meson", "setup", folder, TOP, "-Dfuzzer=true", "-Dtests=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1",
                               "-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined"], env=dict(os.environ, CC="clang"),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if made.returncode:
            campaign.skip("clang has no libFuzzer (Debian: libclang-rt-dev): " + made.stdout[-200:])
    names = sorted(os.path.basename(path)[5:-2] for path in glob.glob(TOP + "/tests/fuzz/fuzz_*.c"))
    names = [name for name in names if not campaign.args.only or name in campaign.args.only]
    made = subprocess.run(["ninja", "-C", folder, *(f"tests/fuzz/fuzz_{name}" for name in names)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not campaign.check(made.returncode == 0, "the harnesses are not built:", made.stdout[-600:]):
        campaign.end()
    return {name: f"{folder}/tests/fuzz/fuzz_{name}" for name in names}


def judge(campaign, name, program, artifact):
    """Once more, alone: what is no fault of kvali's code is told, and contained by the sandbox (KNOWN-LIMITS.md)."""
    run = subprocess.run([program, "-timeout=120", "-rss_limit_mb=3000", artifact], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, errors="replace", cwd=campaign.work)
    if run.returncode == 0:
        campaign.tell("not again")
        return os.unlink(artifact)
    frames = [line for line in run.stdout.splitlines() if re.match(r" *#\d+ ", line) and not re.search(r"sanitizer|fuzzer::|libc\.so|/nptl/|/csu/|/sysdeps/|/stdlib/", line)]
    library = re.search(r"(lib[a-z0-9_+-]+)\.so", frames[0]) if frames and "runtime error" not in run.stdout else None
    if library:
        return campaign.tell("crashes in " + library.group(1))
    told = [line for line in run.stdout.splitlines() if re.search(r"ERROR: |SUMMARY: |runtime error|(engine|plugins|cases|tests)/.*\.c:", line)]
    campaign.check(False, name + ":", os.path.basename(artifact), "\n".join(told)[:1500])


def fuzz(campaign, name, program):
    learnt = f"{FOLDER}/{name}"
    os.makedirs(learnt, exist_ok=True)
    seeds = fuzz_seeds.lay(name, campaign.path("seeds-" + name), campaign.path("made-" + name), campaign.rng)
    before = set(glob.glob(f"{FOLDER}/{name}-*"))
    run = subprocess.run([program, *FORKED * (name in WITH_LIBRARIES), "-print_final_stats=1", f"-max_total_time={campaign.args.count}",
                          f"-max_len={3 * fuzz_seeds.LARGEST // 2}", "-timeout=120", "-rss_limit_mb=3000", f"-seed={campaign.args.seed}",
                          f"-artifact_prefix={FOLDER}/{name}-", learnt, seeds], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, errors="replace", cwd=campaign.work)
    runs = re.findall(r"^#(\d+): cov", run.stdout, re.M) or re.findall(r"number_of_executed_units: (\d+)", run.stdout)
    campaign.check(bool(runs), name + ": it did not run:", run.stdout[-800:])
    for artifact in sorted(set(glob.glob(f"{FOLDER}/{name}-*")) - before):
        judge(campaign, name, program, artifact)
    count = int(runs[-1]) if runs else 0
    campaign.tell(name, count)
    return count


campaign = Campaign(__doc__, 60, more)
runs = sum([fuzz(campaign, name, program) for name, program in build(campaign).items()])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
campaign.tell("seconds of the processor", round(used.ru_utime + used.ru_stime))
campaign.tried = runs
campaign.end()
