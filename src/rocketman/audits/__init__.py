"""What can be said about pictures once they exist: as asked for, new, all alike?

    probes.py           reads factors off a picture, and features (probe_training.py makes it)
    index.py            what newness and credits must know of the training pictures
    alignment.py        how well a picture fits a part of another
    newness.py          distance to the nearest training picture: new, close, copy
    credits.py          the training pictures most like a picture, and those that shaped it most
    influence.py        gradients, for the latter
    variety.py          how different the pictures of a set are, and which repeat each other

Level 4. `rocketman audit index MODEL --data DIR` builds all that the rest reads.
"""
