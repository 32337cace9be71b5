"""What is worn in front and behind: five chests and five packs.

Frame: sternum, see `holds.py`; the chest's surface lies near y = -0.21, the back's near 0.2.
Reads `trunk.py`. Next: `suits.py`.
"""

from __future__ import annotations

from math import pi

import numpy as np

from rocketman.scenes.kit import PLATE, Kit, aimed, curve, shift
from rocketman.scenes.trunk import Suit, connector, dial, knobs, mirrored, plate, webbing


def eva_chest(kit: Kit, suit: Suit) -> None:
    """A display and control module: a stepped box with a screen, switches, a placard, valves."""
    kit.box((0.285, 0.10, 0.155), "shell", at=shift(0, -0.262, -0.025), bevel=0.016)
    kit.box((0.245, 0.085, 0.07), "shell", at=shift(0, -0.25, -0.125), bevel=0.014)
    kit.box((0.20, 0.02, 0.05), "dark", at=shift(-0.03, -0.31, 0.02), bevel=0.006)
    kit.badge(plate((-0.12, 0.05), -0.3205, (0.0, 0.04)), "screen", PLATE, lift=0.002)
    kit.badge(plate((-0.12, -0.03), -0.313, (-0.085, -0.03)), "label", PLATE, lift=0.002)
    knobs(kit, -0.312, -0.045, (0.015, 0.055, 0.095), "dark")
    knobs(kit, -0.312, -0.08, (0.035, 0.075), "accent")
    dial(kit, aimed((0.105, -0.308, 0.02), (0, -1, 0.1)), 0.019, "white face")
    for x in (-0.08, -0.04, 0.0, 0.04, 0.08):
        kit.box((0.012, 0.02, 0.03), "ring", at=shift(x, -0.297, -0.125), bevel=0.004)
    for side in (-1, 1):
        kit.box(
            (0.035, 0.06, 0.05),
            "accent" if side < 0 else "blue part",
            at=shift(side * 0.155, -0.255, -0.04),
            bevel=0.01,
        )
        kit.hose(
            mirrored(
                [
                    (0.13, -0.255, -0.14),
                    (0.20, -0.27, -0.23),
                    (0.27, -0.14, -0.24),
                    (0.26, 0.10, -0.18),
                    (0.20, 0.24, -0.12),
                ],
                side,
            ),
            0.019,
            "hose white",
        )
        webbing(
            kit,
            suit,
            mirrored(
                [
                    (0.10, -0.235, 0.03),
                    (0.125, -0.225, 0.12),
                    (0.155, -0.16, 0.21),
                    (0.165, -0.02, 0.262),
                    (0.165, 0.18, 0.235),
                ],
                side,
            ),
            0.02,
            "strap",
        )
    # Tether hooks at the waist.
    for side in (-1, 1):
        kit.ring(0.022, 0.005, "ring", at=aimed((side * 0.17, -0.235, -0.30), (0.2, -1, 0)))


def eva_back(kit: Kit) -> None:
    """A big life-support pack with its panels, a thruster frame below, arms at the sides."""
    kit.box((0.56, 0.20, 0.66), "pack", at=shift(0, 0.305, 0.005), bevel=0.045)
    kit.box((0.44, 0.16, 0.16), "pack", at=shift(0, 0.285, 0.36), bevel=0.05)
    kit.box((0.50, 0.17, 0.20), "pack", at=shift(0, 0.30, -0.40), bevel=0.03)
    kit.box((0.565, 0.205, 0.016), "seam", at=shift(0, 0.305, -0.305), bevel=0.004)
    kit.box((0.565, 0.205, 0.012), "seam", at=shift(0, 0.305, 0.235), bevel=0.004)
    kit.box((0.40, 0.012, 0.40), "pack", at=shift(0, 0.408, 0.01), bevel=0.006)
    kit.box((0.30, 0.01, 0.05), "accent", at=shift(0, 0.412, 0.27), bevel=0.004)
    for side in (-1, 1):
        kit.box((0.055, 0.16, 0.50), "pack", at=shift(side * 0.302, 0.27, -0.10), bevel=0.022)
        kit.box((0.06, 0.04, 0.05), "accent", at=shift(side * 0.302, 0.20, 0.10), bevel=0.01)
        for z in (-0.43, 0.30):
            kit.lathe(
                [(0.012, 0), (0.02, 0.022), (0.014, 0.02)],
                "ring",
                at=aimed((side * 0.285, 0.31, z), (side, 0, 0)),
                columns=14,
            )
        kit.tube(
            curve(
                [
                    (side * 0.12, 0.41, 0.16),
                    (side * 0.12, 0.435, 0.15),
                    (side * 0.12, 0.435, 0.05),
                    (side * 0.12, 0.41, 0.04),
                ],
                4,
            ),
            0.007,
            "ring",
            columns=8,
        )


