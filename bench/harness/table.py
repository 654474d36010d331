"""The table of figures, and its place in RESULTS.md."""

import datetime
import pathlib
import re
from dataclasses import dataclass

from .processes import ROOT

RESULTS = ROOT / "bench" / "RESULTS.md"
HEADINGS = ("what", "nginx", "sluice", "ratio", "must", "aim", "verdict")


@dataclass
class Row:
    what: str
    nginx: str
    sluice: str
    ratio: str
    must: str
    aim: str
    verdict: str

    def cells(self) -> tuple[str, ...]:
        return (self.what, self.nginx, self.sluice, self.ratio, self.must, self.aim, self.verdict)


def verdict(value: float, must: float, aim: float, errors: float = 0) -> str:
    if errors:
        return f"FAILED: {errors:g} errors"
    return "aim met" if value <= aim else "must met" if value <= must else "MISSED"


def to_text(rows: list[tuple]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return "\n".join(lines)


def to_markdown(headings: tuple, rows: list[tuple]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def print_table(rows: list[Row]) -> None:
    print("\n" + to_text([HEADINGS, *(row.cells() for row in rows)]) + "\n", flush=True)


def machine() -> str:
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.*)$", text, re.M)
    return f"{model.group(1) if model else 'unknown processor'}, {len(re.findall(r'^processor', text, re.M))} cores"


def _sections() -> dict[str, str]:
    text = RESULTS.read_text() if RESULTS.exists() else ""
    parts = re.split(r"^## (.*)\n", text, flags=re.M)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2])))


def _old_rows(section: str) -> dict[str, tuple]:
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines[2:]]
    return {row[0]: row for row in cells}


def keep(title: str, note: str, headings: tuple, rows: list[tuple]) -> None:
    """Writes rows into the section of RESULTS.md, replacing those of the same first cell."""
    sections = _sections()
    merged = _old_rows(sections.get(title, "")) | {row[0]: row for row in rows}
    stamp = f"{datetime.date.today().isoformat()}, {machine()}."
    sections[title] = f"{stamp} {note}\n\n{to_markdown(headings, list(merged.values()))}"
    body = "\n\n".join(f"## {name}\n\n{text}" for name, text in sections.items())
    RESULTS.write_text(f"# Results\n\nWritten by `bench/run` and `bench/instructions`; see `bench/README.md` for what each row means.\n\n{body}\n")
