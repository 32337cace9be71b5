"""Every instrument's hold by its level name. Plain numbers, without bpy."""

from __future__ import annotations

from rocketman.scenes.holds import Hold
from rocketman.scenes.key_holds import KEY_HOLDS
from rocketman.scenes.percussion_holds import PERCUSSION_HOLDS
from rocketman.scenes.string_holds import STRING_HOLDS
from rocketman.scenes.wind_holds import WIND_HOLDS

HOLDS: dict[str, Hold] = {**STRING_HOLDS, **WIND_HOLDS, **KEY_HOLDS, **PERCUSSION_HOLDS}
