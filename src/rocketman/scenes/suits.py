"""Five suits, different in cut as well as colour, and the materials of their parts.

Reads `gear.py`, `trunk.py`, `fabrics.py`. Next: `astronaut.py` puts a suit on a pose.
"""

from __future__ import annotations

import bpy

from rocketman.scenes import gear
from rocketman.scenes.fabrics import GOLD, surface, visor
from rocketman.scenes.limbs import Cloth
from rocketman.scenes.shapes import Color
from rocketman.scenes.trunk import Suit

SUITS = {
    "white": Suit(
        fabric=(0.72, 0.71, 0.68), accent=(0.60, 0.015, 0.015), glove=(0.60, 0.60, 0.59),
        fingertip=(0.17, 0.19, 0.22), boot=(0.74, 0.73, 0.70), shell=(0.82, 0.82, 0.81),
        pack=(0.76, 0.755, 0.735), ring=(0.60, 0.61, 0.63), dirt=0.26, wrinkle=0.62, sheen=0.1,
        cloth=Cloth(arm=(0.128, 0.106, 0.082), leg=(0.152, 0.132, 0.108), puff=0.011, roll=0.082,
                    drape=0.010, crush=0.022, seams=True,
                    arm_bands=((0.31, 0.37, "accent"),), leg_bands=((0.40, 0.455, "accent"),)),
        helmet="eva", boots="eva", chest=gear.eva_chest, back=gear.eva_back,
        girth=(0.245, 0.245, 0.285), deep=(0.19, 0.195, 0.222), hard=True, checklist=True,
    ),
    "orange": Suit(
        fabric=(0.88, 0.155, 0.008), accent=(0.03, 0.045, 0.10), glove=(0.018, 0.018, 0.02),
        fingertip=(0.05, 0.05, 0.055), boot=(0.02, 0.02, 0.022), shell=(0.80, 0.80, 0.79),
        pack=(0.06, 0.075, 0.05), ring=(0.50, 0.51, 0.53), dirt=0.10, wrinkle=0.50, sheen=0.25,
        cloth=Cloth(arm=(0.106, 0.086, 0.070), leg=(0.134, 0.108, 0.088), puff=0.002, roll=0.12,
                    drape=0.015, crush=0.022, seams=True),
        helmet="launch", boots="lace", chest=gear.launch_chest, back=gear.launch_back,
        girth=(0.222, 0.210, 0.255), deep=(0.17, 0.175, 0.202), pockets=True,
    ),
    "blue": Suit(
        fabric=(0.012, 0.095, 0.56), accent=(0.80, 0.80, 0.80), glove=(0.025, 0.03, 0.045),
        fingertip=(0.42, 0.44, 0.47), boot=(0.025, 0.03, 0.045), shell=(0.74, 0.76, 0.78),
        pack=(0.70, 0.72, 0.74), ring=(0.30, 0.31, 0.33), dirt=0.08, wrinkle=0.25, sheen=0.15,
        cloth=Cloth(arm=(0.100, 0.080, 0.064), leg=(0.126, 0.100, 0.080), puff=0.003, roll=0.16,
                    drape=0.008, crush=0.017, seams=True,
                    arm_bands=((0.62, 0.635, "accent"), (0.34, 0.36, "accent")),
                    leg_bands=((0.50, 0.51, "dark"), (0.66, 0.67, "dark"))),
        helmet="sleek", boots="slim", chest=gear.sleek_chest, back=gear.sleek_back,
        girth=(0.212, 0.198, 0.252), deep=(0.162, 0.168, 0.200), breast=0.11,
    ),
    "red": Suit(
        fabric=(0.50, 0.012, 0.012), accent=(0.82, 0.62, 0.24), glove=(0.12, 0.045, 0.022),
        fingertip=(0.05, 0.022, 0.014), boot=(0.10, 0.04, 0.02), shell=(0.52, 0.014, 0.014),
        pack=(0.62, 0.60, 0.54), ring=(0.80, 0.52, 0.18), dirt=0.22, wrinkle=0.28, sheen=0.1,
        cloth=Cloth(arm=(0.116, 0.098, 0.076), leg=(0.142, 0.120, 0.096), puff=0.004, roll=0.11,
                    drape=0.006, crush=0.010, bellows=0.017,
                    arm_bands=((0.40, 0.415, "ring"), (0.70, 0.715, "ring")),
                    leg_bands=((0.40, 0.412, "ring"), (0.66, 0.672, "ring"))),
        helmet="dome", boots="lace", chest=gear.dome_chest, back=gear.dome_back,
        girth=(0.232, 0.222, 0.268), deep=(0.18, 0.185, 0.212),
    ),
    "grey": Suit(
        fabric=(0.165, 0.168, 0.174), accent=(0.40, 0.40, 0.40), glove=(0.095, 0.096, 0.10),
        fingertip=(0.03, 0.10, 0.34), boot=(0.125, 0.125, 0.13), shell=(0.21, 0.213, 0.22),
        pack=(0.185, 0.188, 0.194), ring=(0.45, 0.46, 0.48), dirt=0.5, wrinkle=0.65, sheen=0.1,
        cloth=Cloth(arm=(0.122, 0.102, 0.078), leg=(0.150, 0.126, 0.106), puff=0.006, roll=0.10,
                    drape=0.017, crush=0.024),
        helmet="lunar", boots="moon", chest=gear.lunar_chest, back=gear.lunar_back,
        girth=(0.240, 0.235, 0.272), deep=(0.186, 0.19, 0.214), pockets=True, checklist=True,
    ),
}  # fmt: skip


