#!/usr/bin/python3
"""gcc and clang, -O0 and -O2: the same ledger gives the same figures and the same state digests.

One ledger is written once; the funnel of each build folds it from the beginning into an empty Redis. Its attests must be
the recorded ones (the machine compares them itself and stops the tenant if not), its snapshot's digest and every figure
row must be equal. Prints one line a build; exit 1 on a difference."""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "e2e"))
import harness  # noqa: E402

TENANT = "gen"
BUILDS = [("gcc", "-O0"), ("gcc", "-O2"), ("clang", "-O0"), ("clang", "-O2")]


def build(compiler, level):
    folder = harness.ROOT / "build" / f"{compiler}{level}"
    subprocess.run(["cmake", "--preset", "dev", "-B", folder, f"-DCMAKE_C_COMPILER={compiler}", "-DCMAKE_BUILD_TYPE=None",
                    f"-DCMAKE_C_FLAGS={level}", "-DPACELINE_WERROR=OFF"], cwd=harness.ROOT, check=True, capture_output=True)
    subprocess.run(["ninja", "-C", folder, "paceline-funnel"], check=True, capture_output=True)
    return folder / "bin" / "paceline-funnel"


def write_ledger(folder):
    """Fills folder/log and returns nothing; the company has every action, late, retracted and bad events."""
    with harness.Paceline(None, "embedded") as p:
        company = p.folder / "company"
        p.run("gen", "--out", company, "--seed", "5", "--leads", "400", "--tenant", TENANT)
        p.run("plan", "apply", company / "plan.yaml")
        p.call("import", company / "events.ndjson", "--tenant", TENANT, "--as-lived", "--no-progress")
        p.wait()
        p.process.stop()
        shutil.copytree(p.dir / "log", folder / "log")


def fold(ledger, program):
    with harness.Paceline(None, "embedded", services="apart") as p:
        shutil.copytree(ledger / "log", p.dir / "log")
        funnel = harness.Process([program, *p.where()], p.folder, "funnel")
        try:
            p.run("wait")
            figures = p.run("show", "funnel", "--tenant", TENANT, "--all", "--json")
        finally:
            funnel.stop()
        tenants = {t["tenant"]: t for shard in p.rows("show", "shards") for t in shard["tenants"]}
        assert not tenants[TENANT].get("stop"), tenants
        return tenants[TENANT]["digest"], figures


def main():
    folder = pathlib.Path(os.environ.get("PACELINE_STATE", "/tmp")) / "compilers"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_ledger(folder)
    seen = {}
    for compiler, level in BUILDS:
        digest, figures = fold(folder, build(compiler, level))
        print(f"{compiler:5s} {level}  digest {digest}  {len(figures.splitlines())} figure rows", flush=True)
        seen[(digest, figures)] = f"{compiler} {level}"
    if len(seen) != 1:
        print("builds differ:", ", ".join(seen.values()))
        return 1
    print(f"{len(BUILDS)} builds, one digest")
    return 0


if __name__ == "__main__":
    sys.exit(main())
