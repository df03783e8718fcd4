"""`python -m mlpress`."""

from mlpress.cli import main

main()