def launch_chest(kit: Kit, suit: Suit) -> None:
    """A harness: webbing over shoulders and between the legs, buckles, a life-vest collar."""
    for side in (-1, 1):
        strap = mirrored(
            [
                (0.10, 0.20, 0.20),
                (0.15, 0.06, 0.265),
                (0.155, -0.10, 0.235),
                (0.145, -0.20, 0.14),
                (0.12, -0.232, 0.0),
                (0.09, -0.228, -0.14),
                (0.10, -0.20, -0.28),
                (0.14, -0.18, -0.42),
                (0.16, -0.12, -0.54),
            ],
            side,
        )
        webbing(kit, suit, strap, 0.024, "strap")
        kit.box((0.062, 0.03, 0.045), "ring", at=shift(side * 0.135, -0.236, 0.06), bevel=0.008)
        kit.box((0.055, 0.026, 0.03), "ring", at=shift(side * 0.1, -0.226, -0.19), bevel=0.006)
        # Lobes of the life vest under the arms, and the pockets on the chest.
        kit.box((0.07, 0.13, 0.15), "strap", at=shift(side * 0.232, -0.105, -0.05), bevel=0.033)
    webbing(
        kit,
        suit,
        [(-0.13, -0.236, -0.02), (0, -0.25, -0.035), (0.13, -0.236, -0.02)],
        0.02,
        "strap",
    )
    kit.box((0.07, 0.035, 0.05), "ring", at=shift(0, -0.252, -0.035), bevel=0.01)
    connector(kit, aimed((-0.055, -0.222, -0.125), (-0.15, -1, -0.1)), 0.022, "blue part")
    dial(kit, aimed((0.05, -0.228, -0.11), (0.1, -1, 0.1)), 0.022, "white face")
    kit.hose(
        [
            (-0.055, -0.262, -0.13),
            (-0.09, -0.32, -0.22),
            (-0.21, -0.24, -0.32),
            (-0.27, -0.05, -0.30),
            (-0.2, 0.15, -0.2),
        ],
        0.019,
        "dark",
    )


def launch_back(kit: Kit) -> None:
    """A parachute pack: small, soft, with flaps and a handle."""
    kit.box((0.40, 0.15, 0.40), "pack", at=shift(0, 0.265, -0.02), bevel=0.05)
    kit.box((0.36, 0.13, 0.15), "pack", at=shift(0, 0.26, -0.30), bevel=0.045)
    kit.box((0.30, 0.02, 0.30), "strap", at=shift(0, 0.338, -0.02), bevel=0.008)
    kit.box((0.05, 0.03, 0.22), "seam", at=shift(0, 0.345, -0.02), bevel=0.008)
    kit.ring(0.03, 0.006, "ring", at=aimed((0.2, 0.26, 0.12), (1, 0, 0)))


