"""The pictures of the site, as SVG from the standard library: ``python docs/pictures.py`` draws them again.

A test compares what is kept with what this draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import fhe
from fhe import research

FOLDER = Path(__file__).resolve().parent
INK, SOFT, BLUE, GREEN, RED, SAND = "#1f2933", "#9aa5b1", "#2b6cb0", "#2f855a", "#c05621", "#faf5ec"


def text(x: float, y: float, words: str, size: int = 14, anchor: str = "middle", colour: str = INK) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def box(x: float, y: float, width: float, height: float, fill: str = SAND, stroke: str = INK) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" fill="{fill}" stroke="{stroke}" '
        'stroke-width="1.2"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str = INK, arrow: bool = False, width: float = 1.4) -> str:
    end = ' marker-end="url(#arrow)"' if arrow else ""
    return f'<path d="M{x1:g} {y1:g} L{x2:g} {y2:g}" stroke="{colour}" stroke-width="{width}" fill="none"{end}/>'


def arc(x1: float, y1: float, x2: float, y2: float, bend: float, colour: str) -> str:
    middle = (x1 + x2) / 2, (y1 + y2) / 2 - bend
    return (
        f'<path d="M{x1:g} {y1:g} Q{middle[0]:g} {middle[1]:g} {x2:g} {y2:g}" stroke="{colour}" stroke-width="1.4" '
        'fill="none" marker-end="url(#arrow)"/>'
    )


def picture(width: int, height: int, title: str, *parts: str) -> str:
    head = (
        '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{INK}"/></marker>'
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="Helvetica, Arial, sans-serif">',
        f"<title>{title}</title><defs>{head}</defs>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def ring() -> str:
    """X^N + 1 = 0: multiplying by X moves coefficients round a circle, and what passes the end changes its sign."""
    N, cx, cy, r, parts = 8, 200, 190, 120, []
    for k in range(2 * N):
        angle = math.pi * k / N
        x, y = cx + r * math.cos(angle), cy - r * math.sin(angle)
        colour, sign, power = (BLUE, "", k) if k < N else (RED, "−", k - N)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="17" fill="white" stroke="{colour}" stroke-width="1.8"/>')
        label = sign + ("1" if power == 0 else "X" if power == 1 else f"X{'⁰¹²³⁴⁵⁶⁷'[power]}")
        parts.append(text(x, y + 5, label, 13, colour=colour))
    words = ["a step is a product with X", "after N steps: X⁸ = −1", "after 2N steps: back"]
    parts += [text(cx, cy - 12 + 20 * i, words[i], 13) for i in range(3)]
    coefficients = [3, 0, -1, 2, 0, 0, 5, 1]
    parts.append(text(420, 90, "f = 3 − X² + 2X³ + 5X⁶ + X⁷", 15, "start"))
    for row, (label, values) in enumerate({"f": coefficients, "X·f": [-coefficients[-1], *coefficients[:-1]]}.items()):
        y = 125 + 75 * row
        parts.append(text(412, y + 23, label, 15, "end"))
        for k, value in enumerate(values):
            moved = row and k == 0
            parts.append(box(420 + 42 * k, y, 38, 34, "#fbe9e0" if moved else SAND, RED if moved else INK))
            parts.append(text(439 + 42 * k, y + 22, str(value).replace("-", "−"), 14))
    parts += [line(439 + 42 * k, 161, 479 + 42 * k, 198, SOFT, width=1) for k in range(7)]
    parts.append(text(420, 265, "coefficients are numbers modulo q; N is 4096 and more", 12, "start"))
    return picture(780, 370, "The ring Z_q[X] / (X^8 + 1)", *parts)


def slots() -> str:
    """A polynomial is its values at N roots: products act there one by one, automorphisms turn them."""
    parts = [text(175, 34, "values at the roots of X⁸ + 1", 15), text(560, 34, "the slots of CKKS", 15)]
    cx, cy, r, N = 175, 190, 110, 8
    parts.append(f'<circle cx="{cx}" cy="{cy}" r="{r}" fill="none" stroke="{SOFT}"/>')
    parts += [line(cx - r - 20, cy, cx + r + 20, cy, SOFT), line(cx, cy + r + 20, cx, cy - r - 20, SOFT)]
    order = {pow(5, k, 2 * N): k for k in range(N // 2)}
    for e in range(1, 2 * N, 2):
        angle = math.pi * e / N
        x, y = cx + r * math.cos(angle), cy - r * math.sin(angle)
        colour = BLUE if e in order else SOFT
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="{colour}"/>')
        label = f"slot {order[e]}" if e in order else "conjugate"
        parts.append(text(cx + (r + 44) * math.cos(angle), cy - (r + 26) * math.sin(angle) + 4, label, 12))
    for row, (label, values) in enumerate({"x": "0.5 2 −1 4", "y": "3 0.5 2 1", "x·y": "1.5 1 −2 4"}.items()):
        y = 70 + 52 * row
        parts.append(text(412, y + 25, label, 15, "end"))
        for k, value in enumerate(values.split()):
            parts += [box(425 + 76 * k, y, 68, 36, "#e8f1fb" if row == 2 else SAND), text(459 + 76 * k, y + 23, value)]
    parts.append(text(412, 275, "rotated", 14, "end"))
    for k, value in enumerate(["1", "−2", "4", "1.5"]):
        parts += [box(425 + 76 * k, 252, 68, 36, "#e6f4ec"), text(459 + 76 * k, 275, value)]
    parts += [line(459 + 76 * k, 212, 459 + 76 * (k - 1), 248, GREEN, True) for k in range(1, 4)]
    parts.append(arc(459, 212, 687, 248, -14, GREEN))
    parts.append(text(575, 325, "X → X⁵ turns the slots; a key makes the result readable again", 13))
    return picture(780, 350, "Slots are values at roots of unity", *parts)


def levels() -> str:
    """A ciphertext's modulus is a product of primes; a product uses one of them up."""
    parts = [text(390, 30, "each product is rescaled: one prime less, and the same scale again", 15)]
    for level in range(4):
        x = 40 + 185 * level
        left = 4 - level
        parts.append(text(x + 75, 64, f"level {left - 1}", 14))
        for prime in range(left):
            base = prime == 0
            y = 250 - 44 * prime
            parts.append(box(x, y, 150, 38, "#e8f1fb" if base else SAND))
            parts.append(text(x + 75, y + 24, "base: values and 2 bits" if base else f"q{'₀₁₂₃'[prime]}  ≈ scale", 12))
        if level < 3:
            parts.append(arc(x + 110, 262 - 44 * left, x + 210, 262 - 44 * (left - 1), 24, RED))
            parts.append(text(x + 172, 236 - 44 * left + 14, f"x{'²⁴⁸'[level]}", 14, colour=RED))
    parts.append(box(40, 306, 705, 34, "#fbe9e0"))
    parts.append(text(392, 328, "P, the special primes: used inside key switching alone, and divided out again", 13))
    parts.append(text(392, 364, "security depends on the whole: log2(Q·P) for this N", 13))
    return picture(780, 380, "Levels", *parts)


