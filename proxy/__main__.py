"""`python -m proxy` is `ftpweir`."""

from proxy.cli import main

if __name__ == "__main__":
    main()
