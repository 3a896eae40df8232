"""Draw which room of src/sentigate/ looks into which: python docs/architecture/rooms.py.

The floors are the rule, which tests/test_rooms.py holds the imports to: a room looks only into
rooms on floors below its own.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/sentigate"
PICTURE = Path(__file__).with_name("rooms.svg")
FLOORS = (
    ("cli",),
    ("leaderboard",),
    ("reporting",),
    ("evaluation", "insight"),
    ("language",),
    ("training", "registry"),
    ("gates", "tracking", "serving", "sources"),
    ("tables", "data"),
    ("settings",),
    ("artifacts",),
    ("model",),
    ("errors", "files", "progress"),
)
"""From the roof to the ground; rooms on one floor are neighbours without a door."""
WIDTH, HEIGHT, STEP, MARGIN = 132, 34, 74, 24


def floor_of(room: str) -> int:
    """The number of a room's floor, 0 the roof."""
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def room_imports() -> Counter[tuple[str, str]]:
    """(room, room it looks into) -> how many import lines; those of one room are left out.

    An import that only a type checker reads counts too.
    """
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted(PACKAGE.rglob("*.py")):
        here = path.relative_to(PACKAGE).with_suffix("").parts
        if here == ("__init__",):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for name in imported(node, here):
                if name != here[0]:
                    found[here[0], name] += 1
    return found


def imported(node: ast.AST, here: tuple[str, ...]) -> list[str]:
    """The rooms that an import statement in the module ``here`` names."""
    if isinstance(node, ast.Import):
        names = [alias.name.split(".") for alias in node.names]
        return [name[1] for name in names if name[0] == "sentigate" and name[1:]]
    if not isinstance(node, ast.ImportFrom):
        return []
    module = (node.module or "").split(".") if node.module else []
    if node.level:
        module = ["sentigate", *here[: len(here) - node.level], *module]
    if module[0] != "sentigate":
        return []
    return [module[1]] if module[1:] else [alias.name for alias in node.names]


def draw(edges: Counter[tuple[str, str]]) -> str:
    """The floors as an SVG picture, an arrow from each room to those it looks into."""
    widest = max(map(len, FLOORS))
    width = MARGIN * 2 + widest * (WIDTH + MARGIN * 2)
    height = MARGIN * 2 + (len(FLOORS) - 1) * STEP + HEIGHT
    places = {
        room: (width * (number + 0.5) / len(rooms), MARGIN + floor * STEP)
        for floor, rooms in enumerate(FLOORS)
        for number, room in enumerate(rooms)
    }
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="14">',
        f"<title>{len(edges)} imports between {len(places)} rooms</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#5b6b7b"/>'
        "</marker></defs>",
    ]
    for start, end in sorted(edges):
        (x, y), (to_x, to_y) = places[start], places[end]
        colour = "#c62828" if floor_of(start) >= floor_of(end) else "#5b6b7b"
        y += HEIGHT
        bend = (to_y - y) / 2
        lines.append(
            f'<path d="M{x:.0f},{y} C{x:.0f},{y + bend:.0f} {to_x:.0f},{to_y - bend:.0f} '
            f'{to_x:.0f},{to_y}" fill="none" stroke="{colour}" stroke-opacity="0.55" '
            'marker-end="url(#tip)"/>'
        )
    for room, (x, y) in places.items():
        lines.append(
            f'<rect x="{x - WIDTH / 2:.0f}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
            'fill="#e8eef6" stroke="#0b3d6b"/>'
            f'<text x="{x:.0f}" y="{y + 22}" text-anchor="middle" fill="#0b3d6b">{room}</text>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(draw(room_imports()), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))
