"""The command `rocketman`, also as `python -m rocketman`."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C is no error, not even while its libraries are imported."""
    try:
        from rocketman import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
