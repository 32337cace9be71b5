"""What can be said about pictures once they exist: do they show what was asked, are they new, alike?

    probes.py           reads factors off a picture; features of it      (probe_training.py makes it)
    index.py            what newness and credits must know of the training pictures
    newness.py          distance to the nearest training picture: new, close, copy
    variety.py          how different the pictures of a set are, and which repeat each other

Level 4. `rocketman audit index MODEL --data DIR` builds all that the rest reads.
"""