def key_switching() -> str:
    """From a secret s' to s: decompose, multiply by the key, divide by P."""
    parts = [text(390, 28, "c·s′ becomes u₀ + u₁·s: after a product s′ = s², after a rotation s′ = s(X⁵)", 15)]
    parts += [box(30, 130, 90, 60, "#e8f1fb"), text(75, 157, "c", 18), text(75, 177, "mod Q", 12)]
    for j in range(3):
        y = 62 + 76 * j
        parts += [box(185, y, 120, 50), text(245, y + 22, f"digit d{'₀₁₂'[j]}", 14), text(245, y + 41, "mod P·Q", 12)]
        parts += [box(345, y, 150, 50, "#e6f4ec"), text(420, y + 22, f"key (b{'₀₁₂'[j]}, a{'₀₁₂'[j]})", 14)]
        parts.append(text(420, y + 41, "hides P·g·s′ under s", 12))
        parts += [line(122, 160, 182, y + 25, arrow=True), text(325, y + 31, "×", 18)]
        parts.append(line(497, y + 25, 556, 163, arrow=True))
    parts += [f'<circle cx="575" cy="165" r="17" fill="white" stroke="{INK}"/>', text(575, 171, "+", 20)]
    parts += [line(594, 165, 640, 165, arrow=True), box(643, 130, 105, 70, "#e8f1fb"), text(695, 157, "(u₀, u₁)", 16)]
    parts += [text(695, 180, "divided by P", 12)]
    parts.append(
        text(
            390, 318, "digits are small beside P, so the noise of the key, times a digit, over P is next to nothing", 13
        )
    )
    return picture(780, 340, "Key switching with digits", *parts)


# --- measured: the same in every run, since keys and values follow from seeds ----------------------------------------


def noise_growth() -> str:
    """Noise of BFV products: measured, proven, and estimated as if coefficients were independent."""
    parameters = fhe.BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    records = research.noise_growth(research.reproducible(parameters, seed=1, bound=math.inf), products=3)
    columns = ["limit_bits", "proven_bits", "measured_bits", "average_bits"]
    return research.chart(records, x="products", y=columns, title="BFV, N = 8192: log2 of the noise of x, x², x⁴, x⁸")


def precision() -> str:
    """Precision of CKKS powers: measured, promised, expected."""
    parameters = fhe.CKKSParameters(ring_degree=2**14, modulus_bits=[46] + [40] * 6, special_bits=[43] * 3)
    records = research.precision_versus_depth(research.reproducible(parameters, seed=1))
    columns = ["expected_bits", "measured_bits", "bound_bits"]
    return research.chart(records, x="depth", y=columns, title="CKKS, N = 16384, 40-bit levels: bits of x², x⁴, … x⁶⁴")


PICTURES: dict[str, Callable[[], str]] = {
    "inside/ring.svg": ring,
    "inside/slots.svg": slots,
    "inside/levels.svg": levels,
    "inside/key-switching.svg": key_switching,
    "tutorials/noise-growth.svg": noise_growth,
    "tutorials/precision.svg": precision,
}


def main() -> None:
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
