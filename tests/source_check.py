#!/usr/bin/python3
"""Checks of the source itself: formatting, what the cores include, sizes, one place for each thing.

Prints "ok NAME" for each check that holds; every other line is a finding."""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.chdir(ROOT)

# Pure libraries: functions of their arguments. No Kafka, Redis, clock or file headers (design 10).
PURE_FOLDERS = ["common/stats", "common/ledger", "common/model", "common/figures", "common/avro"]
PURE_SERVICES = {"services/ledger": {"main.c", "ledger_service.c", "ledger_service.h"}, "services/funnel": {"main.c"}}
FORBIDDEN = re.compile(
    r'#\s*include\s*[<"](librdkafka/|hiredis/|time\.h|sys/time\.h|sys/stat\.h|fcntl\.h|unistd\.h|dirent\.h|'
    r'microhttpd\.h|math\.h|fenv\.h|view/|store/|elect/|base/clock\.h|base/http\.h)')
# pthread_once makes a constant table once; threads, locks and waiting belong to the shells.
FORBIDDEN_CALLS = re.compile(r'\b(time|gettimeofday|clock_gettime|rand|random|fopen|open|getenv|pthread_(?!once\b)\w+)\s*\(')
FLOATING = re.compile(r'\b(double|float)\b')
LINES_MAX = 700
FINDINGS_SHOWN_MAX = 20


def files(pattern):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\n") if name and re.search(pattern, name) and os.path.exists(name)]


def strip_comments(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', lambda m: "\n" * m.group(0).count("\n") if m.group(0)[0] == "/" else '""', text, flags=re.S)


def core_files():
    for name in files(r"\.[ch]$"):
        folder = os.path.dirname(name)
        if folder in PURE_FOLDERS:
            yield name
        elif folder in PURE_SERVICES and not re.match(r"(main|.*_service|.*_shell)", os.path.basename(name)):
            yield name


def check_cores():
    for name in core_files():
        raw = open(name, encoding="utf-8").read()
        for number, line in enumerate(re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), raw, flags=re.S).split("\n"), 1):
            if FORBIDDEN.search(line):
                yield f"{name}:{number}: a core includes {line.strip()}"
        for number, line in enumerate(strip_comments(raw).split("\n"), 1):
            if FORBIDDEN_CALLS.search(line):
                yield f"{name}:{number}: a core calls the outside: {line.strip()}"
            if FLOATING.search(line):
                yield f"{name}:{number}: floating point in a core: {line.strip()}"


def check_sizes():
    for name in files(r"^(common|services|tests|bench)/.*\.[ch]$"):
        count = sum(1 for _ in open(name, encoding="utf-8"))
        if count > LINES_MAX:
            yield f"{name}: {count} lines, more than {LINES_MAX}: part it"


def check_format():
    tool = shutil.which("clang-format")
    if not tool:
        yield "clang-format is missing: apt-get install clang-format"
        return
    names = files(r"^(common|services|tests|bench)/.*\.[ch]$")
    done = subprocess.run([tool, "--dry-run", "-Werror", *names], capture_output=True, text=True)
    for line in done.stderr.split("\n"):
        if "error:" in line:
            yield line


def check_headers():
    for name in files(r"^(common|services)/.*\.h$"):
        text = open(name, encoding="utf-8").read()
        if not text.startswith("/*"):
            yield f"{name}:1: a header begins with a comment that says what it is"


def check_unfinished():
    words = "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX:"])  # XXX alone is the currency code of no currency
    for name in files(r"^(common|services|tests|bench|schemas|deploy|docs|README)"):
        try:
            text = open(name, encoding="utf-8").read()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if re.search(rf"\b({words})(?!\w)", line):
                yield f"{name}:{number}: unfinished: {line.strip()[:100]}"


def main():
    checks = [("cores include no Kafka, Redis, clock or file header", check_cores), ("files stay readable", check_sizes),
              ("clang-format is clean", check_format), ("headers say what they are", check_headers), ("nothing is left unfinished", check_unfinished)]
    bad = False
    for title, check in checks:
        findings = list(check())
        for finding in findings[:FINDINGS_SHOWN_MAX]:
            print(finding)
        if len(findings) > FINDINGS_SHOWN_MAX:
            print(f"... and {len(findings) - FINDINGS_SHOWN_MAX} more: {title}")
        if findings:
            bad = True
        else:
            print("ok", title)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