def sleek_chest(kit: Kit, suit: Suit) -> None:
    """Seams in a slim suit: yoke lines in the accent colour, a port at the hip, a small badge."""
    for side in (-1, 1):
        line = mirrored(
            [
                (0.175, 0.0, 0.245),
                (0.20, -0.12, 0.19),
                (0.17, -0.198, 0.08),
                (0.075, -0.222, -0.06),
                (0.05, -0.205, -0.22),
                (0.075, -0.195, -0.40),
            ],
            side,
        )
        webbing(kit, suit, line, 0.011, "accent")
        side_line = mirrored(
            [(0.262, -0.03, -0.02), (0.225, -0.045, -0.25), (0.235, -0.05, -0.44)], side
        )
        webbing(kit, suit, side_line, 0.012, "seam")
    webbing(
        kit,
        suit,
        [(0, -0.21, 0.17), (0, -0.227, 0.0), (0, -0.20, -0.22), (0, -0.19, -0.42)],
        0.007,
        "dark",
    )
    kit.box((0.088, 0.022, 0.042), "dark", at=shift(0.1, -0.228, 0.045), bevel=0.009)
    kit.badge(plate((0.064, 0.136), -0.2395, (0.03, 0.06)), "screen", PLATE, lift=0.002)
    connector(kit, aimed((0.165, -0.16, -0.33), (0.6, -1, 0)), 0.026, "ring")
    kit.hose(
        [
            (0.19, -0.20, -0.335),
            (0.27, -0.26, -0.30),
            (0.33, -0.13, -0.20),
            (0.27, 0.06, -0.12),
            (0.17, 0.2, -0.08),
        ],
        0.016,
        "dark",
    )


def sleek_back(kit: Kit) -> None:
    """A flat shell pack with two fins and a light strip."""
    kit.box((0.42, 0.13, 0.52), "pack", at=shift(0, 0.262, -0.01), bevel=0.055, steps=5)
    kit.box((0.30, 0.06, 0.40), "dark", at=shift(0, 0.315, -0.01), bevel=0.028, steps=4)
    for side in (-1, 1):
        kit.box((0.05, 0.10, 0.46), "accent", at=shift(side * 0.205, 0.275, -0.01), bevel=0.022)
    kit.box((0.16, 0.01, 0.018), "lamp", at=shift(0, 0.347, 0.13), bevel=0.004)


def dome_chest(kit: Kit, suit: Suit) -> None:
    """An explorer's harness: a round gauge, brass valves, crossed belts, hoses to the helmet."""
    for side in (-1, 1):
        webbing(
            kit,
            suit,
            mirrored(
                [
                    (0.17, 0.02, 0.255),
                    (0.165, -0.13, 0.22),
                    (0.10, -0.232, 0.07),
                    (0.0, -0.262, -0.06),
                    (-0.12, -0.225, -0.20),
                    (-0.21, -0.09, -0.29),
                ],
                side,
            ),
            0.021,
            "strap",
        )
        kit.hose(
            mirrored(
                [
                    (0.075, -0.265, -0.085),
                    (0.135, -0.345, -0.05),
                    (0.19, -0.30, 0.08),
                    (0.165, -0.185, 0.19),
                ],
                side,
            ),
            0.021,
            "hose white",
        )
        connector(kit, aimed((side * 0.065, -0.262, -0.10), (side * 0.2, -1, -0.1)), 0.022, "ring")
        kit.box((0.075, 0.05, 0.085), "strap", at=shift(side * 0.19, -0.185, -0.33), bevel=0.015)
    plate = aimed((0, -0.252, -0.03), (0, -1, 0.06))
    kit.lathe(
        [(0.086, -0.02), (0.088, 0.012), (0.08, 0.02), (0.06, 0.022)], "ring", at=plate, columns=36
    )
    kit.lathe([(0.062, 0.0205), (0.0001, 0.021)], "white face", at=plate, columns=30)
    kit.box(
        (0.006, 0.045, 0.004),
        "accent",
        at=plate @ shift(0.008, 0.012, 0.024) @ aimed((0, 0, 0), (0, 0, 1), (1, 0.8, 0)),
        bevel=0.001,
    )
    for k in range(12):
        a = k * pi / 6
        kit.box(
            (0.004, 0.010, 0.003),
            "dark",
            at=plate
            @ aimed(
                (0.05 * np.sin(a), 0.05 * np.cos(a), 0.0225), (0, 0, 1), (np.cos(a), -np.sin(a), 0)
            ),
            bevel=0.001,
        )


