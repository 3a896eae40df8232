"""Draw the imports between the rooms of src/sentigate/: python docs/architecture/rooms.py.

The floors come from a contract of import-linter in pyproject.toml: a room imports only from rooms
on floors below its own.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PICTURE = Path(__file__).with_name("rooms.svg")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
(CONTRACT,) = PYPROJECT["tool"]["importlinter"]["contracts"]
FLOORS = [floor.split(" | ") for floor in CONTRACT["layers"]]
"""The rooms of each floor, from the top; rooms on one floor do not import each other."""
WIDTH, HEIGHT, STEP, MARGIN = 132, 34, 74, 24


def room_imports() -> set[tuple[str, str]]:
    """Return (room, imported room) pairs, including imports only for type checking."""
    graph = grimp.build_graph("sentigate", cache_dir=None)
    rooms = graph.find_children("sentigate")
    for room in rooms:
        graph.squash_module(room)
    return {
        (room.split(".")[1], other.split(".")[1])
        for room in rooms
        for other in graph.find_modules_directly_imported_by(room) & rooms - {room}
    }


def draw(edges: set[tuple[str, str]]) -> str:
    """Return an SVG picture of the floors, with an arrow from each room to each imported room."""
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
        colour = "#c62828" if y >= to_y else "#5b6b7b"
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