def finish(name: str, slot: str) -> bpy.types.Material:
    """The material of a slot in a suit."""
    suit = SUITS[name]
    key = f"{name} {slot}"
    if slot == "fabric":
        return surface(key, suit.fabric, roughness=0.82, sheen=suit.sheen, wrinkle=suit.wrinkle,
                       weave=0.55, dirt=suit.dirt)  # fmt: skip
    if slot == "cover":
        return surface(key, suit.pack, roughness=0.85, wrinkle=suit.wrinkle, weave=0.55,
                       dirt=suit.dirt)  # fmt: skip
    if slot == "glove":
        return surface(key, suit.glove, roughness=0.72, wrinkle=0.25, wrinkle_scale=26.0, weave=0.2,
                       dirt=suit.dirt)  # fmt: skip
    if slot == "boot":
        return surface(key, suit.boot, roughness=0.6, wrinkle=0.25, dirt=suit.dirt)
    if slot == "visor":
        return visor(key, GOLD)
    if slot == "shell":
        return surface(key, suit.shell, roughness=0.32, coat=0.35, dirt=suit.dirt * 0.5)
    if slot == "pack":
        return surface(key, suit.pack, roughness=0.6, wrinkle=0.12, dirt=suit.dirt)
    if slot == "ring":
        return surface(key, suit.ring, roughness=0.28, metallic=0.9)
    if slot == "accent":
        return surface(key, suit.accent, roughness=0.7, weave=0.2, dirt=suit.dirt * 0.6)
    if slot in ("screen", "label", "patch", "emblem", "flag"):
        image = slot if slot in ("screen", "label", "flag") else f"{slot} {name}"
        return surface(key, (0.5, 0.5, 0.5), roughness=0.8 if slot != "screen" else 0.2,
                       emission=0.8 if slot == "screen" else 0.0, image=image)  # fmt: skip
    color, rough, glow = {
        "fingertip": (suit.fingertip, 0.55, 0.0),
        "grip": (suit.fingertip, 0.6, 0.0),
        "boot trim": (suit.accent if suit.boots != "slim" else suit.glove, 0.6, 0.0),
        "sole": ((0.025, 0.025, 0.027), 0.75, 0.0),
        "dark": ((0.015, 0.015, 0.017), 0.4, 0.0),
        "seam": ((0.06, 0.06, 0.065), 0.8, 0.0),
        "strap": (STRAPS[name], 0.75, 0.0),
        "lamp": ((1.0, 0.97, 0.9), 0.2, 1.2),
        "white face": ((0.75, 0.74, 0.70), 0.35, 0.0),
        "blue part": ((0.02, 0.10, 0.55), 0.35, 0.0),
        "red part": ((0.58, 0.02, 0.02), 0.35, 0.0),
        "hose white": ((0.66, 0.65, 0.62), 0.6, 0.0),
        "hose dark": ((0.07, 0.07, 0.075), 0.6, 0.0),
    }[slot]
    return surface(key, color, roughness=rough, emission=glow)


STRAPS: dict[str, Color] = {
    "white": (0.62, 0.61, 0.58),
    "orange": (0.05, 0.06, 0.045),
    "blue": (0.02, 0.02, 0.025),
    "red": (0.10, 0.04, 0.018),
    "grey": (0.22, 0.22, 0.215),
}
