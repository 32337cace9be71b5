"""Where a picture comes from: its recipe travels inside the file (`picture.py`). No torch."""