def dome_back(kit: Kit) -> None:
    """Two tanks under a cowl, with straps and valves."""
    for side in (-1, 1):
        tank = [
            (0.001, -0.40),
            (0.06, -0.385),
            (0.098, -0.33),
            (0.104, -0.25),
            (0.104, 0.18),
            (0.096, 0.25),
            (0.06, 0.30),
            (0.022, 0.315),
            (0.022, 0.35),
            (0.0001, 0.352),
        ]
        kit.lathe(tank, "pack", at=shift(side * 0.125, 0.30, 0.0), columns=32)
        for z in (-0.22, 0.0, 0.17):
            kit.ring(0.104, 0.009, "ring", at=shift(side * 0.125, 0.30, z), columns=28)
    kit.box((0.30, 0.10, 0.46), "strap", at=shift(0, 0.245, -0.02), bevel=0.03)
    kit.tube([(-0.125, 0.30, 0.34), (0.125, 0.30, 0.34)], 0.014, "ring")
    kit.lathe(
        [(0.035, -0.012), (0.035, 0.012), (0.0001, 0.013)],
        "accent",
        at=aimed((0, 0.30, 0.34), (0, 0, 1)),
        columns=12,
    )


def lunar_chest(kit: Kit, suit: Suit) -> None:
    """A remote control box, and two rows of connectors in red and blue with hoses to the pack."""
    kit.box((0.23, 0.095, 0.13), "shell", at=shift(0, -0.268, -0.015), bevel=0.014)
    kit.badge(plate((-0.1, -0.01), -0.3165, (-0.055, -0.005)), "label", PLATE, lift=0.002)
    dial(kit, aimed((0.055, -0.314, -0.03), (0, -1, 0)), 0.026, "white face")
    kit.box((0.20, 0.06, 0.03), "dark", at=shift(0, -0.268, 0.06), bevel=0.008)
    kit.box((0.02, 0.03, 0.05), "ring", at=shift(0.0, -0.318, 0.028), bevel=0.005)
    for z, slot in ((-0.13, "blue part"), (-0.215, "red part")):
        for side in (-1, 1):
            at = aimed((side * 0.085, -0.222, z), (side * 0.35, -1, -0.15))
            connector(kit, at, 0.027, slot if side < 0 else ("red part", "blue part")[z < -0.2])
            start = at @ np.array([0, 0, 0.04, 1])
            hose = [
                tuple(start[:3]),
                (side * 0.135, -0.32, z - 0.05),
                (side * 0.25, -0.27, z - 0.06),
                (side * 0.315, -0.06, z - 0.01),
                (side * 0.25, 0.2, z + 0.03),
            ]
            kit.hose(hose, 0.021, "hose dark")
    for side in (-1, 1):
        webbing(
            kit,
            suit,
            mirrored(
                [
                    (0.10, -0.24, 0.045),
                    (0.15, -0.205, 0.14),
                    (0.168, -0.08, 0.235),
                    (0.17, 0.12, 0.235),
                ],
                side,
            ),
            0.02,
            "strap",
        )


def lunar_back(kit: Kit) -> None:
    """A tall pack under a cloth cover, the oxygen purge box on top, an antenna."""
    kit.box((0.50, 0.22, 0.62), "cover", at=shift(0, 0.31, -0.06), bevel=0.05)
    kit.box((0.50, 0.20, 0.17), "cover", at=shift(0, 0.305, 0.355), bevel=0.04)
    kit.box((0.42, 0.014, 0.44), "cover", at=shift(0, 0.423, -0.06), bevel=0.006)
    kit.box((0.51, 0.21, 0.012), "seam", at=shift(0, 0.31, 0.262), bevel=0.004)
    kit.tube([(0.19, 0.30, 0.42), (0.19, 0.30, 0.62)], 0.005, "ring", columns=8)
    for side in (-1, 1):
        kit.box((0.03, 0.12, 0.30), "seam", at=shift(side * 0.252, 0.30, -0.06), bevel=0.01)
