"""`python -m rocketman`: the command line."""

from rocketman.cli import main

main()
