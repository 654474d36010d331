#!/usr/bin/env python3
"""Holds the include graph to the floors of ARCHITECTURE.md: a file includes only its own folder and folders on lower floors."""

import pathlib
import re
import sys

FLOORS = {
    "base": 1, "net": 2, "http": 3, "redis": 4, "telemetry": 4, "llm": 5, "pipeline": 6,
    "access": 7, "limit": 7, "guard": 7, "cache": 7, "flow": 7, "plugin": 7, "provider": 7, "gateway": 8,
}


def problems(source: pathlib.Path):
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        parts = path.relative_to(source).parts
        if len(parts) < 2:
            continue  # main.cc stands above all floors
        own = parts[0]
        if own not in FLOORS:
            yield f"{path}: folder {own}/ has no floor"
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = re.match(r'#include "([a-z_]+)/', line)
            if not match or match[1] == own:
                continue
            other = match[1]
            if other not in FLOORS or FLOORS[other] >= FLOORS[own]:
                yield f"{path}:{number}: {own}/ must not include {other}/"


def main() -> int:
    found = list(problems(pathlib.Path(__file__).resolve().parent.parent / "src"))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
