"""From a theme to a published series: a file, a durable run, a curator's choice, a gallery, a film.

collection.toml -> plan.py -> run.py -> collection.sqlite (store.py) + pictures/
                              curate.py -> acts in the same database
                              gallery.py -> gallery/
                              film.py, sound.py -> film/
"""
