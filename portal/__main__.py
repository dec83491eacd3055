"""`python -m portal` is the `parvis` command."""

from portal.app import main

main()
